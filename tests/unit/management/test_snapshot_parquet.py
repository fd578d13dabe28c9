"""Snapshots as Parquet files through the API."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gaugeway.core import ids
from gaugeway.core.query import Slice, Where
from gaugeway.evaluation.parquet.files import ArrowFiles
from gaugeway.management.paths import ACCOUNT_PREFIX
from gaugeway.management.snapshot_exchange import ExportCut
from support.control_plane import ControlPlane, error

DATASETS = "/gateways/main/datasets"


@pytest.fixture
def snapshots(plane: ControlPlane) -> str:
    plane.make_gateway()
    made = plane.make(DATASETS, {"name": "all", "enable": True, "filters": []})
    return f"{DATASETS}/{made['id']}/snapshots"


LINES: list[dict[str, Any]] = [
    {"content": {"request": f"question {number}", "cost": "0.0012", "provider": "openai"}, "expected": "yes"}
    for number in range(3)
]


def opened(plane: ControlPlane, snapshots: str, name: str, form: str = "plain") -> str:
    return f"{snapshots}/{plane.make(snapshots, {'name': name, 'import_format': form})['id']}"


@pytest.fixture
def source(plane: ControlPlane, snapshots: str) -> str:
    """A snapshot of three items, of which one was erased."""
    path = opened(plane, snapshots, "source")
    plane.make(f"{path}/items", {"items": LINES})
    plane.make(f"{path}/seal", {})
    first = plane.get(f"{path}/items")["result"][0]["log_id"]
    plane.make(f"{path}/erase", {"log_ids": [first]})
    return path


def exported(plane: ControlPlane, path: str) -> bytes:
    answer = plane.call("GET", f"{path}/export?format=parquet")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    return answer.content


def frozen_logs(plane: ControlPlane, snapshots: str, path: str) -> int:
    snapshot = plane.stores.snapshots.get(plane.scope(), path.rpartition("/")[2])
    assert snapshot is not None
    return len(plane.stores.logs.ids(snapshot.source, Where(), Slice(limit=100)))


def test_what_is_exported_is_what_json_lines_have_and_can_be_imported(
    plane: ControlPlane, snapshots: str, source: str
) -> None:
    data = exported(plane, source)
    file = pq.ParquetFile(io.BytesIO(data))
    told = json.loads(file.metadata.metadata[b"gaugeway.snapshot"])
    shown = plane.get(source)["result"]
    assert (told["name"], told["hash"], told["items"]) == ("source", shown["hash"], 3)
    assert [row["erased"] for row in file.read().to_pylist()] == [True, False, False]

    copy = opened(plane, snapshots, "copy")
    added = plane.call("POST", f"{copy}/items/parquet", content=data).json()["result"]
    assert (added["added"], added["skipped_erased"], added["expected"]) == (2, 1, 2)
    lines = plane.call("GET", f"{source}/export").text.splitlines()[1:]
    plane.make(f"{copy}/seal", {})
    again = plane.call("GET", f"{copy}/export").text.splitlines()
    assert [_without_id(one) for one in again] == [_without_id(one) for one in lines]


def _without_id(line: str) -> dict[str, Any]:
    return {**json.loads(line), "log_id": None}


def test_a_page_of_a_file_is_refused(plane: ControlPlane, source: str) -> None:
    for name, value in (("after", ids.to_text(bytes(16))), ("limit", "10")):
        answer = plane.call("GET", f"{source}/export?format=parquet&{name}={value}")
        assert error(answer)[:2] == (7001, ["query", name])


def test_where_the_library_is_missing(plane: ControlPlane, snapshots: str, source: str) -> None:
    data = exported(plane, source)
    copy = opened(plane, snapshots, "copy")
    headers = {"authorization": f"Bearer {plane.text_of('writer')}"}
    prefix = ACCOUNT_PREFIX.replace("{account_id}", plane.account_id)
    with plane.installation.with_parts(parquet=ArrowFiles(installed=lambda: False)) as client:
        answer = client.get(f"{prefix}{source}/export?format=parquet", headers=headers)
        code, where, message = error(answer)
        assert (code, where) == (7001, ["query", "format"])
        assert "pip install 'gaugeway[parquet]'" in message
        refused = client.post(f"{prefix}{copy}/items/parquet", headers=headers, content=data)
        assert "pip install 'gaugeway[parquet]'" in error(refused)[2]


def rows(**columns: list[Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"PAR1 nonsense PAR1", ["body"]),
        (b"", ["body"]),
        (rows(a=[1]), ["body"]),
        (rows(provider=["x"]), ["body", "request"]),
        (
            rows(provider=["x"] * 40, request=["y"] * 40, score=[5.0] * 39 + [101.0]),
            ["body", "rows", 39, "content", "score"],
        ),
        (rows(provider=["x"], request=["y"], hash=["0" * 64]), ["body", "rows", 0, "hash"]),
        (rows(provider=["x"], request=["y"], metadata=["{"]), ["body", "rows", 0, "metadata"]),
        (
            rows(provider=["x"], request=["y"], metadata=['{"a": NaN}']),
            ["body", "rows", 0, "content", "metadata", "a"],
        ),
        (
            rows(provider=["x"], request=["y"], metadata=['{"a": 1e999}']),
            ["body", "rows", 0, "content", "metadata", "a"],
        ),
    ],
)
def test_of_a_wrong_file_nothing_is_kept(plane: ControlPlane, snapshots: str, data: bytes, path: list[Any]) -> None:
    place = opened(plane, snapshots, "x")
    answer = plane.call("POST", f"{place}/items/parquet", content=data)
    assert error(answer)[:2] == (7001, path)
    assert plane.get(place)["result"]["items"] == 0
    assert frozen_logs(plane, snapshots, place) == 0


def test_only_an_open_snapshot_of_the_plain_format_takes_a_file(
    plane: ControlPlane, snapshots: str, source: str
) -> None:
    data = exported(plane, source)
    chats = opened(plane, snapshots, "chats", "chat")
    for place in (source, chats):
        answer = plane.call("POST", f"{place}/items/parquet", content=data)
        assert error(answer)[:2] == (7001, ["params", "snapshot_id"])
    assert plane.call("POST", f"{chats}/items/parquet", content=data, token="reader").status_code == 403
    assert plane.call("POST", f"{chats}/items/parquet", content=b"x" * (64 * 1024 * 1024 + 1)).status_code == 413


def test_a_snapshot_that_is_deleted_meanwhile_leaves_no_whole_file(plane: ControlPlane, snapshots: str) -> None:
    path = opened(plane, snapshots, "many")
    for _ in range(2):
        plane.make(f"{path}/items", {"items": [{"content": {"request": str(number)}} for number in range(600)]})
    plane.make(f"{path}/seal", {})

    class DeletingMeanwhile(ArrowFiles):
        def write(self, lines: Any, notes: Any) -> Any:
            pieces = super().write(lines, notes)
            yield next(pieces)
            plane.call("DELETE", path)
            yield from pieces

    headers = {"authorization": f"Bearer {plane.text_of('writer')}"}
    url = ACCOUNT_PREFIX.replace("{account_id}", plane.account_id) + path + "/export?format=parquet"
    with (
        plane.installation.with_parts(parquet=DeletingMeanwhile()) as client,
        pytest.raises(ExportCut, match="deleted while it was exported"),
    ):
        client.get(url, headers=headers)


def test_bodies_are_text_or_bytes(plane: ControlPlane, snapshots: str) -> None:
    place = opened(plane, snapshots, "x")
    plane.make(f"{place}/items", {"items": [{"content": {"request": {"base64": "/w=="}, "response": "fine"}}]})
    plane.make(f"{place}/seal", {})
    (row,) = pq.read_table(io.BytesIO(exported(plane, place))).to_pylist()
    assert (row["request"], row["request_bytes"], row["response"]) == (None, b"\xff", "fine")
