"""`/v1/files` for evals: OpenAI's Files, as its SDKs call them, of the one purpose `evals` (docs/evals.md)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi import Query as InQuery
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.evals import Slice
from gaugeway.core.files import EVALS, MAX_FILE, EvalFile
from gaugeway.core.texts import is_text
from gaugeway.management.envelope import respond
from gaugeway.management.evals_call import EvalCaller
from gaugeway.management.log_bodies import give_back
from gaugeway.management.openai_envelope import page
from gaugeway.management.validation import Query

router = APIRouter(prefix="/v1/files")
MAX_NAME = 256


class FileList(Query):
    """The query of a list of files."""

    after: str | None = None
    limit: int = Field(10_000, ge=1, le=10_000)
    order: Literal["asc", "desc"] = "desc"
    purpose: str | None = None


def show_file(file: EvalFile) -> dict[str, Any]:
    """A file as OpenAI shows it."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": file.created_at // 1000,
        "expires_at": None,
        "filename": file.name,
        "purpose": EVALS,
        "status": "processed",
        "status_details": None,
    }


@router.post("")
async def upload(call: EvalCaller, request: Request) -> Response:
    """Keeps the file of a form. Its lines are looked at when a run takes its items from it."""
    async with request.form(max_files=1, max_fields=8) as form:
        names = [name for name, _ in form.multi_items()]
        for at, name in enumerate(names):
            if name not in ("file", "purpose"):
                raise BadInput("This is not kept to here: leave it out", (name[:80],))
            if name in names[:at]:
                raise BadInput("It is there twice, and only one of them can count", (name,))
        purpose, sent = form.get("purpose"), form.get("file")
        if purpose != EVALS:
            raise BadInput("Files are kept for evals only here: expected purpose=evals", ("purpose",))
        if not isinstance(sent, UploadFile):
            raise BadInput("Expected a file, in a form of the type multipart/form-data", ("file",))
        if sent.size is not None and sent.size > MAX_FILE:
            raise BadInput(f"A file has at most {MAX_FILE >> 20} MiB", ("file",))
        name = sent.filename or "upload"
        if len(name) > MAX_NAME or not is_text(name):
            raise BadInput(f"Its name is longer than {MAX_NAME} characters, or no text", ("file",))
        content = await sent.read()
    if not content:
        raise BadInput("The file is empty", ("file",))
    file = EvalFile(
        account_id=call.scope.account_id,
        gateway_id=call.scope.gateway_id,
        id=call.new_id("file").replace("_", "-"),
        name=name,
        bytes=len(content),
        created_at=call.parts.clock.now_ms(),
    )
    await run_in_threadpool(call.parts.eval_files.create, file, content)
    return respond(show_file(file))


@router.get("")
def list_files(call: EvalCaller, query: Annotated[FileList, InQuery()]) -> Response:
    """Of the gateway; newest first, unless the query says otherwise."""
    if query.purpose not in (None, EVALS):
        return page([], has_more=False)
    part = Slice(after=query.after, limit=query.limit, descending=query.order == "desc")
    found, more = call.parts.eval_files.list(call.scope, part)
    return page([show_file(one) for one in found], has_more=more)


def _named_file(call: EvalCaller, file_id: str) -> EvalFile:
    found = call.parts.eval_files.get(call.scope, file_id)
    if found is None:
        raise _missing(call, file_id)
    return found


NamedFile = Annotated[EvalFile, Depends(_named_file)]
"""The file that the path names; 404 where the gateway has none of that id."""


@router.get("/{file_id}")
def get_file(file: NamedFile) -> Response:
    """One file, without its content."""
    return respond(show_file(file))


@router.get("/{file_id}/content")
def get_content(call: EvalCaller, file: NamedFile) -> Response:
    """The file as it was uploaded."""
    content = call.parts.eval_files.content(call.scope, file.id)
    if content is None:
        raise _missing(call, file.id)
    return give_back(content, "application/octet-stream", file.id, complete=True)


@router.delete("/{file_id}")
def delete_file(call: EvalCaller, file_id: str) -> Response:
    """Runs that took their items from it keep them."""
    if not call.parts.eval_files.delete(call.scope, file_id):
        raise _missing(call, file_id)
    return respond({"id": file_id, "object": "file", "deleted": True})


def _missing(call: EvalCaller, file_id: str) -> NotFound:
    return NotFound(f"there is no file '{file_id[:80]}' in the gateway '{call.scope.gateway_id}'")
