"""A route's elements as a graph that every request finds its way through."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import sha256

import msgspec

from gaugeway.core.errors import BadInput, Path
from gaugeway.core.routes.conditions import Condition, read_conditions
from gaugeway.core.routes.elements import (
    Conditional,
    Element,
    End,
    ModelElement,
    Output,
    Percentage,
    RateElement,
    Start,
    read_elements,
)
from gaugeway.core.routes.values import METADATA, ValuePath, read_path
from gaugeway.core.spending import MAX_LIMIT

SMALLEST_BUDGET = 1e-12
"""Dollars; what money is counted in."""

MAX_SHARES = 5
"""Outputs of a percentage beside `else`."""
ELSE = "else"
NAMED_BY_REQUEST = "custom"
"""The provider of a model element whose `{provider}/{model}` stands in the request's metadata."""

_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%")
_WHOLE = Decimal(100)


class Graph:
    """A route that may be followed: it has one start, no loop, no way that leads nowhere."""

    def __init__(self, elements: Sequence[Element]) -> None:
        self.elements = {element.id: element for element in elements}
        self.start = next(element for element in elements if isinstance(element, Start))
        self.conditions: Mapping[str, Condition] = {}
        self.keys: Mapping[str, ValuePath | None] = {}
        """By a rate's or a model's id: what in the request it goes by; None: nothing."""
        self._shares: dict[str, list[tuple[float, str]]] = {}
        self._leads_to_model: dict[str, bool] = {}

    def choose(self, element: Percentage, fraction: float) -> str:
        """The id of the element that a number in [0, 1) leads to."""
        shares = self._shares.get(element.id)
        if shares is None:
            shares = self._shares[element.id] = _cumulated(element)
        return next((target for upper, target in shares if fraction < upper), shares[-1][1])

    def leads_to_model(self, element_id: str) -> bool:
        """Whether any way from there comes to a model."""
        known = self._leads_to_model.get(element_id)
        if known is None:
            element = self.elements[element_id]
            known = isinstance(element, ModelElement) or any(
                self.leads_to_model(output.element_id) for _, output in outputs_of(element)
            )
            self._leads_to_model[element_id] = known
        return known


def read_graph(text: str | bytes) -> Graph:
    """The graph of elements as they are kept; raises BadInput, see `check_graph`."""
    return check_graph(read_elements(msgspec.json.decode(text)))


def check_graph(elements: Sequence[Element]) -> Graph:
    """The graph of these elements; raises BadInput whose path begins with the index of the one that is wrong."""
    places: dict[str, int] = {}
    for index, element in enumerate(elements):
        if element.id in places:
            raise BadInput(f"There is another element with the id '{element.id}'", (index, "id"))
        places[element.id] = index
    starts = [index for index, element in enumerate(elements) if isinstance(element, Start)]
    if len(starts) != 1:
        message = f"Expected one element of the type 'start', not {len(starts)}"
        raise BadInput(message, (starts[1], "type") if starts else ())
    graph = Graph(elements)
    for index, element in enumerate(elements):
        _check_outputs(graph, index, element)
    _refuse_loops(graph, places)
    graph.conditions = {
        element.id: read_conditions(element.properties.conditions, (index, "properties", "conditions"))
        for index, element in enumerate(elements)
        if isinstance(element, Conditional)
    }
    graph.keys = {
        element.id: _key_of(element, (index, "properties"))
        for index, element in enumerate(elements)
        if isinstance(element, RateElement | ModelElement)
    }
    if not graph.leads_to_model(graph.start.id):
        raise BadInput("No way from the start comes to a model", (starts[0], "outputs"))
    return graph


def outputs_of(element: Element) -> Iterator[tuple[str, Output]]:
    """An element's outputs with their labels."""
    match element:
        case Start():
            yield "next", element.outputs.next
        case Conditional():
            yield "true", element.outputs.true_
            yield "false", element.outputs.false_
        case RateElement() | ModelElement():
            yield "success", element.outputs.success
            yield "fallback", element.outputs.fallback
        case Percentage() | End():
            yield from element.outputs.items()


def fraction_of(route_id: str, element_id: str, stickiness: str) -> float:
    """The number in [0, 1) that a stickiness key always gets at an element, and others evenly."""
    digest = sha256(f"{route_id}\0{element_id}\0{stickiness}".encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:8]) >> 11) / (1 << 53)


