"""A table of events as a protocol of `gaddum occupancy`: what it is taken to say, and what is refused."""

import json

import pytest

from gaddum.surface.cli import main
from gaddum.surface.occupancy.event_protocols import read_table
from gaddum.surface.occupancy.request import OccupancyRequest

DRAWS = ["--targets", "MOR", "--at", "4 h", "--draws", "16"]


@pytest.fixture(autouse=True)
def settings_of_jax_stay(monkeypatch):
    monkeypatch.setattr("gaddum.surface.accelerator.configure_jax", lambda **given: None)


@pytest.fixture
def table(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "theirs.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def read(path: str, drug: str = "naltrexone", **more):
    return read_table(path, OccupancyRequest((path,), drug=drug, **more))


def test_a_table_gives_the_same_occupancy_as_the_doses_it_says(capsys, table):
    path = table("ID,TIME,AMT\n1,0,1\n1,6,.\n")
    said = ["--drug", "naltrexone", "--species", "mouse", "--unit", "mg/kg", "--route", "sc", "--id", "1"]
    assert main(["occupancy", path, "naltrexone 1 mg/kg sc", *said, *DRAWS, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    told, written = found["protocols"]
    assert told["targets"] == written["targets"]
    assert told["protocol"] == written["protocol"] == "naltrexone 1 mg/kg sc"
    for option, value in zip(said[::2], said[1::2], strict=True):
        assert f"{option} {value}" in found["command"]


def test_subjects_with_the_same_doses_are_one_protocol(table):
    found = read(table("ID TIME AMT\n1 0 50\n1 2 .\n2 0 50\n2 9 .\n3 0 25\n".replace(" ", ",")))
    assert [one.label for one in found] == ["theirs.csv, ID 1, 2", "theirs.csv, ID 3"]
    assert [time for _, time in found[0].tests] == [2.0, 9.0]


def test_subjects_may_be_chosen(table):
    (one,) = read(table("ID,TIME,AMT\n1,0,50\n2,0,25\n"), subjects="2")
    assert one.doses[0].amount == "25 mg"


def test_body_weight_comes_from_the_table_unless_said(table):
    path = table("TIME,AMT,WT\n0,50,81.5\n")
    assert [one.weight for one in read(path)] == ["81.5 kg"]
    assert [one.weight for one in read(path, weight="60 kg")] == ["60 kg"]


@pytest.mark.parametrize(
    ("rows", "routes"),
    [
        ("0,50,.,.", ["po"]),
        ("0,50,1,.\n2,5,2,.", ["po", "iv bolus"]),
        ("0,50,1,100", ["iv infusion"]),
        ("0,50,1,100\n2,5,1,.", ["iv infusion", "iv bolus"]),
        ("0,50,2,100", ["iv infusion"]),
        ("0,50,2,.", ["iv bolus"]),
    ],
)
def test_compartments_are_taken_as_nonmem_numbers_them(table, rows, routes):
    (one,) = read(table(f"TIME,AMT,CMT,RATE\n{rows}\n"))
    assert [dose.route for dose in one.doses] == routes
    assert "--route says otherwise" in one.notes[-1]


def test_rate_becomes_the_length_of_an_infusion(table):
    (one,) = read(table("TIME,AMT,RATE\n0,35,52.5\n"), drug="ketamine")
    assert one.doses[0].duration_h == pytest.approx(2 / 3)


def test_steady_state_and_further_doses_are_kept(table):
    (one,) = read(table("TIME,AMT,II,ADDL,SS\n0,50,24,3,1\n"))
    assert (one.doses[0].steady_state, one.doses[0].repeats, one.doses[0].interval) == (True, 4, "24 h")


def test_equal_records_at_equal_distances_become_a_series(table):
    rows = "".join(f"{12 * k},50\n" for k in range(60))
    (one,) = read(table(f"TIME,AMT\n{rows}721,50\n"))
    assert [(dose.time_h, dose.repeats) for dose in one.doses] == [(0.0, 60), (721.0, 1)]


@pytest.mark.parametrize(
    ("text", "more", "said"),
    [
        ("TIME,AMT\n0,50\n", {"drug": None}, "Give --drug"),
        ("TIME,AMT\n0,50\n", {"drug": "naltrexon"}, "naltrexone"),
        ("TIME,AMT\n0,1\n", {"species": "mouse"}, "ip, sc.*--route"),
        ("TIME,AMT,CMT\n0,1,3\n", {}, "Compartments beyond 2.*--route"),
        ("TIME,AMT\n0,1\n", {"route": "bath"}, "holds a concentration"),
        ("TIME,AMT\n0,1\n", {"route": "po,iv"}, "1=po,2=iv"),
        ("TIME,AMT\n0,1\n", {"route": "by ear"}, "A route must be one"),
        ("TIME,AMT,CMT\n0,1,2\n", {"route": "1=po"}, "Compartment 2"),
        ("TIME,AMT,RATE\n0,1,1\n", {"route": "po"}, "Only an intravenous dose may have a rate"),
        ("TIME,AMT,RATE\n0,1,-2\n", {}, "Subject 1: A dose must have an amount and a known rate"),
        ("TIME,AMT,EVID\n0,1,1\n5,1,4\n", {}, "reset after a dose"),
        ("TIME,AMT,SS,II\n0,1,2,8\n", {}, "steady state of the first only"),
        ("TIME,AMT\n0,1\n", {"unit": "parsec"}, "parsec"),
        ("TIME,AMT\n0,1\n", {"subjects": "7"}, "ID of the table; got 7"),
        ("TIME,AMT\n0,1\n", {"subjects": "x"}, "must be an ID of the table; got x"),
        ("TIME,AMT\n0,.\n", {}, "must have a dose"),
        ("TIME,AMT,WT\n0,1,70\n1,1,71\n", {}, "weight must stay the same"),
        ("TIME,AMT,WT\n0,1,heavy\n", {}, "body weight in kg; got 'heavy'"),
        ("ID,TIME,AMT\n" + "".join(f"{k},0,{k}\n" for k in range(1, 20)), {}, "gives 19.*--id"),
        ("TIME,AMT\n0,x\n", {}, "theirs.csv"),
    ],
)
def test_what_a_table_cannot_say_is_refused_with_a_way_out(table, text, more, said):
    with pytest.raises(ValueError, match=said):
        read(table(text), **{"drug": "naltrexone", **more})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["theirs.csv", "--drug", "naltrexone"], "theirs.csv"),
        (["naltrexone 50 mg po", "--id", "3"], "for tables of events"),
    ],
)
def test_misplaced_tables_and_options_are_code_2(capsys, arguments, said):
    assert main(["occupancy", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_doubt_about_the_decimal_mark_is_asked_and_settled_by_an_option(capsys, table):
    path = table("ID;TIME;AMT\n1;0;1,234\n")
    said = [path, "--drug", "naltrexone", *DRAWS]
    assert main(["occupancy", *said]) == 2
    assert "--decimal" in capsys.readouterr().err
    for command in ("occupancy", "simulate"):
        assert main([command, *said, "--decimal", ",", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["protocols"][0]["protocol"] == "naltrexone 1.234 mg po"
        assert "--decimal ," in found["manifest"]["command"]
