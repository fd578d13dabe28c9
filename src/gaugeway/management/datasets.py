"""Datasets: saved filters over a gateway's logs (contract 1.6)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import Response

from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.model import Dataset, Gateway, RawCriterion
from gaugeway.core.query import as_sent, parse_all
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.filters import CriterionBody
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.validation import Body, Name, SearchText

router = APIRouter(prefix="/gateways/{gateway_id}/datasets", tags=["Datasets"])


class DatasetBody(Body):
    """The body of POST and of PUT, which replaces all of it."""

    name: Name
    enable: bool = Field(description="Whether new evaluations may use it.")
    filters: list[CriterionBody] = Field(description="A log belongs to the dataset if it matches all of them.")

    def checked_filters(self) -> list[RawCriterion]:
        """The filters as they were sent; BadInput where one is not possible in a dataset."""
        raw: list[RawCriterion] = [item.to_raw() for item in self.filters]
        parse_all(raw, ("body", "filters"), for_dataset=True)
        return raw


class DatasetList(Paged):
    """The query of a dataset list."""

    name: str | None = None
    enable: bool | None = None
    search: SearchText = None


def show(dataset: Dataset) -> dict[str, Any]:
    """A dataset as the API shows it."""
    return {
        "id": dataset.id,
        "gateway_id": dataset.gateway_id,
        "name": dataset.name,
        "enable": dataset.enable,
        "filters": [as_sent(item) for item in dataset.filters],
        "created_at": to_rfc3339(dataset.created_at),
        "modified_at": to_rfc3339(dataset.modified_at),
    }


def show_embedded(dataset: Dataset) -> dict[str, Any]:
    """A dataset as an evaluation shows the copy it was made from."""
    return {**show(dataset), "account_id": dataset.account_id, "account_tag": dataset.account_id}


def find_enabled(call: Call, gateway: Gateway, dataset_id: str) -> Dataset:
    """The dataset that a body's `dataset_id` names, ready for use; BadInput."""
    dataset = call.parts.datasets.get(gateway.scope, dataset_id)
    if dataset is None:
        raise BadInput("This gateway has no dataset with that id", ("body", "dataset_id"))
    if not dataset.enable:
        message = f"The dataset '{dataset.name}' is not enabled: set its enable to true first"
        raise BadInput(message, ("body", "dataset_id"))
    return dataset


@router.get("", summary="List datasets")
def list_datasets(call: Caller, gateway: NamedGateway, query: Annotated[DatasetList, InQuery()]) -> Response:
    """Newest first. `name` is the whole name; `search` is part of id, name or filters."""
    part = call.parts.datasets.list(
        gateway.scope,
        name=query.name,
        enable=query.enable,
        search=query.search or None,
        offset=query.offset,
        limit=query.per_page,
    )
    return envelope.page([show(item) for item in part.items], query.info(len(part.items), part.total))


@router.post("", summary="Create a dataset", dependencies=[NO_QUERY])
def create_dataset(call: Caller, gateway: NamedGateway, body: DatasetBody) -> Response:
    """Saves the filters; the logs they select keep changing."""
    now = call.parts.clock.now_ms()
    dataset = Dataset(
        account_id=gateway.account_id,
        gateway_id=gateway.id,
        id=call.parts.new_id(),
        name=body.name,
        enable=body.enable,
        filters=body.checked_filters(),
        created_at=now,
        modified_at=now,
    )
    try:
        call.parts.datasets.create(dataset)
    except Conflict as problem:
        raise _name_taken(body.name) from problem
    return envelope.result(show(dataset))


@router.get("/{dataset_id}", summary="Get a dataset", dependencies=[NO_QUERY])
def get_dataset(call: Caller, gateway: NamedGateway, dataset_id: str) -> Response:
    """One dataset."""
    return envelope.result(show(find_dataset(call, gateway, dataset_id)))


@router.put("/{dataset_id}", summary="Replace a dataset", dependencies=[NO_QUERY])
def replace_dataset(call: Caller, gateway: NamedGateway, dataset_id: str, body: DatasetBody) -> Response:
    """Replaces name, filters and enable. Evaluations keep the copy they were made from."""
    before = find_dataset(call, gateway, dataset_id)
    dataset = Dataset(
        account_id=before.account_id,
        gateway_id=before.gateway_id,
        id=before.id,
        name=body.name,
        enable=body.enable,
        filters=body.checked_filters(),
        created_at=before.created_at,
        modified_at=call.parts.clock.now_ms(),
    )
    try:
        call.parts.datasets.replace(dataset)
    except Conflict as problem:
        raise _name_taken(body.name) from problem
    return envelope.result(show(dataset))


@router.delete("/{dataset_id}", summary="Delete a dataset", dependencies=[NO_QUERY])
def delete_dataset(call: Caller, gateway: NamedGateway, dataset_id: str) -> Response:
    """Deletes the filters, not the logs; evaluations keep the copy they were made from."""
    return envelope.result(show(call.parts.datasets.delete(gateway.scope, dataset_id)))


def find_dataset(call: Call, gateway: Gateway, dataset_id: str) -> Dataset:
    """NotFound where the gateway has none of that id."""
    dataset = call.parts.datasets.get(gateway.scope, dataset_id)
    if dataset is None:
        raise NotFound(f"there is no dataset {dataset_id!r}")
    return dataset


def _name_taken(name: str) -> Conflict:
    return Conflict(f"This gateway has a dataset named '{name}' already", ("body", "name"))
