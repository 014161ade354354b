import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum.interop.doses import doses_from_events, events_from_doses
from gaddum.interop.event_tables import parse_events
from gaddum.interop.regimens import regimens_from_events, usual_routes
from gaddum.records.dose import Dose
from gaddum.records.shorthand import parse_doses

ROUTES = {1: "po", 2: "iv bolus"}


def test_doses_become_events_with_compartments_rates_and_series():
    table = events_from_doses(
        parse_doses("k 5 mg iv over 30 min at 1 h + k 50 mg po daily x 7 at steady state at -144 h"),
        routes=ROUTES,
    )
    assert [(e.time, e.amt, e.rate, e.evid, e.cmt, e.ii, e.addl, e.ss, e.mdv) for e in table.events] == [
        (-144.0, 50.0, 0.0, 1, 1, 24.0, 6, 1, 1),
        (1.0, 5.0, 10.0, 1, 2, 0.0, 0, 0, 1),
    ]


def test_events_become_doses_and_observations_are_left_out():
    table = parse_events("TIME AMT RATE II ADDL CMT\n0 50 . 12 3 .\n1 . . . . 2\n2 10 5 . . 2\n")
    assert doses_from_events(table, drug="k", unit="mg", routes=ROUTES, salt="base") == (
        Dose(drug="k", amount="50 mg", route="po", time="0 h", interval="12 h", repeats=4, salt="base"),
        Dose(drug="k", amount="10 mg", route="iv infusion", time="2 h", duration="2 h", salt="base"),
    )


@given(
    st.lists(
        st.builds(
            Dose,
            drug=st.just("k"),
            amount=st.sampled_from(["1 mg", "2.5 mg", "400 ug"]),
            route=st.sampled_from(["po", "iv bolus"]),
            time=st.integers(-48, 48).map(lambda t: f"{t} h"),
        ),
        max_size=5,
    )
)
@settings(deadline=None)
def test_doses_by_way_of_a_table_mean_the_same(doses):
    table = events_from_doses(doses, routes=ROUTES)
    back = doses_from_events(table, drug="k", unit="mg", routes=ROUTES)
    assert events_from_doses(back, routes=ROUTES) == table


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("k 1 mg po + l 1 mg po", "one drug; got k, l"),
        ("k 1 mg po + k 1 mg/kg po", "one unit of amount"),
        ("k 1 mg po as salt + k 1 mg po", "one salt or base"),
        ("k 1 mg po + k 1 mg iv daily at steady state at 1 h", "steady state must come first"),
        ("k 1 uM bath", "cannot say a held concentration"),
        ("k 1 mg sc", "route 'sc' must have one compartment in routes; got none"),
    ],
)
def test_doses_that_a_table_cannot_say_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        events_from_doses(parse_doses(text), routes=ROUTES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ID TIME AMT\n1 0 5\n2 0 5\n", "one subject; got 2"),
        ("TIME AMT EVID\n0 5 1\n1 . 3\n", "reset after a dose; got EVID 3 in event 1"),
        ("TIME AMT EVID\n0 5 1\n1 5 4\n", "reset after a dose; got EVID 4"),
        ("TIME AMT SS II\n0 5 2 8\n", "got SS 2 in event 0"),
        ("TIME AMT SS II\n0 5 0 8\n1 5 1 8\n", "steady state of the first only"),
        ("TIME AMT RATE\n0 5 -1\n", "a known rate; got AMT 5, RATE -1"),
        ("TIME AMT RATE SS\n0 0 5 1\n", "must have an amount"),
        ("TIME AMT CMT\n0 5 3\n", "Compartment 3 of event 0 must have a route"),
        ("TIME AMT RATE CMT\n0 5 5 1\n", "intravenous dose may have a rate or a duration; got one by po"),
    ],
)
def test_events_that_doses_cannot_say_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        doses_from_events(parse_events(text), drug="k", unit="mg", routes=ROUTES)


def test_a_duration_in_a_table_is_an_infusion_as_its_rate_would_be():
    routes = usual_routes(parse_events("TIME AMT DUR\n0 35 .5"), {"po"})
    assert routes == {1: "iv bolus"}
    by_rate = doses_from_events(parse_events("TIME AMT RATE\n0 35 70"), drug="k", unit="mg", routes=routes)
    by_length = doses_from_events(parse_events("TIME AMT TINF\n0 35 .5"), drug="k", unit="mg", routes=routes)
    assert by_rate == by_length and by_length[0].duration == "0.5 h"


def test_subjects_called_by_text_are_chosen_by_it():
    table = parse_events("ID TIME AMT\nS01 0 50\nS02 0 25")
    found = regimens_from_events(table, drug="k", unit="mg", routes={1: "po"}, subjects=["S02"])
    assert [(one.subjects, one.doses[0].amount) for one in found] == [(("S02",), "25 mg")]


@pytest.mark.parametrize(
    "text",
    ["TIME,AMT,WT (g)\n0,5,250", "TIME,AMT,WT\nh,mg,g\n0,5,250", "TIME,AMT,wt\n0,5,0.25", "TIME,AMT,WT [kg]\n0,5,.25"],
)  # fmt: skip
def test_a_weight_is_read_in_the_unit_of_its_head(text):
    (found,) = regimens_from_events(parse_events(text), drug="k", unit="mg", routes={1: "po"})
    assert found.weight == "0.25 kg"
