"""docs/compat.md: its tables say what the OpenAI-compatible endpoint does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from gaugeway.core.provider import compatible_of
from gaugeway.providers import load
from gaugeway.providers.translation import (
    anthropic,
    anthropic_answer,
    bedrock,
    bedrock_answer,
    chat,
    cohere,
    cohere_answer,
    embeddings,
    gemini,
    gemini_answer,
)
from gaugeway.proxy.compat import ALIASES, CHAT, EMBEDDINGS, MODELS, serves

PAGE = (Path(__file__).parents[2] / "docs" / "compat.md").read_text()
PROVIDERS = load()


def rows(heading: str) -> list[list[str]]:
    """The cells below a table's first headings."""
    lines = PAGE.partition(f"\n| {heading} |")[2].splitlines()[2:]
    table = lines[: next(number for number, line in enumerate([*lines, ""]) if not line.startswith("|"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_provider_that_is_served_has_its_row_and_no_other() -> None:
    table = {named(row[0])[0].rstrip("/"): row for row in rows("prefix")}
    table.pop("custom-{slug}")
    served = {
        slug for slug, provider in PROVIDERS.items() if serves(provider, CHAT) or serves(provider, EMBEDDINGS)
    }
    assert set(table) == served
    for slug, (prefixes, chats, vectors) in table.items():
        compatible = compatible_of(PROVIDERS[slug])
        assert chats == ("translated" if compatible.chat is None else f"`{compatible.chat}`")
        translated = "\u2013" if compatible.embedding_translation is None else "translated"
        assert vectors == (translated if compatible.embeddings is None else f"`{compatible.embeddings}`")
        aliases = [alias for alias, of in ALIASES.items() if of == slug]
        assert named(prefixes) == [f"{slug}/", *[f"{alias}/" for alias in aliases]]


def test_every_path_is_there() -> None:
    assert {cell for row in rows("path") for cell in named(row[0])} == {
        f"POST compat/{CHAT}",
        f"POST compat/{EMBEDDINGS}",
        "POST compat/responses",
        "POST compat/messages",
        f"GET compat/{MODELS}",
    }


PARAMETERS = {name: row for row in rows("parameter | Anthropic") for name in named(row[0])}


def test_every_parameter_of_embeddings_is_there() -> None:
    named_there = {name for row in rows("parameter | Bedrock: `amazon.titan-embed-…`") for name in named(row[0])}
    assert named_there == set(embeddings.EmbeddingsRequest.__struct_fields__) - {"model"}


NOT_SAID = {"model"}  # what the page is about


@pytest.mark.parametrize("name", sorted(set(chat.ChatRequest.__struct_fields__) - NOT_SAID))
def test_every_parameter_is_there(name: str) -> None:
    assert name in PARAMETERS or f"{name}.include_usage" in PARAMETERS


@pytest.mark.parametrize(
    ("column", "refused"),
    [(1, anthropic.REFUSED), (2, gemini.REFUSED), (3, bedrock.REFUSED), (4, cohere.REFUSED)],
    ids=["anthropic", "gemini", "bedrock", "cohere"],
)
def test_what_is_refused_is_said_to_be(column: int, refused: dict[str, str]) -> None:
    for name in refused:
        assert re.search("refused|only", PARAMETERS[name][column]), name


def test_figures_and_reasons_are_the_ones_in_use() -> None:
    assert str(anthropic.DEFAULT_MAX_TOKENS) in PARAMETERS["max_tokens"][1]
    for budget in gemini.BUDGETS.values():
        assert str(budget) in PARAMETERS["reasoning_effort"][2]
    said = {named(row[0])[-1]: row for row in rows("OpenAI's") if named(row[0])}
    answers = (anthropic_answer, gemini_answer, bedrock_answer, cohere_answer)
    for column, reasons in enumerate((answer.FINISH_REASONS for answer in answers), 1):
        for theirs, ours in reasons.items():
            assert theirs in named(said[ours][column])


def test_the_example_is_python() -> None:
    ast.parse(PAGE.partition("```python\n")[2].partition("```")[0])
