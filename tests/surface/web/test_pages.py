"""Pages ask what a request declares and show what its command answers."""

import json
import re
import shlex
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from gaddum.surface.cli import main
from gaddum.surface.web.pages import PAGES, Page

PAIR = "naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min"
TABLE = "agonist (nM),control,100 nM,1 uM\n1,2,-1,0\n10,24,8,1\n100,80,12,1\n1000,98,53,15\n10000,101,93,62\n"
BY_VERB = {page.verb: page for page in PAGES}
few = settings(deadline=None, max_examples=15)

STATES = [
    ("occupancy", {"protocols": one, "draws": "16"} | more)
    for one, more in [
        (PAIR, {}),
        (PAIR, {"targets": "MOR,NMDAR"}),
        (PAIR, {"at": "1 h, 1 d"}),
        (PAIR, {"until": "3 d"}),
        (PAIR, {"above": "0.5"}),
        (PAIR, {"reach": "MOR 0.9 at 2 h"}),
        (PAIR, {"tone": "MOR=0.3", "targets": "MOR"}),
        (PAIR, {"seed": "7", "weight": "80 kg"}),
        ("ketamine 10 mg/kg ip", {"species": "mouse"}),
        ("ketamine 10 mg/kg ip", {"species": "rat", "preparation": "behaving"}),
        ("buprenorphine 8 mg sl", {"at": "4 h"}),
        ("ketamine:klein2020/behaviour/KA", {}),
        ("naltrexone 380 mg depot", {"until": "28 d", "targets": "MOR"}),
    ]
]
STATES += [
    ("audit", {"what": "klein2020", "draws": "16"}),
    ("audit", {"what": "morphine", "draws": "16"}),
    ("audit", {"what": "ketamine:klein2020", "draws": "16", "seed": "3"}),
    ("ledger list", {"case": "morphine"}),
    ("ledger list", {"case": "ketamine"}),
    ("ledger show", {"case": "ketamine", "study": "klein2020"}),
]


@pytest.mark.parametrize(
    ("verb", "said"), STATES, ids=[f"{verb} {number}" for number, (verb, _) in enumerate(STATES)]
)
def test_the_json_of_a_page_is_what_the_command_that_it_shows_prints(
    reader: TestClient, capsys: pytest.CaptureFixture[str], verb: str, said: dict[str, str]
):
    page = BY_VERB[verb]
    shown = reader.get(f"{page.path}?{urlencode(said)}")
    assert shown.status_code == 200
    (command,) = re.findall(r'<pre id="command">(.*?)</pre>', shown.text, re.S)
    capsys.readouterr()
    main([*shlex.split(unescape(command))[1:], "--json"])
    assert reader.get(f"{page.path}.json?{urlencode(said)}").text == capsys.readouterr().out


@few
@given(
    amount=st.floats(0.01, 500).map(lambda x: float(f"{x:.3g}")),
    minutes=st.integers(-600, 600),
    seed=st.integers(0, 99),
    at=st.lists(st.integers(11, 30), max_size=3).map(lambda hours: [f"{one} h" for one in hours]),
)
def test_form_query_and_command_are_one_request(
    reader: TestClient, amount: float, minutes: int, seed: int, at: list[str]
):
    kind = BY_VERB["occupancy"].kind
    protocol = f"naltrexone {amount:g} mg po at {minutes} min"
    form = [("protocols", protocol), ("species", ""), ("targets", "MOR"), ("draws", "4"), ("seed", str(seed))]
    form += [("at", one) for one in at] + [("at", ""), ("until", "")]
    page = reader.get(f"/occupancy?{urlencode(form)}").text
    (command,) = re.findall(r'<pre id="command">(.*?)</pre>', page, re.S)
    (query,) = set(re.findall(r'href="/occupancy\.json\?([^"]*)"', page))
    asked = kind.from_command(shlex.split(unescape(command)))
    assert asked == kind.from_query(unescape(query))
    assert asked == kind((protocol,), targets="MOR", at=tuple(at), draws=4, seed=seed)  # pyright: ignore


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.verb)
def test_a_page_opens_with_something_to_look_at_and_names_its_fields(reader: TestClient, page: Page):
    found = reader.get(page.path)
    assert found.status_code == 200
    assert found.text.count("<h1>") == 1
    for key in (*page.fields, *page.more):
        assert f'name="{key}"' in found.text
    assert "worked example" in found.text or page.verb == "schild"
    identified = set(re.findall(r'id="([^"]*)"', found.text))
    assert set(re.findall(r'for="([^"]*)"', found.text)) <= identified
    for ids in re.findall(r'aria-describedby="([^"]*)"', found.text):
        assert set(ids.split()) <= identified


