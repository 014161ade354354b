"""A workbench of an empty folder, asked without a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from gaddum.surface.web.app import application
from gaddum.surface.web.door import Door
from gaddum.surface.web.shelf import Shelf

DOOR = Door("127.0.0.1", 8765, "the-token-of-this-server")


def client_of(folder: Path) -> TestClient:
    return TestClient(
        application(DOOR, Shelf(folder)),
        base_url=f"http://{DOOR.place}",
        headers={"Sec-Fetch-Site": "same-origin"},
        cookies={DOOR.cookie: DOOR.token},
        follow_redirects=False,
        raise_server_exceptions=False,
    )


@pytest.fixture
def workbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.chdir(tmp_path)
    with client_of(tmp_path) as client:
        yield client


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One for tests that change nothing."""
    with client_of(tmp_path_factory.mktemp("served")) as client:
        yield client


@pytest.fixture
def door() -> Door:
    return DOOR
