"""Golden cases of the evaluators that compare with an expected answer, from their definitions."""

from __future__ import annotations

import pytest

from support.samples import SKIPPED, marked, sample, score

EXACT = [
    ("Paris", "Paris", {}, 100),
    ("Paris", "paris", {}, 0),
    ("Paris", "paris", {"ignore_case": True}, 100),
    ("  Paris\n", "Paris", {}, 100),
    ("New  York", "New York", {}, 100),
    ("New\tYork", "New York", {}, 100),
    ("New  York", "New York", {"ignore_whitespace": False}, 0),
    ("Paris ", "Paris", {"ignore_whitespace": False}, 0),
    ("NewYork", "New York", {}, 0),
    ("Paris.", "Paris", {}, 0),
    ("", "", {}, 100),
    ("", "Paris", {}, 0),
    (" ", "", {}, 100),
    ("STRASSE", "straße", {"ignore_case": True}, 100),
    ("ÉTÉ", "été", {"ignore_case": True}, 100),
    ("42", "42.0", {}, 0),
    ("Paris", None, {}, SKIPPED),
    ("Paris", None, {"expected": "Paris"}, 100),
    ("Paris", "Rome", {"expected": "Paris"}, 0),  # the sample's own comes first
]


@pytest.mark.parametrize(("answer", "expected", "parameters", "says"), EXACT)
def test_exact_match(answer, expected, parameters, says):
    assert score("exact_match", sample(answer, expected), **parameters) == says


CONTAINS = [
    ("It is Paris, of course", "Paris", {}, 100),
    ("It is paris, of course", "Paris", {}, 100),
    ("It is paris, of course", "Paris", {"ignore_case": False}, 0),
    ("It is Rome", "Paris", {}, 0),
    ("comparison", "Paris", {}, 100),  # also within words
    ("", "Paris", {}, 0),
    ("Paris", None, {}, SKIPPED),
    ("a b c", None, {"texts": ["a", "b"]}, 100),
    ("a c", None, {"texts": ["a", "b"]}, 0),
    ("a c", None, {"texts": ["a", "b"], "require": "any"}, 100),
    ("c d", None, {"texts": ["a", "b"], "require": "any"}, 0),
    ("c d", None, {"texts": ["a", "b"], "require": "none"}, 100),
    ("a d", None, {"texts": ["a", "b"], "require": "none"}, 0),
    ("a.b", None, {"texts": ["a.b"]}, 100),
    ("axb", None, {"texts": ["a.b"]}, 0),  # no pattern
    ("Paris", "Rome", {"texts": ["Paris"]}, 100),  # texts come first
    ("Paris", "Rome", {"require": "none"}, 100),
    ("Paris", "", {}, SKIPPED),  # which is in every answer
    ("Paris", "", {"require": "none"}, SKIPPED),
]


@pytest.mark.parametrize(("answer", "expected", "parameters", "says"), CONTAINS)
def test_contains(answer, expected, parameters, says):
    assert score("contains", sample(answer, expected), **parameters) == says


NUMBERS = [
    ("42", "42", {}, 100),
    ("The answer is 42.", "42", {}, 100),
    ("The answer is 43.", "42", {}, 0),
    ("The answer is 43.", "42", {"absolute": 1}, 100),
    ("3.14", "3.14159", {"absolute": 0.01}, 100),
    ("3.1", "3.14159", {"absolute": 0.01}, 0),
    ("101", "100", {"relative": 0.01}, 100),
    ("102", "100", {"relative": 0.01}, 0),
    ("0.3", "0.1", {"absolute": 0.2}, 100),  # exact decimals: 0.3 - 0.1 is 0.2
    ("12 of 20, so 60", "60", {}, 100),
    ("12 of 20, so 60", "12", {}, 0),
    ("12 of 20, so 60", "12", {"which": "first"}, 100),
    ("1,234,567", "1234567", {}, 100),
    ("1.5e3", "1500", {}, 100),
    ("-5", "5", {}, 0),
    ("\u22125", "-5", {}, 100),  # the real minus sign
    ("none", "5", {}, 0),
    ("5", "five", {}, SKIPPED),
    ("5", "5 or 6", {}, SKIPPED),
    ("5", None, {}, SKIPPED),
    ("GPT4 says 7", "7", {"which": "first"}, 100),  # a digit within a word is no number
    (".5", "0.5", {}, 100),
]


@pytest.mark.parametrize(("answer", "expected", "parameters", "says"), NUMBERS)
def test_numeric_tolerance(answer, expected, parameters, says):
    assert score("numeric_tolerance", sample(answer, expected), **parameters) == says


