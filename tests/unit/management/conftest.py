"""One API for the tests of a module, and for each test an account of its own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.control_plane import ControlPlane, Installation, installation


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("management") / "data") as made:
        yield made


@pytest.fixture
def plane(installed: Installation) -> ControlPlane:
    return ControlPlane(installed)
