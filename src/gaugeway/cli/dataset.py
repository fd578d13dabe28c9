"""`gaugeway dataset`: datasets and their snapshots, on a running server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer

from gaugeway.cli.client import Management
from gaugeway.cli.filters import parse_filter
from gaugeway.cli.item_files import (
    Piece,
    check_form,
    check_hashes,
    checked_line,
    checked_rows,
    new_file,
    old_file,
    pieces,
)
from gaugeway.cli.options import AccountId, ApiToken, AsJson, BaseUrl, connect
from gaugeway.cli.output import Column, print_json, print_note, print_table, print_warning
from gaugeway.cli.runs import FAILED
from gaugeway.cli.waiting import SoFar, wait_for_end
from gaugeway.core.errors import BadInput, GaugewayError, NotFound
from gaugeway.core.model import Join
from gaugeway.core.query import as_sent
from gaugeway.core.snapshots import PARQUET, PLAIN

Form = Literal["plain", "evals", "chat", "parquet"]
GatewayId = Annotated[str, typer.Option("--gateway", metavar="ID", help="The gateway.")]
DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="Its name or id.")]
SnapshotName = Annotated[str, typer.Argument(metavar="SNAPSHOT", help="Its name or id.")]
Formed = Annotated[
    Form,
    typer.Option(
        "--format",
        help="plain: all there is of the items; evals: OpenAI's evals, {input, ideal}; chat: OpenAI's fine-tuning,"
        " {messages}; parquet: all there is, as typed columns (needs gaugeway[parquet]).",
    ),
]
_COLUMNS = (
    Column("dataset", style="bold"),
    Column("filters"),
    Column("snapshot"),
    Column("status"),
    Column("items", right=True),
    Column("erased", right=True),
    Column("expected", right=True),
    Column("hash"),
)
_CREATED = (Column("id", whole=True), Column("dataset", style="bold"))
_JOINING = {Join.ALL_OF: "and", Join.ANY_OF: "or", Join.NONE_OF: "or"}


def show(
    *,
    gateway: GatewayId,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """List a gateway's datasets with their snapshots."""
    here = _Here(connect(base_url, token, account), gateway)
    found = [{**each, "snapshots": here.snapshots(each)} for each in here.datasets()]
    if as_json:
        print_json(found)
        return
    rows: list[list[str]] = []
    for each in found:
        filters = " and ".join(_readable(item) for item in each["filters"]) or "all logs"
        name = str(each["name"]) if each["enable"] else f"{each['name']} (not enabled)"
        of_each = [_of_snapshot(one) for one in each["snapshots"]] or [["-"] * 6]
        rows.extend([name, filters, *cells] for cells in of_each)
    print_table(_COLUMNS, rows)


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Unique in its gateway.")],
    *,
    gateway: GatewayId,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="EXPRESSION", help="Only logs that match; may be repeated (all must)."),
    ] = None,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Save filters as a dataset."""
    checked = [parse_filter(text) for text in filters or []]
    here = _Here(connect(base_url, token, account), gateway)
    body = [as_sent(one) for one in checked]
    made = here.management.post(f"{here.path}/datasets", {"name": name, "enable": True, "filters": body})
    _tell(made, as_json=as_json)


def snapshot(
    dataset: DatasetName,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The snapshot's; unique in its dataset.")],
    *,
    gateway: GatewayId,
    deduplicate: Annotated[bool, typer.Option(help="Of logs with equal requests take the oldest.")] = False,
    sample: Annotated[int | None, typer.Option(metavar="N", help="Take so many items, by chance.")] = None,
    per_group: Annotated[
        int | None, typer.Option(metavar="N", help="Take so many items of each group of --by.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Groups by model, provider or metadata.NAME, each with its share."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the sample and the split.")] = 0,
    part: Annotated[str | None, typer.Option(metavar="NAME", help="The part of a split to take.")] = None,
    share: Annotated[
        list[str] | None,
        typer.Option(metavar="PART=N", help="A part's share. Without any: train=80, test=20."),
    ] = None,
    redact: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="email, phone, credit_card, iban, ip_address, us_ssn; repeatable."),
    ] = None,
    redact_pattern: Annotated[
        list[str] | None, typer.Option(metavar="RE2", help="Take out what matches; repeatable.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait until it is ready.")] = True,
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Freeze a dataset: what it selects now, with bodies and feedback, for good.

    Exit code 1 when it failed.
    """
    here = _Here(connect(base_url, token, account), gateway)
    body: dict[str, Any] = {"name": name, "deduplicate": deduplicate}
    body["redact"] = [{"kind": kind} for kind in redact or []]
    body["redact"] += [{"pattern": pattern} for pattern in redact_pattern or []]
    if sample is not None or per_group is not None:
        body["sample"] = {"size": sample, "per_group": per_group, "by": by, "seed": seed}
    elif by is not None:
        raise BadInput("--by belongs to --sample or --per-group")
    if part is not None:
        body["split"] = {"part": part, "shares": _shares(share or ["train=80", "test=20"]), "seed": seed}
    elif share:
        raise BadInput("--share belongs to --part, which says the part to take")
    path = f"{here.path}/datasets/{here.dataset(dataset)['id']}/snapshots"
    made = here.management.post(path, body)
    if wait:
        one = f"{path}/{made['id']}"
        made = wait_for_end(made, lambda: here.management.get(one), _so_far, has_ended=_has_ended)
    _tell(made, as_json=as_json)
    if made["status"] == "failed":
        raise typer.Exit(FAILED)