def test_every_download_of_every_page_is_of_its_kind(reader: TestClient):
    starts = {"json": b"{", "csv": b"", "svg": b"<svg", "png": b"\x89PNG", "html": b"<!DOCTYPE html>"}
    query = "draws=16&" + BY_VERB["occupancy"].example
    for kind in BY_VERB["occupancy"].kinds:
        found = reader.get(f"/occupancy.{kind}?{query}")
        assert found.status_code == 200 and found.content.lstrip().startswith(starts[kind])
    assert reader.get("/audit.html?what=klein2020&draws=16").content.startswith(starts["html"])
    assert reader.get("/ledger/list.csv").text.startswith("id,year,title")


def test_the_library_s_sentence_stands_beside_its_field_with_what_it_suggests(reader: TestClient):
    found = reader.get("/occupancy?" + urlencode({"protocols": "naltrexon 50 mg po"}))
    assert found.status_code == 422
    (sentence,) = re.findall(r'<p class="error" id="error-protocols">(.*?)</p>', found.text, re.S)
    assert "Did you mean" in unescape(sentence)
    (link,) = re.findall(r'<a class="button" href="([^"]*)">Use naltrexone</a>', found.text)
    assert reader.get(unescape(link) + "&draws=4").status_code == 200
    assert "naltrexon 50 mg po" in found.text  # what was typed is still there


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("protocols=naltrexone+50+mg+po&until=soon", "until"),
        ("protocols=naltrexone+50+mg+po&above=2", "above"),
        ("protocols=naltrexone+50+mg+po&draws=5000", "draws"),
        ("protocols=naltrexone+50+mg+po&vary=route", "vary"),
        ("protocols=naltrexone+50+mg+po&species=cat", "species"),
        ("protocols=naltrexone+50+mg+po&nothing=1", "protocols"),
    ],
)
def test_a_wrong_field_is_a_sentence_and_not_a_failure(reader: TestClient, query: str, field: str):
    found = reader.get(f"/occupancy?{query}")
    assert found.status_code == 422 and f'id="error-{field}"' in found.text
    told = reader.get(f"/occupancy.json?{query}")
    assert told.status_code == 422 and set(told.json()) == {"error"}


def test_text_of_the_user_is_text(reader: TestClient):
    found = reader.get("/occupancy?" + urlencode({"protocols": "<script>alert(1)</script>"}))
    assert "<script>alert" not in found.text and "&lt;script&gt;" in found.text


def test_what_fails_is_a_number_and_no_trace(reader: TestClient, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise RuntimeError("inside")

    monkeypatch.setattr("gaddum.surface.web.app.answered", fail)
    found = reader.get("/audit")
    assert found.status_code == 500 and re.search(r"failure [0-9a-f]{8}", found.text)
    assert "inside" not in found.text and "Traceback" not in found.text


def test_a_verdict_that_is_not_computed_offers_to_and_shows_an_earlier_one_as_such(
    workbench: TestClient, tmp_path: Path
):
    assert workbench.get("/adjudicate.json").status_code == 404
    assert "Compute it" in workbench.get("/adjudicate").text
    earlier = Path(__file__).parents[1] / "document.json"
    (tmp_path / "runs" / "ketamine").mkdir(parents=True)
    (tmp_path / "runs" / "ketamine" / "result.json").write_bytes(earlier.read_bytes())
    found = workbench.get("/adjudicate").text
    assert "earlier verdict" in found and json.loads(earlier.read_text())["verdict"][:40] in unescape(found)


def test_a_verdict_on_these_inputs_is_shown_at_once(
    workbench: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import gaddum

    earlier = gaddum.read_result(Path(__file__).parents[1] / "document.json")
    monkeypatch.setattr("gaddum.surface.run_folder.finished", lambda place, run: earlier)
    (tmp_path / "runs" / "ketamine").mkdir(parents=True)
    (tmp_path / "runs" / "ketamine" / "result.json").write_text("{}")
    found = workbench.get("/adjudicate")
    assert found.status_code == 200 and "The whole report" in found.text
    assert workbench.get("/adjudicate.json").text == earlier.to_json() + "\n"


def test_a_pasted_table_is_kept_and_fitted_as_the_command_does(
    workbench: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str], door
):
    sent = workbench.post("/files", data={"key": door.form_key, "pasted": TABLE, "unit": "nM"})
    assert sent.status_code == 303 and sent.headers["location"] == "/schild?file=pasted.csv&unit=nM"
    assert (tmp_path / "pasted.csv").read_text() == TABLE
    shown = workbench.get(sent.headers["location"])
    assert shown.status_code == 200 and "pA2" in shown.text
    assert workbench.get("/schild.png?file=pasted.csv&unit=nM").content.startswith(b"\x89PNG")
    main(["schild", "pasted.csv", "--json"])
    assert workbench.get("/schild.json?file=pasted.csv&unit=nM").text == capsys.readouterr().out


def test_a_table_that_cannot_be_read_is_a_sentence(workbench: TestClient, tmp_path: Path):
    (tmp_path / "bad.csv").write_text("what,is,this\n1,2,3\n")
    found = workbench.get("/schild?file=bad.csv")
    assert found.status_code == 422 and 'id="error-file"' in found.text


def test_a_case_of_ones_own_is_audited_and_listed(workbench: TestClient, tmp_path: Path):
    assert main(["new", "mine", "--drug", "ketamine", "--folder", str(tmp_path)]) == 0
    assert workbench.get("/ledger/list?case=mine").status_code == 200
    assert workbench.get("/audit?what=mine&draws=4").status_code == 200


def test_a_case_of_ones_own_is_answered_anew_after_an_edit_within(workbench: TestClient, tmp_path: Path):
    assert main(["new", "mine", "--drug", "ketamine", "--folder", str(tmp_path)]) == 0
    (study, *_) = sorted((tmp_path / "mine" / "studies").iterdir())
    before = workbench.get("/check.json?case=mine").text
    study.write_text(study.read_text() + "nonsense: 3\n")
    after = workbench.get("/check.json?case=mine").text
    assert "nonsense" in after and "nonsense" not in before


def test_a_table_that_is_brought_is_checked_as_the_command_does(
    workbench: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str], door
):
    sent = workbench.post(
        "/files", data={"key": door.form_key, "to": "check"}, files={"file": ("Mine.csv", "a,b\n1,2\n")}
    )
    assert sent.headers["location"] == "/check?case=mine.csv"
    found = workbench.get("/check.json?case=mine.csv")
    main(["check", "mine.csv", "--json"])
    assert found.text == capsys.readouterr().out and found.json()["findings"]
    assert "error" in workbench.get("/check?case=mine.csv").text