LEVENSHTEIN = [
    ("", "", {}, 100),
    ("a", "", {}, 0),
    ("", "a", {}, 0),
    ("abc", "abc", {}, 100),
    ("abc", "abd", {}, 100 * 2 / 3),
    ("abc", "ab", {}, 100 * 2 / 3),
    ("kitten", "sitting", {}, 100 * 4 / 7),  # Levenshtein's own distance is 3
    ("Saturday", "Sunday", {}, 100 * 5 / 8),
    ("flaw", "lawn", {}, 100 * 2 / 4),
    ("abc", "xyz", {}, 0),
    ("ab", "ba", {}, 0),  # a swap is two changes
    ("ABC", "abc", {}, 0),
    ("ABC", "abc", {"ignore_case": True}, 100),
    ("über", "uber", {}, 75),
    ("a" * 100, "a" * 50, {}, 50),
    ("x", None, {}, SKIPPED),
]


@pytest.mark.parametrize(("answer", "expected", "parameters", "says"), LEVENSHTEIN)
def test_levenshtein(answer, expected, parameters, says):
    assert score("levenshtein", sample(answer, expected), **parameters) == pytest.approx(says)


CAT = "the cat sat on the mat"
BLEU = [
    (CAT, CAT, {}, 100),
    ("", CAT, {}, 0),
    ("dogs run", CAT, {}, 0),
    # 6 words, 5 right: p1=5/6, p2=3/5, p3=2/4, p4=1/3
    ("the cat sat on a mat", CAT, {}, 100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25),
    # the same words, half as many: brevity penalty exp(1-6/3), orders 1 to 3
    ("the cat sat", CAT, {}, 100 * 2.718281828459045 ** (1 - 6 / 3)),
    ("the cat", CAT, {}, 100 * 2.718281828459045 ** (1 - 6 / 2)),
    # longer than expected: no brevity penalty; p1=6/8, p2=5/7, p3=4/6, p4=3/5
    (f"{CAT} right now", CAT, {}, 100 * (6 / 8 * 5 / 7 * 4 / 6 * 3 / 5) ** 0.25),
    ("The Cat Sat On The Mat", CAT, {"ignore_case": True}, 100),
    ("THE CAT SAT ON THE MAT", CAT, {}, 0),
    ("the", "the", {}, 100),
    ("a", "b", {}, 0),
    ("Hello, world!", "Hello , world !", {}, 100),  # 13a parts punctuation from words
    ("Hello, world!", "Hello , world !", {"tokenize": "none"}, 0),
    ("abcd", "abcd", {"tokenize": "char"}, 100),
    ("猫坐在垫子上", "猫坐在垫子上", {"tokenize": "char"}, 100),
    (CAT, None, {}, SKIPPED),
    (CAT, " ", {}, SKIPPED),
]


@pytest.mark.parametrize(("answer", "expected", "parameters", "says"), BLEU)
def test_bleu(answer, expected, parameters, says):
    assert score("bleu", sample(answer, expected), **parameters) == pytest.approx(says)


ROUGE = [
    (CAT, CAT, {}, 100),
    (CAT, CAT, {"variant": "rouge1"}, 100),
    (CAT, CAT, {"variant": "rouge2"}, 100),
    ("", CAT, {}, 0),
    ("dogs run", CAT, {"variant": "rouge1"}, 0),
    # Lin 2004, section 3.1: "police killed the gunman" against two candidates
    ("police kill the gunman", "police killed the gunman", {}, 100 * 3 / 4),
    ("the gunman kill police", "police killed the gunman", {}, 100 * 2 / 4),
    ("police kill the gunman", "police killed the gunman", {"variant": "rouge2"}, 100 * 1 / 3),
    ("the gunman kill police", "police killed the gunman", {"variant": "rouge2"}, 100 * 1 / 3),
    # recall 2/6, precision 2/2: F1 = 2*2/8
    ("the cat", CAT, {"variant": "rouge1"}, 100 * 2 * 2 / 8),
    # a word counts as often as in both: "the" twice in the expected
    ("the the the", CAT, {"variant": "rouge1"}, 100 * 2 * 2 / 9),
    ("The Cat!", "the cat", {}, 100),
    ("mat the on sat cat the", CAT, {"variant": "rouge1"}, 100),
    # the longest common subsequence of the reversed words has three: "the on the"
    ("mat the on sat cat the", CAT, {}, 100 * 2 * 3 / 12),
    ("word", "!!!", {}, SKIPPED),
    ("word", "one", {"variant": "rouge2"}, SKIPPED),
    ("word", None, {}, SKIPPED),
]


@pytest.mark.parametrize(("answer", "expected", "parameters", "says"), ROUGE)
def test_rouge(answer, expected, parameters, says):
    assert score("rouge", sample(answer, expected), **parameters) == pytest.approx(says)