def _so_far(snapshot: dict[str, Any]) -> SoFar:
    return SoFar(snapshot["status"], 0, None)


def _has_ended(snapshot: dict[str, Any]) -> bool:
    return snapshot["status"] not in ("queued", "running")


def export(
    dataset: DatasetName,
    snapshot: SnapshotName,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A new file; -: standard output.")],
    *,
    gateway: GatewayId,
    form: Formed = "plain",
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
) -> None:
    """Write a snapshot's items to a file, a line or a row each.

    A plain or Parquet export computes all hashes anew; exit code 2, and no file, when one differs.
    """
    check_form(form, file)
    here = _Here(connect(base_url, token, account), gateway)
    chosen = here.snapshot(here.dataset(dataset), snapshot)
    path = f"{here.path}/datasets/{chosen['dataset_id']}/snapshots/{chosen['id']}/export"
    if form == PARQUET:
        written = _export_parquet(here.management, path, file, chosen["hash"])
        print_note(f"{written} items, every hash is right")
        return
    hashes: list[str] = []
    written = left_out = 0
    with new_file(file) as target:
        for page in here.management.pages(path, format=form):
            lines = page.content.splitlines(keepends=True)
            if form == PLAIN:
                hashes += [checked_line(line) for line in lines]
            target.writelines(lines)
            written, left_out = written + len(lines), left_out + page.left_out
        if form == PLAIN:
            check_hashes(hashes, chosen["hash"])
    print_note(f"{written} items" + (", every hash is right" if form == PLAIN else ""))
    if left_out:
        print_warning(f"{left_out} items cannot be in the format {form} and were left out")


def _export_parquet(management: Management, path: str, file: str, wanted: str) -> int:
    """Write the file and read it again; how many rows it has."""
    with new_file(file) as target:
        target.writelines(management.download(path, format=PARQUET))
        target.flush()
        hashes = checked_rows(file)
        check_hashes(hashes, wanted)
    return len(hashes)


