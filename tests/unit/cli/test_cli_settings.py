from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from gaugeway.cli.options import WITHOUT_FLAG, describe, load_settings, unknown_variables
from gaugeway.cli.serve import serve
from gaugeway.core.settings import BadSetting, Settings
from support.command_line import command


def test_every_setting_has_a_flag_of_serve_or_a_reason_why_not() -> None:
    flags = set(inspect.signature(serve).parameters) - {"config"}
    assert flags == set(Settings.__struct_fields__) - set(WITHOUT_FLAG)


def test_every_setting_is_described() -> None:
    assert [setting.name for setting in describe()] == list(Settings.__struct_fields__)
    assert all(setting.meaning.endswith(".") for setting in describe())


def test_the_flag_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("port = 1\nworkers = 3\n")
    settings = load_settings(file, port=2, workers=None)
    assert (settings.port, settings.workers) == (2, 3)


def test_lists_and_maps() -> None:
    settings = load_settings(
        None, upstreams=["openai=http://a/v1?x=y", "groq=https://b"], private_upstreams=["10.0.0.0/8, box", "::1"]
    )
    assert settings.upstreams == {"openai": "http://a/v1?x=y", "groq": "https://b"}
    assert settings.private_upstreams == ["10.0.0.0/8", "box", "::1"]


@pytest.mark.parametrize(
    ("upstreams", "reason"),
    [
        (["openai"], "expected SLUG=URL, not 'openai'"),
        (["=http://a"], "expected SLUG=URL"),
        (["openai=http://a", "openai=http://b"], "given twice"),
        (["openai=ftp://a"], "must begin with http"),
    ],
)
def test_an_upstream_that_is_none(upstreams: list[str], reason: str) -> None:
    with pytest.raises(BadSetting, match=reason) as refused:
        load_settings(None, upstreams=upstreams)
    assert str(refused.value).startswith("--upstreams: ")


def test_a_variable_that_is_no_setting_is_said() -> None:
    known = {setting.variable: "1" for setting in describe()} | {"GAUGEWAY_API_TOKEN": "t", "PATH": "/"}
    assert unknown_variables(known) == []
    (sentence,) = unknown_variables(known | {"GAUGEWAY_PROT": "1"})
    assert "GAUGEWAY_PROT" in sentence
    assert "did you mean GAUGEWAY_PORT?" in sentence


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--port", "99999"], ["--port", "65535"]),
        (["--workers", "0"], ["--workers", ">= 1"]),
        (["--connector", "curl"], ["--connector", "native"]),
        (["--account-id", "me"], ["--account-id", "32 lower-case hex"]),
        (["--config", "/does/not/exist.toml"], ["/does/not/exist.toml", "cannot be read"]),
        (["--data", "redis://x"], ["redis", "Supported"]),
        (["--upstreams", "opnai=https://a.example"], ["upstreams", "'opnai'", "openai"]),
    ],
)
def test_a_bad_setting_is_one_line_and_exit_code_2(flags: list[str], words: list[str], tmp_path: Path) -> None:
    ran = command("serve", "--port", "0", "--data", str(tmp_path / "data"), *flags)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert len(ran.err.splitlines()) == 1
    assert [word for word in words if word not in ran.err] == []
    assert not (tmp_path / "data").exists()


def test_a_bad_variable_names_the_variable(tmp_path: Path) -> None:
    ran = command("serve", "--data", str(tmp_path), GAUGEWAY_MAX_LOG_BODY="much")
    assert ran.code == 2
    assert ran.err.startswith("error: GAUGEWAY_MAX_LOG_BODY: ")


def test_a_bad_line_in_the_file_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gaugeway.toml"
    file.write_text("prot = 1\n")
    ran = command("serve", "--config", str(file))
    assert ran.code == 2
    assert str(file) in ran.err
    assert "'prot'" in ran.err


@pytest.mark.parametrize(
    "arguments", [["nosuch"], ["serve", "--prot", "1"], ["serve", "--port", "x"], ["evaluate"]]
)
def test_usage_errors_are_exit_code_2_without_boxes(arguments: list[str]) -> None:
    ran = command(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Error: " in ran.err
    assert "─" not in ran.err
    assert "\x1b" not in ran.err


def test_the_version() -> None:
    ran = command("--version")
    assert (ran.code, ran.out) == (0, "gaugeway 0.1.0\n")
