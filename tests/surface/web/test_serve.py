"""The command `gaddum serve` in a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from gaddum.surface.cli import main

SERVE = [sys.executable, "-m", "gaddum.surface.cli", "serve", "--no-browser"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen([*SERVE, str(tmp_path)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    (address,) = re.findall(r"http://\S+", process.stderr.readline())
    yield process, address
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def opened(address: str, **headers: str) -> int:
    try:
        return urlopen(Request(address, headers=headers), timeout=30).status
    except HTTPError as error:
        return error.code


def test_it_listens_on_this_computer_alone_and_says_where(served: tuple[subprocess.Popen[str], str]):
    process, address = served
    assert address.startswith("http://127.0.0.1:") and "?token=" in address
    port = int(re.findall(r":(\d+)/", address)[0])
    assert opened(address) == 403  # no browser says whence it comes
    cookie = f"gaddum-{port}={address.partition('token=')[2]}"
    headers = {"Sec-Fetch-Site": "same-origin", "Cookie": cookie}
    assert opened(f"http://127.0.0.1:{port}/jobs", **headers) == 200
    if Path("/proc/net/tcp").exists():
        table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        listening = re.findall(rf"(\w+):{port:04X} \w+:0000 0A", table)
        assert listening == ["0100007F"]


def test_it_ends_with_ctrl_c_and_tells_no_token_again(served: tuple[subprocess.Popen[str], str]):
    process, address = served
    opened(address)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert address.partition("token=")[2] not in told
    assert process.returncode in (0, 130)


def test_another_address_warns(tmp_path: Path):
    process = subprocess.Popen(
        [*SERVE, str(tmp_path), "--host", "127.0.0.2"], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    second = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert "made for one user on one computer" in first and "?token=" in second


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "0"])
def test_an_address_that_no_browser_can_name_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], host: str
):
    assert main(["serve", str(tmp_path), "--no-browser", "--host", host]) == 2
    assert f"one address of this computer; got {host!r}" in capsys.readouterr().err.replace("\n", " ")


def test_a_port_that_is_taken_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["serve", str(tmp_path), "--no-browser", "--port", str(port)]) == 2
    assert f"The port must be free; {port}" in capsys.readouterr().err.replace("\n", " ")


def test_a_folder_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    here = os.getcwd()
    assert main(["serve", str(tmp_path / "none"), "--no-browser"]) == 2
    assert "must have a folder to serve" in capsys.readouterr().err and os.getcwd() == here
