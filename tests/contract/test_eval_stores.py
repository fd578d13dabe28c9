"""What every adapter of the store behind evals must do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from gaugeway.core import files
from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.evals import Eval, EvalRun, GraderResult, Output, OutputState, RunItem, RunStatus, Slice
from gaugeway.core.files import EvalFile
from gaugeway.core.model import Scope
from gaugeway.stores import Stores, open_stores
from support.state import ACCOUNT, SCOPE, a_gateway, an_account

ELSEWHERE = Scope(ACCOUNT, "elsewhere")


def an_eval(number: int = 1, **fields: Any) -> Eval:
    plain: dict[str, Any] = {
        "account_id": ACCOUNT,
        "gateway_id": SCOPE.gateway_id,
        "id": f"eval_{number}",
        "name": f"Eval {number}",
        "created_at": number,
        "modified_at": number,
        "data_source_config": {"type": "custom", "item_schema": {}},
        "testing_criteria": [{"type": "string_check"}],
    }
    return Eval(**plain | fields)


def a_run(number: int = 1, **fields: Any) -> EvalRun:
    plain: dict[str, Any] = {
        "account_id": ACCOUNT,
        "gateway_id": SCOPE.gateway_id,
        "eval_id": "eval_1",
        "id": f"evalrun_{number}",
        "name": f"Run {number}",
        "created_at": number,
        "data_source": {"type": "jsonl", "source": {"type": "file_content"}},
        "criteria": [],
    }
    return EvalRun(**plain | fields)


ITEMS = [RunItem(place=0, item={"q": 1}), RunItem(place=1, item={"q": 2}, sample={"output_text": "two"})]


def an_output(place: int, state: OutputState = OutputState.PASS, **fields: Any) -> Output:
    result = GraderResult(name="same", type="string_check", passed=state is OutputState.PASS, score=1.0)
    return Output(place=place, state=state, results=[result], created_at=5, **fields)


@pytest.fixture(params=["sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    opened = open_stores(f"{request.param}:{tmp_path / 'data'}")
    opened.accounts.create(an_account())
    opened.gateways.create(a_gateway())
    opened.gateways.create(a_gateway("elsewhere"))
    yield opened
    opened.close()


@pytest.fixture
def held(stores: Stores) -> EvalRun:
    stores.evals.create(an_eval())
    stores.evals.create_run(a_run(), ITEMS)
    claimed = stores.evals.claim("me", 1_000, 100)
    assert claimed == a_run()
    return claimed


def names(found: tuple[list[Any], bool]) -> tuple[list[str], bool]:
    return [one.id for one in found[0]], found[1]


def test_evals_are_kept_changed_and_deleted(stores: Stores) -> None:
    stores.evals.create(an_eval())
    assert stores.evals.get(SCOPE, "eval_1") == an_eval()
    assert stores.evals.get(ELSEWHERE, "eval_1") is None
    changed = an_eval(name="Another", modified_at=9)
    stores.evals.replace(changed)
    assert stores.evals.get(SCOPE, "eval_1") == changed
    assert not stores.evals.delete(ELSEWHERE, "eval_1")
    assert stores.evals.delete(SCOPE, "eval_1")
    assert stores.evals.get(SCOPE, "eval_1") is None
    with pytest.raises(NotFound):
        stores.evals.replace(changed)


def test_an_eval_goes_with_its_gateway_and_needs_one(stores: Stores) -> None:
    stores.evals.create(an_eval())
    stores.gateways.delete(SCOPE)
    assert stores.evals.get(SCOPE, "eval_1") is None
    with pytest.raises(NotFound):
        stores.evals.create(an_eval(2))


def test_lists_go_on_after_an_id(stores: Stores) -> None:
    for number in range(1, 5):
        stores.evals.create(an_eval(number))
    stores.evals.create(an_eval(5, gateway_id="elsewhere"))
    evals = stores.evals
    assert names(evals.list(SCOPE, Slice(limit=3))) == (["eval_1", "eval_2", "eval_3"], True)
    assert names(evals.list(SCOPE, Slice(limit=3, after="eval_3"))) == (["eval_4"], False)
    assert names(evals.list(SCOPE, Slice(limit=2, descending=True))) == (["eval_4", "eval_3"], True)
    assert names(evals.list(SCOPE, Slice(limit=2, after="eval_3", descending=True))) == (
        ["eval_2", "eval_1"],
        False,
    )
    evals.replace(an_eval(2, modified_at=99))
    assert names(evals.list(SCOPE, Slice(), by_change=True))[0] == ["eval_1", "eval_3", "eval_4", "eval_2"]
    assert names(evals.list(SCOPE, Slice(after="eval_4"), by_change=True))[0] == ["eval_2"]
    for unknown in ("eval_5", "nothing"):
        with pytest.raises(NotFound):
            evals.list(SCOPE, Slice(after=unknown))


def test_runs_are_listed_by_status(stores: Stores) -> None:
    stores.evals.create(an_eval())
    for number in range(1, 4):
        stores.evals.create_run(a_run(number), [])
    stores.evals.change_run(
        SCOPE, "eval_1", "evalrun_2", lambda run: structs.replace(run, status=RunStatus.CANCELED)
    )
    assert names(stores.evals.list_runs(SCOPE, "eval_1", Slice(), RunStatus.CANCELED)) == (["evalrun_2"], False)
    assert names(stores.evals.list_runs(SCOPE, "eval_1", Slice(limit=1), RunStatus.QUEUED)) == (["evalrun_1"], True)
    assert names(stores.evals.list_runs(SCOPE, "eval_1", Slice(after="evalrun_2"), None)) == (["evalrun_3"], False)
    assert names(stores.evals.list_runs(ELSEWHERE, "eval_1", Slice(), None)) == ([], False)
    with pytest.raises(NotFound):
        stores.evals.list_runs(SCOPE, "eval_1", Slice(after="nothing"), None)


def test_a_run_needs_its_eval_and_goes_with_it(stores: Stores, held: EvalRun) -> None:
    with pytest.raises(NotFound):
        stores.evals.create_run(a_run(2, eval_id="nothing"), [])
    assert stores.evals.put(held, "me", an_output(0))
    assert stores.evals.delete(SCOPE, "eval_1")
    assert stores.evals.get_run(SCOPE, "eval_1", held.id) is None
    assert not stores.evals.put(held, "me", an_output(1))
    assert stores.evals.outputs(held, Slice()) == ([], False)


def test_one_holds_a_run_at_a_time_until_its_lease_runs_out(stores: Stores, held: EvalRun) -> None:
    assert stores.evals.claim("you", 1_050, 100) is None
    assert stores.evals.renew(held, "me", 1_050, 100)
    assert stores.evals.claim("you", 1_149, 100) is None
    assert stores.evals.claim("you", 1_150, 100) is not None
    assert not stores.evals.renew(held, "me", 1_160, 100)
    assert not stores.evals.save(held, "me")
    assert not stores.evals.put(held, "me", an_output(0))
    assert not stores.evals.plan(held, "me", [bytes(16)])


def test_a_run_that_has_ended_is_let_go_and_never_taken_again(stores: Stores, held: EvalRun) -> None:
    done = structs.replace(held, status=RunStatus.COMPLETED, passed=2)
    assert stores.evals.save(done, "me")
    assert stores.evals.get_run(SCOPE, "eval_1", held.id) == done
    assert stores.evals.claim("you", 10**12, 100) is None
    assert not stores.evals.save(held, "me")


def test_who_changes_a_run_takes_it_from_its_holder(stores: Stores, held: EvalRun) -> None:
    stores.evals.change_run(SCOPE, "eval_1", held.id, lambda run: structs.replace(run, status=RunStatus.CANCELED))
    assert not stores.evals.save(held, "me")
    with pytest.raises(NotFound):
        stores.evals.change_run(ELSEWHERE, "eval_1", held.id, lambda run: run)


def test_what_has_not_ended_is_pending(stores: Stores, held: EvalRun) -> None:
    assert stores.evals.planned(held) == 2
    assert stores.evals.pending(held, -1, 10) == ITEMS
    assert stores.evals.put(held, "me", an_output(0, OutputState.SENT))
    first, second = stores.evals.pending(held, -1, 10)
    assert (first.was_sent, second.was_sent) == (True, False)
    assert stores.evals.put(held, "me", an_output(0))
    assert stores.evals.pending(held, -1, 10) == ITEMS[1:]
    assert stores.evals.pending(held, 1, 10) == []


def test_logs_are_planned_once(stores: Stores) -> None:
    stores.evals.create(an_eval())
    stores.evals.create_run(a_run(), [])
    run = stores.evals.claim("me", 1, 100)
    assert run is not None
    logs = [bytes([1] * 16), bytes([2] * 16)]
    assert stores.evals.plan(run, "me", logs)
    assert stores.evals.plan(run, "me", [bytes(16)])
    assert [item.log_id for item in stores.evals.pending(run, -1, 10)] == logs


def test_outputs_are_listed_by_place_and_state(stores: Stores) -> None:
    stores.evals.create(an_eval())
    stores.evals.create_run(a_run(), [RunItem(place=place, item={"n": place}) for place in range(5)])
    run = stores.evals.claim("me", 1, 100)
    assert run is not None
    states = [OutputState.PASS, OutputState.FAIL, OutputState.SENT, OutputState.ERROR, OutputState.PASS]
    for place, state in enumerate(states):
        assert stores.evals.put(run, "me", an_output(place, state))

    def places(part: Slice, state: OutputState | None = None) -> tuple[list[int], bool]:
        found, more = stores.evals.outputs(run, part, state)
        assert all(item.item == {"n": output.place} for item, output in found)
        return [output.place for _, output in found], more

    assert places(Slice()) == ([0, 1, 3, 4], False)
    assert places(Slice(limit=2)) == ([0, 1], True)
    assert places(Slice(after="1")) == ([3, 4], False)
    assert places(Slice(descending=True, limit=2)) == ([4, 3], True)
    assert places(Slice(after="3", descending=True)) == ([1, 0], False)
    assert places(Slice(), OutputState.PASS) == ([0, 4], False)
    assert stores.evals.output(run, 2) is None
    found = stores.evals.output(run, 1)
    assert found is not None
    assert found[1] == an_output(1, OutputState.FAIL)


def a_file(number: int = 1, **fields: Any) -> EvalFile:
    plain: dict[str, Any] = {
        "account_id": ACCOUNT,
        "gateway_id": SCOPE.gateway_id,
        "id": f"file-{number}",
        "name": f"{number}.jsonl",
        "bytes": 3,
        "created_at": number,
    }
    return EvalFile(**plain | fields)


def test_files_are_kept_in_their_gateway_and_go_with_it(stores: Stores) -> None:
    kept = stores.eval_files
    for number in (1, 2, 3):
        kept.create(a_file(number), b"abc")
    assert kept.get(SCOPE, "file-2") == a_file(2)
    assert kept.content(SCOPE, "file-2") == b"abc"
    assert (kept.get(ELSEWHERE, "file-2"), kept.content(ELSEWHERE, "file-2")) == (None, None)
    assert kept.list(SCOPE, Slice(limit=2)) == ([a_file(1), a_file(2)], True)
    assert kept.list(SCOPE, Slice(after="file-2", limit=2)) == ([a_file(3)], False)
    assert kept.list(SCOPE, Slice(after="file-2", limit=2, descending=True)) == ([a_file(1)], False)
    with pytest.raises(NotFound):
        kept.list(SCOPE, Slice(after="file-9"))
    assert not kept.delete(ELSEWHERE, "file-2")
    assert kept.delete(SCOPE, "file-2")
    assert not kept.delete(SCOPE, "file-2")
    with pytest.raises(NotFound):
        kept.create(a_file(4, gateway_id="nowhere"), b"abc")
    stores.gateways.delete(SCOPE)
    assert (kept.get(SCOPE, "file-1"), kept.content(SCOPE, "file-1")) == (None, None)


def test_a_gateway_keeps_so_many_files_and_bytes(stores: Stores) -> None:
    half = files.MAX_TOTAL // 2
    stores.eval_files.create(a_file(1, bytes=half), b"abc")
    stores.eval_files.create(a_file(2, bytes=half - 1), b"abc")
    with pytest.raises(Conflict, match="delete some"):
        stores.eval_files.create(a_file(3, bytes=2), b"ab")
    stores.eval_files.create(a_file(4, bytes=1), b"a")
    stores.eval_files.delete(SCOPE, "file-1")
    for number in range(5, files.MAX_FILES + 3):
        stores.eval_files.create(a_file(number, bytes=1), b"a")
    with pytest.raises(Conflict, match=f"at most {files.MAX_FILES} files"):
        stores.eval_files.create(a_file(0, bytes=1), b"a")
