"""Who may ask the workbench: this computer, with the token, from a page of its own."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gaddum.surface.web.app import application
from gaddum.surface.web.door import HEADERS, MOST_BODY, Door, open_door
from gaddum.surface.web.shelf import Shelf

TYPED = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture
def stranger(reader: TestClient) -> TestClient:
    """Somebody without the cookie."""
    return TestClient(reader.app, base_url=str(reader.base_url), follow_redirects=False)


def test_the_address_that_is_printed_lets_in_and_leaves_no_token_behind(stranger: TestClient, door: Door):
    came = stranger.get(f"/?token={door.token}", headers=TYPED)
    assert came.status_code == 303 and "token" not in came.headers["location"]
    assert stranger.get("/jobs.json", headers=TYPED).status_code == 200


def test_a_second_tab_may_use_the_address_again(stranger: TestClient, door: Door):
    codes = [stranger.get(f"/jobs?token={door.token}", headers=TYPED).status_code for _ in range(2)]
    assert codes == [303, 303]


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_bears_the_port(stranger: TestClient, door: Door):
    said = stranger.get(f"/?token={door.token}", headers=TYPED).headers["set-cookie"]
    assert said.startswith(f"gaddum-{door.port}=") and "HttpOnly" in said and "SameSite=strict" in said


def test_a_token_cannot_lead_elsewhere(stranger: TestClient, door: Door):
    came = stranger.get(f"//elsewhere.example/x?token={door.token}", headers=TYPED)
    assert not came.headers.get("location", "/").startswith("//")


def test_every_start_has_a_token_of_its_own():
    tokens = {open_door("127.0.0.1", 8765).token for _ in range(20)}
    assert len(tokens) == 20 and min(map(len, tokens)) >= 32


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "elsewhere.example"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:8766"},
        {"Host": "localhost:8765"},
        {"Origin": "http://127.0.0.1:8766"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
        {"Cookie": "gaddum-8765=another"},
        {"Cookie": "gaddum-8765="},
    ],
    ids=lambda one: " ".join(f"{key} {value}" for key, value in one.items()),
)
@pytest.mark.parametrize("path", ["/occupancy", "/jobs.json", "/static/page.js", "/nothing"])
def test_another_name_origin_site_or_token_is_refused_everywhere(
    reader: TestClient, headers: dict[str, str], path: str
):
    found = reader.get(path, headers=headers)
    assert found.status_code == 403 and ("workbench" in found.text or "token" in found.text)


@pytest.mark.parametrize(
    "other", ['prefs={"a":1,"b":"x y"}', "x=hello world", "a[b]=1", "bare", "x=\u00e9", "gaddum-8766=another"]
)
@pytest.mark.parametrize("form", ["{other}; {own}", "{own}; {other}"])
def test_cookies_of_other_programs_do_not_lock_out(stranger: TestClient, door: Door, other: str, form: str):
    said = form.format(other=other, own=f"{door.cookie}={door.token}").encode()
    assert stranger.get("/jobs.json", headers={"Cookie": said, **TYPED}).status_code == 200  # pyright: ignore


def test_a_browser_that_does_not_say_whence_it_asks_is_refused(stranger: TestClient, door: Door):
    assert stranger.get("/jobs.json", headers={"Cookie": f"{door.cookie}={door.token}"}).status_code == 403


@pytest.mark.parametrize(
    ("host", "code"),
    [("192.0.2.2", 200), ("a-machine", 200), ("127.0.0.2", 403), ("::1", 403), ("localhost", 403)],
)
def test_only_where_browsers_do_not_say_whence_they_ask_they_need_not(tmp_path: Path, host: str, code: int):
    there = Door(host, 8765, "token")
    headers = {"Cookie": f"{there.cookie}=token"}
    asked = TestClient(application(there, Shelf(tmp_path)), base_url=f"http://{there.place}", headers=headers)
    assert asked.get("/jobs.json").status_code == code
    for more in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://192.0.2.2:1"},
        {"Cookie": "other=token"},
    ):
        assert asked.get("/jobs.json", headers=more).status_code == 403
    assert asked.post("/jobs", data={"verb": "adjudicate"}).status_code == 403


def test_a_typed_address_may_read_and_not_write(reader: TestClient):
    assert reader.get("/jobs.json", headers=TYPED).status_code == 200
    assert reader.post("/jobs", headers=TYPED).status_code == 403


def test_no_answer_allows_another_origin_and_each_forbids_the_rest(reader: TestClient):
    for path in ("/jobs", "/jobs.json", "/static/page.js", "/nothing"):
        headers = reader.get(path, headers={"Origin": f"{reader.base_url}".rstrip("/")}).headers
        assert "access-control-allow-origin" not in headers
        assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "unsafe-inline'; img" in HEADERS["Content-Security-Policy"]
    assert "script-src 'self';" in HEADERS["Content-Security-Policy"]


def test_a_refusal_is_protected_too(reader: TestClient):
    assert reader.get("/", headers={"Host": "elsewhere"}).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/jobs", "/files", "/jobs/1/stop"])
@pytest.mark.parametrize("key", [None, "", "guess"])
def test_a_form_without_the_key_of_a_page_changes_nothing(
    workbench: TestClient, tmp_path: Path, path: str, key: str | None
):
    form = {"verb": "adjudicate", "query": "case=ketamine", "pasted": "a,b\n1,2"} | (
        {} if key is None else {"key": key}
    )
    assert workbench.post(path, data=form).status_code == 403
    assert [one.name for one in tmp_path.iterdir() if not one.name.startswith(".")] == []


def test_reading_does_not_start_or_stop(workbench: TestClient):
    assert workbench.get("/jobs/1/stop").status_code == 405
    assert workbench.get("/files").status_code == 405


@pytest.mark.parametrize("told", [True, False], ids=["length told", "length not told"])
def test_what_is_sent_is_counted(workbench: TestClient, door: Door, told: bool):
    pieces = [b"key=", b"x" * MOST_BODY, b"y"]
    content = b"".join(pieces) if told else iter(pieces)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert workbench.post("/files", content=content, headers=headers).status_code == 413


def test_a_web_socket_is_refused(reader: TestClient):
    with pytest.raises(WebSocketDisconnect) as caught, reader.websocket_connect("/"):
        pass
    assert caught.value.code == 1008