JSON_DIFFERENCE = [
    ('{"a": 1}', '{"a": 1}', {}, 100),
    ('{"a":1}', '{ "a" : 1 }', {}, 100),
    ('{"b": 2, "a": 1}', '{"a": 1, "b": 2}', {}, 100),
    ('{"a": 1, "b": 3}', '{"a": 1, "b": 2}', {}, 100 * 1 / 3),
    ('{"a": 1}', '{"a": 1, "b": 2}', {}, 50),
    ('{"a": 1, "b": 2}', '{"a": 1}', {}, 50),
    ('{"a": "1"}', '{"a": 1}', {}, 0),
    ('{"a": 1.0}', '{"a": 1}', {}, 100),
    ('{"a": true}', '{"a": 1}', {}, 0),
    ('{"a": null}', "{}", {}, 0),
    ("{}", "{}", {}, 100),
    ("[]", "{}", {}, 0),
    ("[1, 2]", "[1, 2]", {}, 100),
    ("[2, 1]", "[1, 2]", {}, 0),
    ("[2, 1]", "[1, 2]", {"ignore_order": True}, 100),
    ("[1, 1]", "[1]", {"ignore_order": True}, 50),
    ('{"a": {"b": [1, {"c": 2}]}}', '{"a": {"b": [1, {"c": 3}]}}', {}, 100 * 1 / 3),
    ("not json", "{}", {}, 0),
    ('```json\n{"a": 1}\n```', '{"a": 1}', {}, 0),
    ('```json\n{"a": 1}\n```', '{"a": 1}', {"allow_fence": True}, 100),
    ("{}", "not json", {}, SKIPPED),
    ("{}", None, {}, SKIPPED),
]


@pytest.mark.parametrize(("answer", "expected", "parameters", "says"), JSON_DIFFERENCE)
def test_json_difference(answer, expected, parameters, says):
    assert score("json_difference", sample(answer, expected), **parameters) == pytest.approx(says)


WEATHER = '{"name": "weather", "arguments": {"city": "Paris", "days": 2}}'
TIME = '{"name": "time", "arguments": {}}'
TOOL_CALLS = [
    ([("weather", '{"city": "Paris", "days": 2}')], WEATHER, {}, 100),
    ([("weather", '{"days":2,"city":"Paris"}')], WEATHER, {}, 100),
    ([("weather", '{"city": "Rome", "days": 2}')], WEATHER, {}, 0),
    ([("weather", '{"city": "Rome"}')], WEATHER, {"ignore_arguments": True}, 100),
    ([("forecast", '{"city": "Paris", "days": 2}')], WEATHER, {}, 0),
    ([], WEATHER, {}, 0),
    ([], "[]", {}, 100),
    ([("time", "{}")], "[]", {}, 0),
    ([("time", "")], TIME, {}, 100),
    ([("time", "nonsense")], TIME, {}, 0),
    ([("time", "{}"), ("weather", '{"city": "Paris", "days": 2}')], f"[{WEATHER}, {TIME}]", {}, 100),
    (
        [("time", "{}"), ("weather", '{"city": "Paris", "days": 2}')],
        f"[{WEATHER}, {TIME}]",
        {"ignore_order": False},
        0,
    ),
    (
        [("weather", '{"city": "Paris", "days": 2}'), ("time", "{}")],
        f"[{WEATHER}, {TIME}]",
        {"ignore_order": False},
        100,
    ),
    ([("time", "{}"), ("time", "{}")], f"[{TIME}]", {}, 0),
    ([("weather", '{"x": 1}')], '[{"name": "weather"}]', {}, 100),
    # the one that takes anything does not take what only the other can
    ([("a", '{"x": 1}'), ("a", '{"x": 2}')], '[{"name": "a"}, {"name": "a", "arguments": {"x": 1}}]', {}, 100),
    ([("time", "{}")], "not json", {}, SKIPPED),
    ([("time", "{}")], '[{"nom": "time"}]', {}, SKIPPED),
    ([("time", "{}")], None, {}, SKIPPED),
]


@pytest.mark.parametrize(("calls", "expected", "parameters", "says"), TOOL_CALLS)
def test_tool_call_match(calls, expected, parameters, says):
    assert score("tool_call_match", sample("", expected, calls=tuple(calls)), **parameters) == says


# --- where the expected answer comes from -----------------------------------------------------------------


def test_the_expected_answer_is_the_datasets_then_the_logs_then_the_parameter():
    of_all = {"metadata": {"expected": "log", "other": "key"}}
    assert score("exact_match", sample("dataset", "dataset", **of_all), expected="parameter") == 100
    assert score("exact_match", sample("log", **of_all), expected="parameter") == 100
    assert score("exact_match", sample("key", **of_all), expected_key="other") == 100
    assert score("exact_match", sample("parameter", metadata={"a": 1}), expected="parameter") == 100
    assert score("exact_match", sample("42", metadata={"expected": 42})) == 100
    assert score("exact_match", sample("true", metadata={"expected": True})) == 100
    missing = marked("exact_match", sample("x", metadata={"a": 1}), expected_key="b")
    assert missing.note == "there is no expected answer: the log's metadata has no 'b'"


def test_an_answer_that_only_calls_tools_has_no_text_to_compare():
    assert score("exact_match", sample("", "x", calls=(("f", "{}"),))) == SKIPPED
    assert score("length", sample("", calls=(("f", "{}"),))) == SKIPPED
    assert score("length", sample("")) == 0