def _check_outputs(graph: Graph, index: int, element: Element) -> None:
    for label, output in outputs_of(element):
        at = (index, "outputs", label)
        target = graph.elements.get(output.element_id)
        if target is None:
            raise BadInput(f"There is no element '{output.element_id}' to lead to", (*at, "elementId"))
        if isinstance(element, End):
            raise BadInput("An end leads nowhere: it can have no outputs", at)
        if isinstance(element, ModelElement) and label == "success" and not isinstance(target, End):
            message = "A model that answered ends the route: its success can lead to an end only"
            raise BadInput(message, (*at, "elementId"))
    if isinstance(element, Percentage):
        _check_shares(element, (index, "outputs"))
    if isinstance(element, RateElement):
        _check_limit(element, (index, "properties", "limit"))


def _check_shares(element: Percentage, at: Path) -> None:
    total = Decimal(0)
    for label in element.outputs:
        share = _share_of(label)
        if share is None:
            raise BadInput(f"'{label[:32]}' is no share: expected '10%', '2.5%' … or 'else'", (*at, label))
        total += share
    if not element.outputs or len(element.outputs.keys() - {ELSE}) > MAX_SHARES:
        raise BadInput(f"Expected 1 to {MAX_SHARES} shares and an 'else'", at)
    if total > _WHOLE:
        raise BadInput(f"The shares are {total}% in all, which is more than 100%", at)
    if total < _WHOLE and ELSE not in element.outputs:
        raise BadInput(f"The shares are {total}% in all, and no 'else' says where the rest goes", at)


def _share_of(label: str) -> Decimal | None:
    """Percents; 0 for `else`; None where the label is neither."""
    if label == ELSE:
        return Decimal(0)
    match = _SHARE.fullmatch(label)
    share = Decimal(match[1]) if match else Decimal(0)
    return share if 0 < share <= _WHOLE else None


def _cumulated(element: Percentage) -> list[tuple[float, str]]:
    shares: list[tuple[float, str]] = []
    total = Decimal(0)
    for label, output in element.outputs.items():
        if label != ELSE:
            total += _share_of(label) or 0
            shares.append((float(total / _WHOLE), output.element_id))
    if ELSE in element.outputs:
        shares.append((1.0, element.outputs[ELSE].element_id))
    return shares


def _check_limit(element: RateElement, at: Path) -> None:
    limit = element.properties.limit
    if element.properties.limit_type == "count":
        if not isinstance(limit, int) or not 1 <= limit <= 10**12:
            raise BadInput("Expected a whole number of requests, at least 1", at)
    elif not SMALLEST_BUDGET <= limit <= MAX_LIMIT:
        raise BadInput(f"Expected an amount of dollars above 0, at most {MAX_LIMIT}", at)


def _key_of(element: RateElement | ModelElement, at: Path) -> ValuePath | None:
    if isinstance(element, RateElement):
        key = element.properties.key
        return read_path(key, (*at, "key")) if key else None
    if element.properties.provider != NAMED_BY_REQUEST:
        return None
    path = read_path(element.properties.model, (*at, "model"))
    if path.root != METADATA:
        raise BadInput("The model of the provider 'custom' is named by the request's metadata.*", (*at, "model"))
    return path


def _refuse_loops(graph: Graph, places: Mapping[str, int]) -> None:
    done: set[str] = set()
    for first in graph.elements:
        way: list[tuple[str, Iterator[tuple[str, Output]]]] = []
        on_way: set[str] = set()
        if first in done:
            continue
        way.append((first, outputs_of(graph.elements[first])))
        on_way.add(first)
        while way:
            element_id, outputs = way[-1]
            label, output = next(outputs, (None, None))
            if output is None:
                way.pop()
                on_way.discard(element_id)
                done.add(element_id)
            elif output.element_id in on_way:
                message = f"This leads back to '{output.element_id}': a route may have no loop"
                raise BadInput(message, (places[element_id], "outputs", label or "", "elementId"))
            elif output.element_id not in done:
                way.append((output.element_id, outputs_of(graph.elements[output.element_id])))
                on_way.add(output.element_id)