def test_the_server_imports_no_jax(tmp_path: Path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from starlette.testclient import TestClient\n"
        "from gaddum.surface.web.app import application\n"
        "from gaddum.surface.web.door import Door\n"
        "from gaddum.surface.web.shelf import Shelf\n"
        "door = Door('127.0.0.1', 8765, 'token')\n"
        "app = application(door, Shelf(Path()))\n"
        "headers = {'Sec-Fetch-Site': 'same-origin', 'Cookie': 'gaddum-8765=token'}\n"
        "with TestClient(app, base_url='http://127.0.0.1:8765', headers=headers) as asked:\n"
        "    dose = '?draws=4&protocols=naltrexone+50+mg+po'\n"
        "    for path in ('/occupancy' + dose, '/occupancy.svg' + dose, '/occupancy/bands' + dose,\n"
        "        '/audit?what=klein2020&draws=4', '/adjudicate', '/check', '/ledger/list', '/ledger/show', '/jobs'):\n"
        "        assert asked.get(path).status_code == 200, path\n"
        "print('jax' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout.strip() == "False", ran.stderr


def fuzzed() -> st.SearchStrategy[str]:
    """Queries that people, and others, might send."""
    keys = st.sampled_from(
        [*BY_VERB["occupancy"].fields, *BY_VERB["occupancy"].more, "what", "file", "study", "x", ""]
    )
    said = st.sampled_from(
        [
            PAIR,
            "ketamine 10 mg/kg ip",
            "ketamine:klein2020/behaviour/KA",
            "MOR",
            "MOR 0.9 at 2 h",
            "klein2020",
            "rat",
        ]
        + [
            "1 h",
            "-1 h",
            "1e9 h",
            "80 kg",
            "0 kg",
            "MOR=0.3",
            "MOR=-1",
            "slice",
            "dose",
            "time",
            "nan",
            "inf",
            "1e400",
        ]
        + [
            "../../etc/passwd",
            "x.csv",
            "ketamine",
            "=1+1",
            "0.5",
            "-1",
            "16",
            "\0",
            "%00",
            "\u202e",
            "\ud7ff",
        ]
    )
    values = said | st.text(max_size=30) | st.tuples(said, said).map(" + ".join)
    return st.lists(st.tuples(keys, values), max_size=5).map(urlencode)


@pytest.mark.slow
@settings(deadline=None, max_examples=1600)
@given(
    page=st.sampled_from([page for page in PAGES if page.verb not in ("adjudicate", "check")]),
    query=fuzzed(),
    kind=st.booleans(),
)
def test_no_query_makes_the_server_fail(reader: TestClient, page: Page, query: str, kind: bool):
    more = "" if "draws" in query or page.verb not in ("occupancy", "audit") else "&draws=4"
    found = reader.get(f"{page.path}{'.json' if kind else ''}?{query}{more}")
    assert found.status_code in (200, 404, 422)


@pytest.mark.slow
@settings(deadline=None, max_examples=400)
@given(query=fuzzed())
def test_no_query_makes_the_chart_fail(reader: TestClient, query: str):
    found = reader.get(f"/occupancy/bands?draws=4&protocols=naltrexone+50+mg+po&{query}")
    assert found.status_code in (200, 422)
