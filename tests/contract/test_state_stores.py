"""What every adapter of the state stores must do: one set of tests, run over each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import structs

from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.model import CustomProvider, Gateway, RawFilter, ResultStatus, Scope, Session
from gaugeway.stores import Stores, open_stores
from support.state import (
    ACCOUNT,
    SCOPE,
    a_dataset,
    a_gateway,
    a_provider,
    a_result,
    a_token,
    an_account,
    an_evaluation,
)

ADAPTERS: dict[str, Callable[[Path], str]] = {"sqlite": lambda folder: f"sqlite://{folder}"}
OTHER = "f" * 32


@pytest.fixture(params=sorted(ADAPTERS))
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return ADAPTERS[request.param](tmp_path / "data")


@pytest.fixture
def empty(address: str) -> Iterator[Stores]:
    stores = open_stores(address)
    yield stores
    stores.close()


@pytest.fixture
def stores(empty: Stores) -> Stores:
    """With an account that has a gateway."""
    empty.accounts.create(an_account())
    empty.gateways.create(a_gateway())
    return empty


# Accounts


def test_accounts_are_listed_oldest_first_and_found_by_id(empty: Stores) -> None:
    first, second, twin = an_account(created_at=5), an_account("b" * 32, created_at=9), an_account("c" * 32, 9)
    for account in (second, first, twin):
        empty.accounts.create(account)
    assert empty.accounts.list() == [first, second, twin]
    assert empty.accounts.get(second.id) == second
    assert empty.accounts.get(OTHER) is None


def test_an_account_id_is_taken_once(empty: Stores) -> None:
    empty.accounts.create(an_account())
    with pytest.raises(Conflict):
        empty.accounts.create(an_account(name="another"))
    assert empty.accounts.list() == [an_account()]


def test_the_first_start_makes_one_account_and_one_token(empty: Stores) -> None:
    assert empty.accounts.bootstrap(an_account(), a_token()) == (an_account(), True)
    assert empty.tokens.list(ACCOUNT) == [a_token()]
    late = an_account(OTHER, created_at=0)
    assert empty.accounts.bootstrap(late, a_token("late", account_id=OTHER)) == (an_account(), False)
    assert empty.accounts.list() == [an_account()]
    assert empty.tokens.list(OTHER) == []


def test_a_first_start_that_cannot_make_its_token_makes_no_account(empty: Stores) -> None:
    with pytest.raises(NotFound):
        empty.accounts.bootstrap(an_account(), a_token(account_id=OTHER))
    assert empty.accounts.list() == []


def test_of_several_first_starts_at_once_one_makes_the_account(address: str) -> None:
    servers = [open_stores(address) for _ in range(4)]

    def start(number: int) -> tuple[str, bool]:
        account_id = f"{number:032x}"
        token = a_token(f"first {number}", account_id=account_id)
        account, made = servers[number].accounts.bootstrap(an_account(account_id), token)
        return account.id, made

    with ThreadPoolExecutor(4) as pool:
        started = list(pool.map(start, range(4)))
    assert [made for _, made in started].count(True) == 1
    assert len({account_id for account_id, _ in started}) == 1
    assert len(servers[0].accounts.list()) == 1
    assert len(servers[0].tokens.list(started[0][0])) == 1
    for server in servers:
        server.close()


# Tokens


def test_a_token_is_found_by_its_hash_as_it_was_made(stores: Stores) -> None:
    token = a_token(expires_at=17)
    stores.tokens.create(token)
    assert stores.tokens.find(token.sha256) == token
    assert stores.tokens.find(sha256(b"another").digest()) is None


def test_a_revoked_token_is_gone_when_the_call_returns(stores: Stores) -> None:
    kept, gone = a_token("kept", created_at=1), a_token("gone", created_at=2)
    stores.tokens.create(kept)
    stores.tokens.create(gone)
    assert stores.tokens.list(ACCOUNT) == [kept, gone]
    assert stores.tokens.revoke(ACCOUNT, gone.id) == gone
    assert stores.tokens.find(gone.sha256) is None
    assert stores.tokens.list(ACCOUNT) == [kept]
    with pytest.raises(NotFound):
        stores.tokens.revoke(ACCOUNT, gone.id)


def test_a_token_cannot_be_revoked_from_another_account(stores: Stores) -> None:
    stores.accounts.create(an_account(OTHER))
    stores.tokens.create(a_token())
    with pytest.raises(NotFound):
        stores.tokens.revoke(OTHER, a_token().id)
    assert stores.tokens.list(ACCOUNT) == [a_token()]
    assert stores.tokens.list(OTHER) == []


def test_a_token_needs_an_account_and_a_text_of_its_own(stores: Stores) -> None:
    with pytest.raises(NotFound):
        stores.tokens.create(a_token(account_id=OTHER))
    stores.tokens.create(a_token())
    with pytest.raises(Conflict):
        stores.tokens.create(structs.replace(a_token(), id="0" * 32))
    with pytest.raises(Conflict):
        stores.tokens.create(structs.replace(a_token(), sha256=bytes(32)))


# Sessions


def _a_session(name: str, token_id: str, *, created_at: int = 1, expires_at: int = 100) -> Session:
    return Session(
        sha256=sha256(name.encode()).digest(), token_id=token_id, created_at=created_at, expires_at=expires_at
    )


def test_a_session_is_found_with_its_token_until_either_is_gone(address: str, stores: Stores) -> None:
    token, other = a_token("one", created_at=1), a_token("two", created_at=2)
    stores.tokens.create(token)
    stores.tokens.create(other)
    out, revoked, kept = (_a_session(name, of) for name, of in (("a", token.id), ("b", token.id), ("c", other.id)))
    for session in (out, revoked, kept):
        stores.sessions.create(session, keep=9)
    elsewhere = open_stores(address)  # another process
    try:
        assert elsewhere.sessions.find(out.sha256) == (out, token)
        stores.sessions.delete(out.sha256)
        stores.sessions.delete(out.sha256)
        assert elsewhere.sessions.find(out.sha256) is None
        assert elsewhere.sessions.find(revoked.sha256) == (revoked, token)
        stores.tokens.revoke(ACCOUNT, token.id)
        assert elsewhere.sessions.find(revoked.sha256) is None
        assert elsewhere.sessions.find(kept.sha256) == (kept, other)
    finally:
        elsewhere.close()
    with pytest.raises(NotFound):
        stores.sessions.create(_a_session("d", token.id), keep=9)


def test_sessions_make_room(stores: Stores) -> None:
    token, other = a_token("one", created_at=1), a_token("two", created_at=2)
    stores.tokens.create(token)
    stores.tokens.create(other)
    over = _a_session("over", other.id, expires_at=5)
    stores.sessions.create(over, keep=2)
    made = [_a_session(f"{number}", token.id, created_at=4) for number in range(3)]
    for session in made:
        stores.sessions.create(session, keep=2)
    assert [stores.sessions.find(session.sha256) is not None for session in made] == [False, True, True]
    assert stores.sessions.find(over.sha256) is not None  # another token's, and not over yet
    stores.sessions.create(_a_session("later", token.id, created_at=5), keep=2)
    assert stores.sessions.find(over.sha256) is None


# Gateways


def test_a_gateway_comes_back_with_every_setting(stores: Stores) -> None:
    gateway = a_gateway(
        "full",
        cache_ttl=60,
        log_management=None,
        otel=[{"url": "https://otel.example", "headers": {"a": 1.5}}],
        guardrails={"prompt": {"S1": "BLOCK"}},
        spend_limits={"limit": 2**53 + 1},
        rate_limiting_technique="sliding",
    )
    stores.gateways.create(gateway)
    assert stores.gateways.get(gateway.scope) == gateway


def test_a_gateway_id_is_taken_once_per_account(stores: Stores) -> None:
    with pytest.raises(Conflict) as refused:
        stores.gateways.create(a_gateway(cache_ttl=1))
    assert refused.value.path == ("body", "id")
    assert stores.gateways.get(SCOPE) == a_gateway()
    stores.accounts.create(an_account(OTHER))
    stores.gateways.create(a_gateway(account_id=OTHER))
    with pytest.raises(NotFound):
        stores.gateways.create(a_gateway(account_id="d" * 32))


def test_gateways_are_listed_newest_first_in_pages_with_the_exact_total(empty: Stores) -> None:
    empty.accounts.create(an_account())
    made = [a_gateway(f"g{number}", created_at=number // 3) for number in range(10)]
    for gateway in made:
        empty.gateways.create(gateway)
    seen: list[Gateway] = []
    for offset in range(0, 12, 4):
        page = empty.gateways.list(ACCOUNT, search=None, offset=offset, limit=4)
        assert page.total == 10
        seen += page.items
    assert seen == made[::-1]
    beyond = empty.gateways.list(ACCOUNT, search=None, offset=10**30, limit=10**30)
    assert (beyond.items, beyond.total) == ([], 10)
    assert empty.gateways.list(OTHER, search=None, offset=0, limit=4).total == 0


def test_gateways_are_searched_by_part_of_their_id(stores: Stores) -> None:
    for name in ("alpha_beta", "alphaxbeta", "gamma"):
        stores.gateways.create(a_gateway(name))

    def found(search: str) -> set[str]:
        page = stores.gateways.list(ACCOUNT, search=search, offset=0, limit=10)
        assert page.total == len(page.items)
        return {gateway.id for gateway in page.items}

    assert found("ALPHA") == {"alpha_beta", "alphaxbeta"}
    assert found("a_b") == {"alpha_beta"}
    assert found("%") == set()
    assert found("") == {"alpha_beta", "alphaxbeta", "gamma", SCOPE.gateway_id}


def test_a_gateway_is_replaced_whole(stores: Stores) -> None:
    changed = a_gateway(cache_ttl=9, modified_at=99)
    stores.gateways.replace(changed)
    assert stores.gateways.get(SCOPE) == changed
    with pytest.raises(NotFound):
        stores.gateways.replace(a_gateway("none"))
    assert stores.gateways.list(ACCOUNT, search=None, offset=0, limit=10).total == 1


def test_a_gateway_takes_its_datasets_and_evaluations_with_it(stores: Stores) -> None:
    other = a_gateway("other")
    stores.gateways.create(other)
    for scope in (SCOPE, other.scope):
        stores.datasets.create(a_dataset(scope=scope))
        stores.evaluations.create(an_evaluation(scope=scope))
    assert stores.gateways.delete(SCOPE) == a_gateway()
    assert stores.gateways.get(SCOPE) is None
    stores.gateways.create(a_gateway())
    assert datasets(stores).total == 0
    assert evaluations(stores).total == 0
    assert datasets(stores, other.scope).total == 1
    assert evaluations(stores, other.scope).total == 1
    with pytest.raises(NotFound):
        stores.gateways.delete(Scope(ACCOUNT, "none"))


# Custom providers


def test_a_custom_provider_is_found_by_id_and_by_slug_in_its_account(stores: Stores) -> None:
    provider = a_provider("mine", headers='{"a": "ü"}')
    stores.custom_providers.create(provider)
    assert stores.custom_providers.get(ACCOUNT, provider.id) == provider
    assert stores.custom_providers.find(ACCOUNT, "mine") == provider
    assert stores.custom_providers.get(OTHER, provider.id) is None
    assert stores.custom_providers.find(OTHER, "mine") is None


def test_a_slug_is_taken_once_per_account(stores: Stores) -> None:
    stores.custom_providers.create(a_provider("mine"))
    with pytest.raises(Conflict) as refused:
        stores.custom_providers.create(a_provider("mine"))
    assert refused.value.path == ("body", "slug")
    another = a_provider("another")
    stores.custom_providers.create(another)
    with pytest.raises(Conflict):
        stores.custom_providers.replace(structs.replace(another, slug="mine"))
    stores.accounts.create(an_account(OTHER))
    stores.custom_providers.create(a_provider("mine", account_id=OTHER))
    with pytest.raises(NotFound):
        stores.custom_providers.create(a_provider("mine", account_id="d" * 32))


def test_custom_providers_are_listed_by_position_then_name(stores: Stores) -> None:
    names: list[tuple[str, int | None]] = [("d", None), ("b", 2), ("c", None), ("z", -1), ("a", 2)]
    for name, position in names:
        stores.custom_providers.create(a_provider(name, position=position))
    first = stores.custom_providers.list(ACCOUNT, offset=0, limit=3)
    rest = stores.custom_providers.list(ACCOUNT, offset=3, limit=3)
    assert [provider.name for provider in first.items + rest.items] == ["z", "a", "b", "c", "d"]
    assert first.total == rest.total == 5


def test_a_custom_provider_is_replaced_and_deleted(stores: Stores) -> None:
    provider = a_provider("mine")
    stores.custom_providers.create(provider)
    changed: CustomProvider = structs.replace(provider, slug="renamed", position=3, enable=True)
    stores.custom_providers.replace(changed)
    assert stores.custom_providers.find(ACCOUNT, "mine") is None
    assert stores.custom_providers.find(ACCOUNT, "renamed") == changed
    with pytest.raises(NotFound):
        stores.custom_providers.replace(a_provider("none"))
    with pytest.raises(NotFound):
        stores.custom_providers.delete(OTHER, provider.id)
    assert stores.custom_providers.delete(ACCOUNT, provider.id) == changed
    assert stores.custom_providers.list(ACCOUNT, offset=0, limit=3).total == 0


# Datasets


def datasets(stores: Stores, scope: Scope = SCOPE, **asked: object):
    return stores.datasets.list(
        scope, **{"name": None, "enable": None, "search": None, "offset": 0, "limit": 50, **asked}
    )


def test_a_dataset_comes_back_as_it_was_made(stores: Stores) -> None:
    dataset = a_dataset(
        filters=[
            RawFilter("cost", "gt", [0.1]),
            RawFilter("success", "eq", [True]),
            RawFilter("tokens", "lt", [2**53 + 1]),
            RawFilter("model", "eq", ["gpt-4", None, "ü\n\"'"]),
        ]
    )
    stores.datasets.create(dataset)
    kept = stores.datasets.get(SCOPE, dataset.id)
    assert kept == dataset
    assert [type(value) for each in kept.filters for value in each.value] == [
        type(value) for each in dataset.filters for value in each.value
    ]
    assert stores.datasets.get(Scope(ACCOUNT, "other"), dataset.id) is None
    assert stores.datasets.get(Scope(OTHER, SCOPE.gateway_id), dataset.id) is None


def test_a_dataset_name_is_taken_once_per_gateway(stores: Stores) -> None:
    stores.datasets.create(a_dataset("mine"))
    with pytest.raises(Conflict) as refused:
        stores.datasets.create(a_dataset("mine"))
    assert refused.value.path == ("body", "name")
    another = a_dataset("another")
    stores.datasets.create(another)
    with pytest.raises(Conflict) as refused:
        stores.datasets.replace(structs.replace(another, name="mine"))
    assert refused.value.path == ("body", "name")
    stores.gateways.create(a_gateway("other"))
    stores.datasets.create(a_dataset("mine", scope=Scope(ACCOUNT, "other")))
    with pytest.raises(NotFound):
        stores.datasets.create(a_dataset("mine", scope=Scope(ACCOUNT, "none")))


def test_datasets_are_found_by_name_enable_and_search(stores: Stores) -> None:
    plain = a_dataset("Größe 100%", created_at=1, filters=[RawFilter("provider", "eq", ["openai"])])
    off = a_dataset("size_b", created_at=2, enable=False, filters=[RawFilter("cached", "eq", [True])])
    last = a_dataset("sizeXb", created_at=3, filters=[])
    for dataset in (plain, off, last):
        stores.datasets.create(dataset)

    def found(**asked: object) -> list[str]:
        page = datasets(stores, **asked)
        assert page.total == len(page.items)
        return [dataset.name for dataset in page.items]

    assert found() == ["sizeXb", "size_b", "Größe 100%"]
    assert found(name="size_b") == ["size_b"]
    assert found(name="size") == []
    assert found(enable=False) == ["size_b"]
    assert found(enable=True) == ["sizeXb", "Größe 100%"]
    assert found(search="GRÖSSE") == ["Größe 100%"]
    assert found(search="%") == ["Größe 100%"]
    assert found(search="size_b") == ["size_b"]
    assert found(search="OpenAI") == ["Größe 100%"]
    assert found(search="cached eq true") == ["size_b"]
    assert found(search=last.id[9:].upper()) == ["sizeXb"]
    assert found(search="size", enable=True) == ["sizeXb"]
    page = datasets(stores, offset=1, limit=1)
    assert ([dataset.name for dataset in page.items], page.total) == (["size_b"], 3)


def test_a_dataset_is_replaced_and_deleted(stores: Stores) -> None:
    dataset = a_dataset("mine")
    stores.datasets.create(dataset)
    changed = structs.replace(dataset, name="renamed", enable=False, filters=[], modified_at=99)
    stores.datasets.replace(changed)
    assert stores.datasets.get(SCOPE, dataset.id) == changed
    assert datasets(stores, search="model").total == 0
    assert datasets(stores, enable=False, name="renamed").items == [changed]
    with pytest.raises(NotFound):
        stores.datasets.replace(a_dataset("none"))
    with pytest.raises(NotFound):
        stores.datasets.delete(Scope(ACCOUNT, "other"), dataset.id)
    assert stores.datasets.delete(SCOPE, dataset.id) == changed
    with pytest.raises(NotFound):
        stores.datasets.delete(SCOPE, dataset.id)


def test_an_evaluation_keeps_the_copy_of_a_dataset_that_is_gone(stores: Stores) -> None:
    dataset = a_dataset()
    stores.datasets.create(dataset)
    evaluation = an_evaluation(datasets=[dataset])
    stores.evaluations.create(evaluation)
    stores.datasets.delete(SCOPE, dataset.id)
    assert stores.evaluations.get(SCOPE, evaluation.id) == evaluation


def test_text_that_is_not_unicode_is_refused_and_nothing_kept(stores: Stores) -> None:
    with pytest.raises(BadInput):
        stores.datasets.create(a_dataset("plain", filters=[RawFilter("model", "eq", ["\ud800"])]))
    assert datasets(stores).total == 0


# Evaluations


def evaluations(stores: Stores, scope: Scope = SCOPE, **asked: object):
    return stores.evaluations.list(
        scope, **{"name": None, "processed": None, "search": None, "offset": 0, "limit": 50, **asked}
    )


def test_an_evaluation_name_is_taken_once_per_gateway(stores: Stores) -> None:
    stores.evaluations.create(an_evaluation("mine"))
    with pytest.raises(Conflict) as refused:
        stores.evaluations.create(an_evaluation("mine"))
    assert refused.value.path == ("body", "name")
    with pytest.raises(NotFound):
        stores.evaluations.create(an_evaluation("mine", scope=Scope(ACCOUNT, "none")))


def test_evaluations_are_found_by_name_processed_and_search(stores: Stores) -> None:
    done = an_evaluation("Été", created_at=1, statuses=[ResultStatus.COMPLETED, ResultStatus.FAILED])
    half = an_evaluation("winter", created_at=2, statuses=[ResultStatus.COMPLETED, ResultStatus.RUNNING])
    for evaluation in (done, half):
        stores.evaluations.create(evaluation)

    def found(**asked: object) -> list[str]:
        page = evaluations(stores, **asked)
        assert page.total == len(page.items)
        return [evaluation.name for evaluation in page.items]

    assert found() == ["winter", "Été"]
    assert found(processed=True) == ["Été"]
    assert found(processed=False) == ["winter"]
    assert found(name="winter") == ["winter"]
    assert found(search="ÉTÉ") == ["Été"]
    assert found(search=half.id) == ["winter"]
    assert evaluations(stores, Scope(ACCOUNT, "other")).total == 0


def test_the_oldest_unprocessed_evaluation_is_claimed_first_and_once(stores: Stores) -> None:
    young, old = an_evaluation("young", created_at=20), an_evaluation("old", created_at=10)
    finished = an_evaluation("finished", created_at=1, statuses=[ResultStatus.COMPLETED])
    for evaluation in (young, finished, old):
        stores.evaluations.create(evaluation)
    assert stores.evaluations.claim("a", now_ms=100, lease_ms=10) == old
    assert stores.evaluations.claim("b", now_ms=100, lease_ms=10) == young
    assert stores.evaluations.claim("c", now_ms=109, lease_ms=10) is None


def test_a_lease_that_ran_out_can_be_taken_over_and_its_late_owner_writes_nothing(stores: Stores) -> None:
    evaluation = an_evaluation(statuses=[ResultStatus.QUEUED])
    stores.evaluations.create(evaluation)
    results = [a_result(evaluation.id, ResultStatus.COMPLETED, result="1.5")]
    assert stores.evaluations.claim("slow", now_ms=100, lease_ms=10) == evaluation
    assert stores.evaluations.claim("quick", now_ms=110, lease_ms=10) == evaluation
    assert not stores.evaluations.renew(evaluation, "slow", now_ms=111, lease_ms=10)
    assert not stores.evaluations.save(evaluation, "slow", results, total_logs=7)
    assert stores.evaluations.get(SCOPE, evaluation.id) == evaluation
    assert stores.evaluations.save(evaluation, "quick", results, total_logs=8)
    assert stores.evaluations.get(SCOPE, evaluation.id).total_logs == 8


def test_an_owner_that_nobody_replaced_may_come_back_late(stores: Stores) -> None:
    evaluation = an_evaluation()
    stores.evaluations.create(evaluation)
    stores.evaluations.claim("a", now_ms=100, lease_ms=10)
    assert stores.evaluations.renew(evaluation, "a", now_ms=500, lease_ms=10)
    assert stores.evaluations.claim("b", now_ms=509, lease_ms=10) is None
    assert stores.evaluations.claim("b", now_ms=510, lease_ms=10) == evaluation


def test_progress_is_visible_and_the_last_results_end_the_hold(stores: Stores) -> None:
    evaluation = an_evaluation(statuses=[ResultStatus.QUEUED, ResultStatus.QUEUED], created_at=50)
    stores.evaluations.create(evaluation)
    stores.evaluations.claim("a", now_ms=100, lease_ms=10)
    first, second = evaluation.results
    done = structs.replace(first, status=ResultStatus.COMPLETED, result="0.001", total_logs=3, modified_at=101)
    assert stores.evaluations.save(evaluation, "a", [done, second], total_logs=3)
    seen = stores.evaluations.get(SCOPE, evaluation.id)
    assert (seen.results, seen.total_logs, seen.processed, seen.modified_at) == ([done, second], 3, False, 101)
    assert stores.evaluations.claim("b", now_ms=105, lease_ms=10) is None

    failed = structs.replace(second, status=ResultStatus.FAILED, modified_at=102)
    assert stores.evaluations.save(evaluation, "a", [done, failed], total_logs=3)
    assert stores.evaluations.get(SCOPE, evaluation.id).processed
    assert evaluations(stores, processed=True).total == 1
    assert not stores.evaluations.renew(evaluation, "a", now_ms=106, lease_ms=10)
    assert not stores.evaluations.save(evaluation, "a", [done, failed], total_logs=4)
    assert stores.evaluations.claim("b", now_ms=10**6, lease_ms=10) is None


def test_an_evaluation_deleted_while_it_runs_is_not_written_again(stores: Stores) -> None:
    evaluation = an_evaluation()
    stores.evaluations.create(evaluation)
    stores.evaluations.claim("a", now_ms=100, lease_ms=10)
    assert stores.evaluations.delete(SCOPE, evaluation.id) == evaluation
    assert not stores.evaluations.renew(evaluation, "a", now_ms=101, lease_ms=10)
    assert not stores.evaluations.save(evaluation, "a", evaluation.results, total_logs=1)
    assert evaluations(stores).total == 0
    with pytest.raises(NotFound):
        stores.evaluations.delete(SCOPE, evaluation.id)


def test_an_evaluation_whose_gateway_is_deleted_while_it_runs_is_not_written_again(stores: Stores) -> None:
    evaluation = an_evaluation()
    stores.evaluations.create(evaluation)
    stores.evaluations.claim("a", now_ms=100, lease_ms=10)
    stores.gateways.delete(SCOPE)
    stores.gateways.create(a_gateway())
    assert not stores.evaluations.renew(evaluation, "a", now_ms=101, lease_ms=10)
    assert not stores.evaluations.save(evaluation, "a", evaluation.results, total_logs=1)
    assert evaluations(stores).total == 0


# The version


def test_every_change_of_what_the_data_plane_reads_changes_the_version(stores: Stores) -> None:
    provider, token = a_provider("mine"), a_token()
    changes: list[Callable[[], object]] = [
        lambda: stores.accounts.create(an_account(OTHER)),
        lambda: stores.tokens.create(token),
        lambda: stores.tokens.revoke(ACCOUNT, token.id),
        lambda: stores.gateways.create(a_gateway("new")),
        lambda: stores.gateways.replace(a_gateway("new", cache_ttl=5)),
        lambda: stores.gateways.delete(Scope(ACCOUNT, "new")),
        lambda: stores.custom_providers.create(provider),
        lambda: stores.custom_providers.replace(structs.replace(provider, enable=True)),
        lambda: stores.custom_providers.delete(ACCOUNT, provider.id),
    ]
    seen = {stores.config.version()}
    for count, change in enumerate(changes, start=2):
        change()
        seen.add(stores.config.version())
        assert len(seen) == count
    assert stores.config.version() in seen


def test_the_first_start_changes_the_version_and_a_later_one_does_not_matter(empty: Stores) -> None:
    before = empty.config.version()
    empty.accounts.bootstrap(an_account(), a_token())
    assert empty.config.version() != before


def test_what_the_data_plane_does_not_read_leaves_the_version(stores: Stores) -> None:
    before = stores.config.version()
    stores.datasets.create(a_dataset())
    stores.evaluations.create(an_evaluation())
    stores.evaluations.claim("a", now_ms=1, lease_ms=1)
    with pytest.raises(Conflict):
        stores.gateways.create(a_gateway())
    assert stores.config.version() == before


def test_a_change_through_one_opening_is_seen_through_another(address: str, stores: Stores) -> None:
    another = open_stores(address)
    before = another.config.version()
    stores.tokens.create(a_token())
    assert another.config.version() != before
    assert another.config.version() == stores.config.version()
    another.close()
