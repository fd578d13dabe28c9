"""A command's evaluation or replay on a server: what it is about, and what stays behind where it is broken off."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from gaugeway.cli.client import Management, Refused, Unreachable
from gaugeway.cli.output import print_error, print_note, print_warning
from gaugeway.cli.waiting import SoFar, wait_for_end
from gaugeway.core.errors import BadInput, GaugewayError, NotFound
from gaugeway.core.model import RawCriterion, ResultStatus
from gaugeway.core.query import as_sent

MAX_DATASETS = 5
MAX_NAME = 256
FAILED = 1
REFUSED = 2
INTERRUPTED = 130


@contextmanager
def telling_what_is_left(left: dict[str, str]) -> Generator[None]:
    """End the command where it is interrupted or the server is not reached, with what then stays behind there."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        print_note("; ".join(["interrupted", *left.values()]))
        raise typer.Exit(INTERRUPTED) from interrupt
    except (Unreachable, TimeoutError) as problem:
        print_error(str(problem))
        for trace in left.values():
            print_note(trace)
        raise typer.Exit(FAILED if left else REFUSED) from problem


class Run:
    """One evaluation on a server. `left` says at each moment what would stay behind if we went away."""

    def __init__(self, management: Management, path: str, left: dict[str, str]) -> None:
        self._management = management
        self._path = path
        self._left = left

    def choose_types(self, wanted: Sequence[str]) -> list[dict[str, Any]]:
        """The evaluation types of these names or ids, else those over columns. BadInput for an unknown one."""
        known = [kind for kind in self._management.get_all("/evaluation-types") if kind["enable"]]
        if not wanted:
            return [kind for kind in known if kind["type"] == "aggregate"]
        chosen: list[dict[str, Any]] = []
        for word in wanted:
            matches = [kind for kind in known if word in (kind["id"], kind["name"])]
            if not matches:
                names = ", ".join(kind["id"] for kind in known)
                raise BadInput(f"--evaluator: there is no evaluator {word!r} here; there is: {names}")
            chosen += [kind for kind in matches[:1] if kind not in chosen]
        return chosen

    @contextmanager
    def datasets(self, names: Sequence[str], filters: Sequence[RawCriterion], label: str) -> Generator[list[str]]:
        """The ids of the datasets to use; one made for the moment is deleted again, whatever happens."""
        if names:
            yield self._find(names)
            return
        called = f"for {label}"[:MAX_NAME]
        self._left["dataset"] = f"the dataset {called!r} may be there now"
        body = [as_sent(one) for one in filters]
        made = self._post("dataset", "/datasets", {"name": called, "enable": True, "filters": body})
        self._left["dataset"] = f"the dataset {called!r} ({made['id']}) is still there"
        try:
            yield [made["id"]]
        finally:
            try:
                self._management.delete(f"{self._path}/datasets/{made['id']}")
                del self._left["dataset"]
            except GaugewayError as problem:
                print_warning(f"{self._left.pop('dataset')}: {problem}")

    def create(self, label: str, dataset_ids: list[str], type_ids: list[str]) -> dict[str, Any]:
        """The evaluation, begun."""
        self._left["evaluation"] = f"the evaluation {label!r} may be there now"
        body = {"name": label, "dataset_ids": dataset_ids, "evaluation_type_ids": type_ids}
        made: dict[str, Any] = self._post("evaluation", "/evaluations", body)
        url = self._management.url(f"{self._path}/evaluations/{made['id']}")
        self._left["evaluation"] = f"the evaluation {label!r} goes on in the server: GET {url}"
        return made

    def follow(self, evaluation: dict[str, Any], timeout: float) -> dict[str, Any]:
        """The evaluation when every result is terminal; shows how far it is. TimeoutError."""
        return wait_for_end(
            evaluation,
            lambda: self._management.get(f"{self._path}/evaluations/{evaluation['id']}"),
            _so_far,
            timeout,
        )

    def _post(self, what: str, path: str, body: dict[str, Any]) -> Any:
        try:
            return self._management.post(self._path + path, body)
        except Refused:
            del self._left[what]  # the server said that it made nothing
            raise

    def _find(self, names: Sequence[str]) -> list[str]:
        if len(names) > MAX_DATASETS:
            raise BadInput(f"--dataset: at most {MAX_DATASETS}, not {len(names)}")
        known = self._management.get_all(f"{self._path}/datasets")
        found: list[str] = []
        for word in names:
            matches = [item["id"] for item in known if word in (item["id"], item["name"])]
            matches = matches or self._find_snapshot(word, known)
            if not matches:
                shown = ", ".join(repr(item["name"]) for item in known[:20]) or "none"
                raise NotFound(f"--dataset: there is no dataset {word!r} in this gateway; there is: {shown}")
            found += matches[:1]
        return found

    def _find_snapshot(self, word: str, datasets: Sequence[dict[str, Any]]) -> list[str]:
        """The ids of the snapshots that DATASET@SNAPSHOT means."""
        called, _, wanted = word.rpartition("@")
        return [
            snapshot["id"]
            for dataset in datasets
            if called in (dataset["id"], dataset["name"])
            for snapshot in self._management.get_all(f"{self._path}/datasets/{dataset['id']}/snapshots")
            if wanted in (snapshot["id"], snapshot["name"])
        ]


def _so_far(evaluation: dict[str, Any]) -> SoFar:
    results = evaluation["results"]
    ended = sum(ResultStatus(result["status"]).is_terminal for result in results)
    return SoFar(_now_running(evaluation), ended, len(results) or None)


def _now_running(evaluation: dict[str, Any]) -> str:
    running = [result for result in evaluation["results"] if result["status"] == ResultStatus.RUNNING]
    if not running:
        return f"{evaluation['total_logs']} logs"
    name, left = running[0]["evaluation_type_id"], running[0].get("pending")
    return f"{evaluation['total_logs']} logs, {name}" + (f", {left} to be judged" if left else "")
