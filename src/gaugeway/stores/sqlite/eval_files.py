"""Files of evals in `state.db`, each as one zstd frame."""

from __future__ import annotations

from gaugeway.core.errors import Conflict, NotFound, StoreUnusable
from gaugeway.core.evals import Slice
from gaugeway.core.files import MAX_FILES, MAX_TOTAL, EvalFile
from gaugeway.core.model import Scope
from gaugeway.stores.sqlite.compression import Codec, Damaged
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents
from gaugeway.stores.sqlite.parents import require_gateway

_FILES = Documents(EvalFile)
_OF_GATEWAY = "account_id = :account_id AND gateway_id = :gateway_id"
_THE_FILE = f"FROM eval_files WHERE {_OF_GATEWAY} AND id = :id"


class SqliteEvalFiles:
    """An EvalFileStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, file: EvalFile, content: bytes) -> None:
        """See EvalFileStore."""
        frame = Codec().compress(content)
        with self._database.writing() as connection:
            require_gateway(connection, file.scope)
            sql = f"SELECT count(*), coalesce(sum(bytes), 0) FROM eval_files WHERE {_OF_GATEWAY}"  # noqa: S608  constants
            number, total = connection.execute(sql, _bindings(file.scope, "")).fetchall()[0]
            if number >= MAX_FILES or total + file.bytes > MAX_TOTAL:
                raise Conflict(
                    f"A gateway keeps at most {MAX_FILES} files of {MAX_TOTAL >> 20} MiB together, and this one has"
                    f" {number} of {total >> 20} MiB: delete some"
                )
            seq = connection.execute(
                "INSERT INTO eval_files(account_id, gateway_id, id, bytes, document) VALUES(?, ?, ?, ?, ?)"
                " RETURNING seq",
                (file.account_id, file.gateway_id, file.id, file.bytes, _FILES.encode(file)),
            ).get
            connection.execute("INSERT INTO eval_file_content(file, frame) VALUES(?, ?)", (seq, frame))

    def get(self, scope: Scope, file_id: str) -> EvalFile | None:
        """See EvalFileStore."""
        return _FILES.one(self._database.rows(f"SELECT document {_THE_FILE}", _bindings(scope, file_id)))

    def content(self, scope: Scope, file_id: str) -> bytes | None:
        """See EvalFileStore."""
        rows = self._database.rows(
            f"SELECT bytes, frame {_THE_FILE.replace('WHERE', 'JOIN eval_file_content ON file = seq WHERE')}",
            _bindings(scope, file_id),
        )
        if not rows:
            return None
        size, frame = rows[0]
        try:
            return Codec().decompress(frame, size)
        except Damaged as problem:
            raise StoreUnusable(f"the file {file_id} is damaged") from problem

    def list(self, scope: Scope, part: Slice) -> tuple[list[EvalFile], bool]:
        """See EvalFileStore."""
        bindings = {**_bindings(scope, part.after or ""), "limit": part.limit + 1}
        after = ""
        if part.after is not None:
            if self.get(scope, part.after) is None:
                raise NotFound(f"there is no file {part.after[:80]!r}")
            after = f" AND seq {'<' if part.descending else '>'} (SELECT seq {_THE_FILE})"
        way = "DESC" if part.descending else "ASC"
        sql = f"SELECT document FROM eval_files WHERE {_OF_GATEWAY}{after} ORDER BY seq {way} LIMIT :limit"  # noqa: S608
        found = [_FILES.decode(document) for (document,) in self._database.rows(sql, bindings)]
        return found[: part.limit], len(found) > part.limit

    def delete(self, scope: Scope, file_id: str) -> bool:
        """See EvalFileStore."""
        with self._database.writing() as connection:
            connection.execute(f"DELETE {_THE_FILE}", _bindings(scope, file_id))
            return connection.changes() > 0


def _bindings(scope: Scope, file_id: str) -> dict[str, object]:
    return {"account_id": scope.account_id, "gateway_id": scope.gateway_id, "id": file_id}