def import_file(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Its name or id; made where it is new.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The snapshot's; unique in its dataset.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file; -: standard input.")],
    *,
    gateway: GatewayId,
    form: Formed = "plain",
    base_url: BaseUrl = None,
    token: ApiToken = None,
    account: AccountId = None,
    as_json: AsJson = False,
) -> None:
    """Make a snapshot of a file's lines or rows.

    A dataset that is made for it selects nothing live: it is not enabled.
    """
    check_form(form, file)
    here = _Here(connect(base_url, token, account), gateway)
    with old_file(file) as source:
        read = pieces(form, file, source)
        first = next(read)  # what cannot be read makes nothing
        parent = here.dataset_or_new(dataset)
        path = f"{here.path}/datasets/{parent['id']}/snapshots"
        made = here.management.post(path, {"name": name, "import_format": PLAIN if form == PARQUET else form})
        try:
            added = skipped = 0
            for start, items in _chain(first, read):
                try:
                    told = here.management.post(f"{path}/{made['id']}/items", {"items": items})
                except GaugewayError as problem:
                    what = "rows" if form == PARQUET else "lines"
                    raise BadInput(f"{file}: items of the {what} from {start} on: {problem}") from problem
                added, skipped = added + told["added"], skipped + told["skipped_erased"]
            made = here.management.post(f"{path}/{made['id']}/seal", {})
        except BaseException:
            here.management.delete(f"{path}/{made['id']}")
            raise
    _tell(made, as_json=as_json)
    if skipped:
        print_warning(f"{skipped} erased items are in the file and were passed over")


class _Here:
    """The datasets of one gateway."""

    def __init__(self, management: Management, gateway: str) -> None:
        self.management = management
        self.path = f"/gateways/{quote(gateway, safe='')}"

    def datasets(self) -> list[dict[str, Any]]:
        return self.management.get_all(f"{self.path}/datasets")

    def snapshots(self, dataset: dict[str, Any]) -> list[dict[str, Any]]:
        return self.management.get_all(f"{self.path}/datasets/{dataset['id']}/snapshots")

    def dataset(self, word: str) -> dict[str, Any]:
        """The dataset of that name or id; NotFound."""
        known = self.datasets()
        return _named(word, known, "dataset in this gateway")

    def dataset_or_new(self, word: str) -> dict[str, Any]:
        """The same, made where there is none."""
        try:
            return self.dataset(word)
        except NotFound:
            body: dict[str, Any] = {"name": word, "enable": False, "filters": []}
            return self.management.post(f"{self.path}/datasets", body)

    def snapshot(self, dataset: dict[str, Any], word: str) -> dict[str, Any]:
        """The dataset's snapshot of that name or id; NotFound."""
        return _named(word, self.snapshots(dataset), "snapshot of this dataset")


def _named(word: str, known: Sequence[dict[str, Any]], what: str) -> dict[str, Any]:
    for field in ("id", "name"):
        for one in known:
            if one[field] == word:
                return one
    shown = ", ".join(repr(one["name"]) for one in known[:20]) or "none"
    raise NotFound(f"there is no {word!r} among the {what.partition(' ')[0]}s; there is: {shown}")


def _shares(texts: Sequence[str]) -> dict[str, int]:
    shares: dict[str, int] = {}
    for text in texts:
        part, equals, number = text.rpartition("=")
        if not (part and equals and number.isdecimal()):
            raise BadInput(f"--share: expected PART=N, such as test=20, not {text!r}")
        shares[part] = int(number)
    return shares


def _readable(item: dict[str, Any]) -> str:
    for join, word in _JOINING.items():
        if join in item:
            inner = f" {word} ".join(map(_readable, item[join]))
            return f"not ({inner})" if join == Join.NONE_OF else f"({inner})"
    values = item["value"]
    return f"{item['key']} {item['operator']} {values[0] if len(values) == 1 else values}"


def _of_snapshot(one: dict[str, Any]) -> list[str]:
    counts = [str(one[name]) for name in ("items", "erased", "expected")]
    return [one["name"], one["status"], *counts, (one["hash"] or "-")[:16]]


def _tell(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    if "status" not in made:
        print_table(_CREATED, [[made["id"], made["name"]]])
        return
    print_table(_COLUMNS[2:], [_of_snapshot(made)])
    tally = made["tally"]
    left = {name: tally[name] for name in tally if name not in ("selected", "redacted") and tally[name]}
    told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in left.items())
    print_note(f"snapshot {made['id']}: {made['status_description']}" + (f" ({told})" if told else ""))


def _chain(first: Piece, others: Iterable[Piece]) -> Iterator[Piece]:
    yield first
    yield from others
