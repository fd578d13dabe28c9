"""Golden cases of the evaluators that look at the answer alone, from their definitions."""

from __future__ import annotations

import pytest

from gaugeway.core.errors import BadInput
from gaugeway.core.samples import Message
from support.samples import EVALUATORS, SKIPPED, marked, sample, score

REGEX = [
    ("abc", {"pattern": "b"}, 100),
    ("abc", {"pattern": "d"}, 0),
    ("abc", {"pattern": "B"}, 0),
    ("abc", {"pattern": "B", "ignore_case": True}, 100),
    ("abc", {"pattern": "b", "whole": True}, 0),
    ("abc", {"pattern": "a.c", "whole": True}, 100),
    ("abc", {"pattern": "d", "negate": True}, 100),
    ("abc", {"pattern": "b", "negate": True}, 0),
    ("a\nb", {"pattern": "^b"}, 0),
    ("a\nb", {"pattern": "(?m)^b"}, 100),
    ("", {"pattern": "^$"}, 100),
    ("straße", {"pattern": r"\pL{6}"}, 100),
    ("2026-11-26", {"pattern": r"\d{4}-\d{2}-\d{2}"}, 100),
    ("a" * 50_000 + "!", {"pattern": "(a+)+$"}, 0),  # linear, whatever the pattern
    ("ab" * 20, {"pattern": "(ab){20}", "whole": True}, 100),
    ("naïve 😀", {"pattern": "😀$"}, 100),
]


@pytest.mark.parametrize(("answer", "parameters", "says"), REGEX)
def test_regex(answer, parameters, says):
    assert score("regex", sample(answer), **parameters) == says


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "[z-a]", "a{100000}"])
def test_a_pattern_that_re2_does_not_take_is_refused(pattern):
    with pytest.raises(BadInput, match="RE2"):
        EVALUATORS["regex"].configured({"pattern": pattern})


JSON = [
    ("{}", {}, 100),
    ("[]", {}, 100),
    ("null", {}, 100),
    ('"text"', {}, 100),
    ("12.5e3", {}, 100),
    (' \n{"a": [1, true]}\n', {}, 100),
    ("", {}, 0),
    ("{", {}, 0),
    ("{} {}", {}, 0),
    ("{'a': 1}", {}, 0),
    ('{"a": 1,}', {}, 0),
    ("NaN", {}, 0),
    ("01", {}, 0),
    ('Sure: {"a": 1}', {}, 0),
    ('```json\n{"a": 1}\n```', {}, 0),
    ('```json\n{"a": 1}\n```', {"allow_fence": True}, 100),
    ('```\n{"a": 1}\n```\n', {"allow_fence": True}, 100),
    ('Here:\n```json\n{"a": 1}\n```', {"allow_fence": True}, 0),
]


@pytest.mark.parametrize(("answer", "parameters", "says"), JSON)
def test_json_validity(answer, parameters, says):
    assert score("json_validity", sample(answer), **parameters) == says


PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 1}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name"],
    "additionalProperties": False,
}
SCHEMA = [
    ('{"name": "Ada"}', PERSON, 100),
    ('{"name": "Ada", "age": 36}', PERSON, 100),
    ('{"name": "Ada", "age": "36"}', PERSON, 0),
    ('{"name": "Ada", "age": 36.5}', PERSON, 0),
    ('{"name": "Ada", "age": 36.0}', PERSON, 100),  # an integer by JSON Schema
    ('{"name": "Ada", "age": -1}', PERSON, 0),
    ('{"name": ""}', PERSON, 0),
    ("{}", PERSON, 0),
    ('{"name": "Ada", "x": 1}', PERSON, 0),
    ("[]", PERSON, 0),
    ("not json", PERSON, 0),
    ("1", {"enum": [1, 2]}, 100),
    ("3", {"enum": [1, 2]}, 0),
    ("[1, 1]", {"uniqueItems": True}, 0),
    ('{"a": {"b": 1}}', {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"required": ["c"]}}}, 0),
    ('{"a": {"c": 1}}', {"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"required": ["c"]}}}, 100),
    ("{}", {}, 100),
    ("5", {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 5, "exclusiveMinimum": True}, 0),
    ("5", {"minimum": 5}, 100),
]


@pytest.mark.parametrize(("answer", "schema", "says"), SCHEMA)
def test_json_schema(answer, schema, says):
    assert score("json_schema", sample(answer), schema=schema) == says


def test_a_schema_says_where_an_answer_breaks_it():
    found = marked("json_schema", sample('{"name": "Ada", "age": "36"}'), schema=PERSON)
    assert found.note.startswith("$.age: ")


@pytest.mark.parametrize("schema", [{"type": "strin"}, {"minimum": "5"}, {"required": "name"}])
def test_what_is_no_schema_is_refused(schema):
    with pytest.raises(BadInput, match="no JSON Schema at schema"):
        EVALUATORS["json_schema"].configured({"schema": schema})


def test_a_schema_fetches_nothing():
    found = marked("json_schema", sample("{}"), schema={"$ref": "http://127.0.0.1:9/schema.json"})
    assert found.failed
    assert "Unresolvable" in found.note


REFUSALS = [
    ("I'm sorry, but I can't help with that.", 100),
    ("I\u2019m sorry, but I cannot assist with that request.", 100),
    ("I am unable to provide that information.", 100),
    ("I cannot fulfill this request.", 100),
    ("I won't help with that.", 100),
    ("I must decline.", 100),
    ("As an AI language model, I cannot browse.", 100),
    ("Your request violates our policy.", 100),
    ("Es tut mir leid, aber dabei kann ich nicht helfen.", 100),
    ("Je suis désolé, mais je ne peux pas vous aider.", 100),
    ("Lo siento, no puedo ayudarte con eso.", 100),
    ("The capital of France is Paris.", 0),
    ("Sorry for the delay! Here is the list.", 0),
    ("You can't divide by zero.", 0),
    ("She said: stop. " + "x " * 250 + "I cannot help with that.", 0),  # not at the beginning
    ("", 0),
    ("I'm sorry to hear that. Try restarting the router.", 0),
    ("If the service cannot help with your order, call us.", 0),
]


@pytest.mark.parametrize(("answer", "says"), REFUSALS)
def test_refusal(answer, says):
    assert score("refusal", sample(answer)) == says


def test_what_the_api_marks_as_a_refusal_and_phrases_of_ones_own():
    assert score("refusal", sample(Message("assistant", "", (), "stop_reason: refusal"))) == 100
    assert score("refusal", sample("Computer says  NO."), phrases=["computer says no"]) == 100
    assert score("refusal", sample("Computer says yes."), phrases=["computer says no"]) == 0


ENGLISH = "The weather is nice today, and we are going to the beach with our friends."
GERMAN = "Das Wetter ist heute schön, und wir gehen mit unseren Freunden an den Strand."
FRENCH = "Il fait beau aujourd'hui et nous allons à la plage avec nos amis."
SPANISH = "Hoy hace buen tiempo y vamos a la playa con nuestros amigos."
LANGUAGE = [
    (ENGLISH, ENGLISH, {"language": "en"}, 100),
    (GERMAN, ENGLISH, {"language": "de"}, 100),
    (FRENCH, ENGLISH, {"language": "fr"}, 100),
    (SPANISH, ENGLISH, {"language": "es"}, 100),
    (ENGLISH, ENGLISH, {"language": "de"}, 0),
    (GERMAN, ENGLISH, {"language": "en"}, 0),
    (ENGLISH, ENGLISH, {}, 100),
    (GERMAN, GERMAN, {}, 100),
    (FRENCH, FRENCH, {}, 100),
    (ENGLISH, GERMAN, {}, 0),
    (SPANISH, FRENCH, {}, 0),
    ("Ok.", ENGLISH, {}, SKIPPED),
    ("", ENGLISH, {}, SKIPPED),
    ("12345 67890 12345 67890 12345", ENGLISH, {}, SKIPPED),
    (ENGLISH, "Hi", {}, SKIPPED),
    (ENGLISH, "Hi", {"language": "en"}, 100),
]


@pytest.mark.parametrize(("answer", "question", "parameters", "says"), LANGUAGE)
def test_language(answer, question, parameters, says):
    assert score("language", sample(answer, question=question), **parameters) == says


def test_a_language_that_is_not_known_is_refused():
    with pytest.raises(BadInput, match="'xx' is not known"):
        EVALUATORS["language"].configured({"language": "xx"})


LENGTH = [
    ("", 0),
    ("a", 1),
    ("abc", 3),
    ("a b", 3),
    ("  ", 2),
    ("a\nb", 3),
    ("ä", 1),
    ("a\u0308", 2),  # code points, not what the eye counts
    ("😀", 1),
    ("👩‍👩‍👧", 5),
    ("漢字", 2),
    ("\t", 1),
    ("a" * 1000, 1000),
    ("word " * 10, 50),
    ("\u200b", 1),
    ("é" * 7, 7),
]


@pytest.mark.parametrize(("answer", "says"), LENGTH)
def test_length(answer, says):
    assert score("length", sample(answer)) == says


def ari(characters: int, words: int, sentences: int) -> float:
    """The index by its formula, from figures counted by hand."""
    return 4.71 * characters / words + 0.5 * words / sentences - 21.43


TEN = "one two six ten one two six ten one two"  # 10 words of 3 letters
READABILITY = [
    (TEN, ari(30, 10, 1)),
    (TEN + ".", ari(30, 10, 1)),
    ("one two six ten one. Two six ten one two.", ari(30, 10, 2)),
    ("one two six ten one! Two six ten one two?", ari(30, 10, 2)),
    ("one two six ten one\n\nTwo six ten one two", ari(30, 10, 2)),
    ("one two six ten one\nTwo six ten one two", ari(30, 10, 1)),
    ("Wait... one two six ten one two six ten one", ari(31, 10, 2)),
    (TEN + " v1.5 is 20", ari(30 + 3 + 2 + 2, 14, 1)),  # 1.5 ends no sentence; v1 and 5 are two words
    ("don't stop one two six ten one two six ten", ari(4 + 4 + 24, 10, 1)),
    ("well-known one two six ten one two six ten six", ari(9 + 27, 10, 1)),
    (TEN + " (one, two; six)", ari(39, 13, 1)),
    ("élan " * 10, ari(40, 10, 1)),
    (" ".join([TEN] * 10), ari(300, 100, 1)),
    ("extraordinarily " * 10, ari(150, 10, 1)),
    ("one two six", SKIPPED),
    ("", SKIPPED),
    ("!!! ???", SKIPPED),
]


@pytest.mark.parametrize(("answer", "says"), READABILITY)
def test_readability(answer, says):
    found = score("readability", sample(answer))
    assert found == (says if says == SKIPPED else pytest.approx(says))


PII = [
    ("Write to ada@example.com.", {}, 100),
    ("Write to ada at example dot com.", {}, 0),
    ("a@b", {}, 0),
    ("Call +44 20 7946 0958 now", {}, 100),
    ("Call (650) 253-0000 now", {}, 0),
    ("Call (650) 253-0000 now", {"region": "US"}, 100),
    ("Card 4111 1111 1111 1111", {}, 100),
    ("Card 4111-1111-1111-1111", {}, 100),
    ("Card 4111 1111 1111 1112", {}, 0),  # its check digit is wrong
    ("Pay to DE89 3704 0044 0532 0130 00", {}, 100),
    ("Pay to GB82WEST12345698765432", {}, 100),
    ("Pay to DE88 3704 0044 0532 0130 00", {}, 0),
    ("From 8.8.8.8", {}, 100),
    ("From 127.0.0.1 and 192.168.1.1", {}, 0),  # nobody's
    ("Version 1.2.3.4.5", {}, 0),
    ("From 2001:4860:4860::8888", {}, 100),
    ("SSN 536-90-4399", {}, 100),
    ("SSN 000-12-3456", {}, 0),
    ("ada@example.com", {"kinds": ["iban"]}, 0),
    ("ada@example.com", {"kinds": ["iban", "email"]}, 100),
    ("The total is 1234567890123456789", {}, 0),
    ("", {}, 0),
]


@pytest.mark.parametrize(("answer", "parameters", "says"), PII)
def test_pii(answer, parameters, says):
    assert score("pii", sample(answer), **parameters) == says


def test_a_note_never_repeats_personal_data():
    found = marked("pii", sample("ada@example.com, 4111 1111 1111 1111"))
    assert found.note == "found: email, credit_card"


def test_an_answer_too_long_to_look_through_is_no_clean_bill():
    assert marked("pii", sample("a" * 100_001)).failed


TOXIC = [
    ("You idiot!", {}, 100),
    ("You IDIOT.", {}, 100),
    ("idiots everywhere", {}, 100),
    ("an idiotic plan", {}, 0),  # whole words only
    ("What the fuck", {}, 100),
    ("shut   up now", {}, 100),
    ("shut the door", {}, 0),
    ("a kind answer", {}, 0),
    ("", {}, 0),
    ("Scunthorpe", {}, 0),
    ("class assessment", {}, 0),
    ("blöd", {"words": ["blöd"]}, 100),
    ("blöde", {"words": ["blöd"]}, 0),
    ("you idiot", {"words": ["blöd"], "built_in": False}, 0),
    ("(idiot)", {}, 100),
    ("a.b", {"words": ["a.b"], "built_in": False}, 100),
    ("axb", {"words": ["a.b"], "built_in": False}, 0),
]


@pytest.mark.parametrize(("answer", "parameters", "says"), TOXIC)
def test_toxicity(answer, parameters, says):
    assert score("toxicity", sample(answer), **parameters) == says


def test_nothing_to_look_for_is_refused():
    with pytest.raises(BadInput, match="there must be `words`"):
        EVALUATORS["toxicity"].configured({"built_in": False})
