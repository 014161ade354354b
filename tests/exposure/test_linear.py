"""Linear compartments under dosing records, against a program that really gives every dose."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum.exposure.advan import ADVAN_PARAMETERS, advan_system
from gaddum.exposure.dosing import DosingEvent, Entry, amounts
from gaddum.exposure.linear import LinearSystem, constant_steady_state, propagator
from reference.predpp import amounts_by_brute_force

VALUES = {"CL": 5.0, "V": 22.0, "V1": 18.0, "V2": 25.0, "V3": 40.0, "V4": 30.0, "KA": 0.9}
VALUES |= {"Q": 4.0, "Q2": 3.0, "Q3": 2.5, "Q4": 4.0}
SYSTEMS = {advan: {name: VALUES[name] for name in names} for advan, names in ADVAN_PARAMETERS.items()}
EXTRA = {"F1": 0.7, "ALAG1": 1.5, "R1": 9.0, "D1": 3.5, "F2": 0.9, "ALAG2": 0.4, "R2": 20.0, "D2": 2.0}
TIMES = (0.0, 0.5, 1.5, 4.0, 8.0, 11.9, 12.0, 13.5, 24.0, 31.0, 36.0, 50.0)


def seen(*rows, until=None, after=TIMES):
    """Dosing rows followed (in time) by observations; at equal times the rows come first."""
    rows = [{"EVID": 1, **row} for row in rows]
    looks = [{"EVID": 0, "TIME": t} for t in after if until is None or t <= until]
    return sorted(rows + looks, key=lambda row: row["TIME"])


def dose(t=0.0, amt=100.0, **more):
    return {"TIME": t, "AMT": amt, **more}


SS = {"SS": 1, "II": 12.0}
PLAIN = {
    "bolus": seen(dose()),
    "infusion": seen(dose(RATE=25.0)),
    "modelled rate": seen(dose(RATE=-1)),
    "modelled duration": seen(dose(RATE=-2)),
    "overlapping infusions": seen(dose(RATE=10.0), dose(2.0, RATE=20.0), dose(4.0, 30.0)),
    "additional boluses": seen(dose(ADDL=3, II=8.0)),
    "additional infusions longer than the interval": seen(dose(RATE=5.0, ADDL=2, II=6.0)),
    "additional modelled durations": seen(dose(RATE=-2, ADDL=2, II=6.0)),
    "dose into the last compartment": seen(dose(CMT=-1), dose(4.0, 50.0)),
    "steady state of boluses": seen(dose(**SS)),
    "steady state of infusions": seen(dose(RATE=25.0, **SS)),
    "steady state of infusions as long as the interval": seen(dose(amt=120.0, RATE=10.0, **SS)),
    "steady state of infusions longer than the interval": seen(dose(RATE=3.3, **SS)),
    "steady state of modelled rates": seen(dose(RATE=-1, **SS)),
    "steady state of modelled durations": seen(dose(RATE=-2, SS=1, II=2.5)),
    "steady state and additional boluses": seen(dose(ADDL=2, **SS)),
    "steady state and additional long infusions": seen(dose(RATE=3.3, ADDL=2, **SS)),
    "steady state added to what is there": seen(dose(), dose(4.0, 40.0, SS=2, II=12.0)),
    "steady state of infusions added to one running": seen(
        dose(RATE=8.0), dose(4.0, 40.0, SS=2, II=12.0, RATE=3.0)
    ),
    "morning and evening": seen(dose(0.0, 80.0, SS=1, II=24.0, ADDL=1), dose(8.0, 50.0, SS=2, II=24.0, ADDL=1)),
    "steady state wipes what was pending": seen(
        dose(ADDL=9, II=4.0), dose(1.0, RATE=5.0), dose(8.0, 60.0, SS=1, II=12.0)
    ),
    "SS 3 is SS 1": seen(dose(), dose(4.0, 60.0, SS=3, II=12.0)),
    "constant infusion since ever": seen(dose(amt=0.0, RATE=9.0, SS=1)),
    "constant infusion of modelled rate": seen(dose(amt=0.0, RATE=-1, SS=1)),
    "constant infusion added to what is there": seen(dose(RATE=10.0), dose(4.0, 0.0, RATE=9.0, SS=2)),
    "reset": seen(dose(RATE=5.0, ADDL=5, II=6.0), {"TIME": 8.0, "EVID": 3}),
    "reset of a lagged dose": seen(dose(), {"TIME": 0.2, "EVID": 3}, dose(4.0, 10.0)),
    "reset and dose": seen(dose(ADDL=5, II=6.0), dose(8.0, 30.0, EVID=4)),
    "reset and dose with additional doses": seen(dose(ADDL=9, II=6.0), dose(8.0, 30.0, EVID=4, ADDL=2, II=5.0)),
    "reset and steady state": seen(dose(ADDL=9, II=6.0), dose(8.0, 30.0, EVID=4, SS=1, II=12.0)),
    "reset and steady state added": seen(dose(ADDL=9, II=6.0), dose(8.0, 30.0, EVID=4, SS=2, II=12.0)),
    "other event": seen(dose(), {"TIME": 4.0, "EVID": 2}, dose(4.0, 20.0)),
    "observation before the dose of the same time": [{"EVID": 0, "TIME": 0.0}, {"EVID": 1, **dose()}]
    + seen(after=TIMES[:5]),
    "two doses and an observation between them at one time": [
        {"EVID": 1, **dose(2.0)}, {"EVID": 0, "TIME": 2.0}, {"EVID": 1, **dose(2.0, 7.0)}, *seen(after=TIMES[3:]),
    ],
    "time goes back at a reset": seen(dose(), until=12.0)
    + [{"EVID": 4, **dose(0.0, 55.0, RATE=11.0)}]
    + seen(after=TIMES[:6]),
}  # fmt: skip
LONG_LAG = {
    "lag as long as the interval": seen(dose(SS=1, II=12.0, ADDL=1)),
    "lag longer than the interval": seen(dose(SS=1, II=8.0, ADDL=1)),
    "lag of two intervals and a half": seen(dose(SS=1, II=4.8, ADDL=3)),
    "infusions with a lag longer than the interval": seen(dose(SS=1, II=5.0, ADDL=1, RATE=12.0)),
    "steady state with a long lag added to what is there": seen(dose(), dose(3.0, SS=2, II=5.0, ADDL=1)),
}


def by_engine(advan, parameters, rows):
    system = advan_system(advan, {name: parameters[name] for name in ADVAN_PARAMETERS[advan]})
    entries = {
        number: Entry(
            parameters.get(f"F{number}", 1.0),
            parameters.get(f"ALAG{number}", 0.0),
            parameters.get(f"R{number}"),
            parameters.get(f"D{number}"),
        )
        for number in range(1, system.size + 1)
    }
    return amounts(system, [event(row) for row in rows], entries)


def event(row):
    return DosingEvent(
        row["TIME"], row["EVID"], row.get("AMT", 0.0), row.get("RATE", 0.0), row.get("CMT", 0), row.get("II", 0.0),
        row.get("ADDL", 0), row.get("SS", 0),
    )  # fmt: skip


def assert_agree(advan, parameters, rows):
    size = advan_system(advan, SYSTEMS[advan]).size
    rows = [{**row, "CMT": size} if row.get("CMT") == -1 else row for row in rows]
    ours, theirs = by_engine(advan, parameters, rows)[:, :-1], amounts_by_brute_force(advan, parameters, rows)
    assert theirs.max() > 1
    assert np.abs(ours - theirs).max() < 1e-6 * theirs.max()


def with_lag(extra, lag):
    return {**extra, "ALAG1": lag, "ALAG2": lag}


@pytest.mark.parametrize("name", PLAIN)
def test_amounts_agree_with_doses_really_given_without_lag(name):
    assert_agree(2, SYSTEMS[2] | with_lag(EXTRA, 0.0), PLAIN[name])


@pytest.mark.slow
@pytest.mark.parametrize("advan", SYSTEMS)
@pytest.mark.parametrize("lag", [0.0, 0.6, 1.5, 2.2])
@pytest.mark.parametrize("name", PLAIN)
def test_amounts_agree_with_doses_really_given(name, lag, advan):
    assert_agree(advan, SYSTEMS[advan] | with_lag(EXTRA, lag), PLAIN[name])


@pytest.mark.parametrize(
    "name", ["steady state of boluses", "steady state and additional long infusions", "morning and evening"]
)
@pytest.mark.parametrize("lag", [1.5, 7.0, 11.5])
def test_lagged_steady_state_agrees_with_doses_really_given(name, lag):
    assert_agree(4, SYSTEMS[4] | with_lag(EXTRA, lag), PLAIN[name])


@pytest.mark.parametrize("name", LONG_LAG)
def test_steady_state_with_a_lag_beyond_the_interval_is_what_doses_really_given_leave(name):
    assert_agree(2, SYSTEMS[2] | with_lag(EXTRA, 12.0), LONG_LAG[name])


@st.composite
def histories(draw):
    """A system with its entries, and a history of doses and looks, as plain numbers (beartype draws at random)."""
    advan = draw(st.sampled_from(sorted(SYSTEMS)))
    rate = st.floats(0.05, 20.0)
    parameters = {name: draw(rate) for name in ADVAN_PARAMETERS[advan]}
    entry = st.tuples(st.floats(0.1, 1.0), st.sampled_from([0.0, 0.5, 3.0]), rate, rate)
    dose = st.tuples(st.floats(0.1, 100.0), st.sampled_from([0.0, 0.0, 7.0, -1.0, -2.0]), st.integers(0, 1),
                     st.just(6.0), st.integers(0, 3), st.sampled_from([0, 0, 2]))  # fmt: skip
    steps = st.tuples(st.sampled_from([0.0, 0.25, 1.0, 7.0]), st.none() | dose)
    return advan, parameters, draw(entry), draw(st.lists(steps, min_size=1, max_size=8))


def built(history):
    advan, parameters, entry, steps = history
    events, now = [], 0.0
    for step, dose_ in steps:
        now += step
        events.append(DosingEvent(now, 1, *dose_) if dose_ else DosingEvent(now))
    return advan_system(advan, parameters), {1: Entry(*entry)}, [*events, DosingEvent(now + 1e4)]


@given(histories())
@settings(max_examples=30, deadline=None)
def test_nothing_is_lost_whatever_the_history(history):
    system, entries, events = built(history)
    events = [replace(event, steady_state=0) for event in events]
    given_ = sum(
        entries[event.compartment or 1].bioavailability * event.amount * (1 + event.additional)
        for event in events
    )
    in_all = amounts(system, events, entries)[-1].sum()
    assert in_all == pytest.approx(given_, rel=1e-10, abs=1e-10)


@given(histories())
@settings(max_examples=30, deadline=None)
def test_histories_of_single_doses_add_up(history):
    system, entries, events = built(history)
    together = amounts(system, events, entries)
    alone = sum(
        amounts(system, [one if i == j else DosingEvent(one.time) for j, one in enumerate(events)], entries)
        for i, event in enumerate(events)
        if event.evid == 1
    )
    assert np.abs(together - alone).max() <= 1e-9 * max(1.0, np.abs(together).max())


@given(histories(), st.floats(1.0, 10.0))
@settings(max_examples=30, deadline=None)
def test_more_of_every_dose_is_more_everywhere(history, factor):
    system, entries, events = built(history)
    more = [replace(event, amount=event.amount * factor) for event in events]
    low, high = amounts(system, events, entries), amounts(system, more, entries)
    assert np.all(high >= low - 1e-9 * max(1.0, high.max()))


@given(histories())
@settings(max_examples=15, deadline=None)
def test_steady_state_is_where_further_doses_lead_back(history):
    system, entries, events = built(history)
    dose = next((event for event in events if event.evid == 1), DosingEvent(0.0, 1, 5.0, interval=6.0))
    first = replace(dose, time=0.0, steady_state=1, additional=400)
    looks = [DosingEvent(t) for t in (0.0, 1.3, 5.9, 6.0 * 400, 6.0 * 400 + 1.3, 6.0 * 400 + 5.9)]
    looks = [replace(look, time=look.time + entries[1].lag) for look in looks]
    at = amounts(system, [first, *looks], entries)[1:, :-1]
    assert np.abs(at[:3] - at[3:]).max() <= 1e-8 * max(1.0, at.max())


def test_one_compartment_infusion_is_the_textbook_formula():
    rate, k, volume = 10.0, 0.25, 20.0
    events = [DosingEvent(0.0, 1, 40.0, rate), DosingEvent(3.0), DosingEvent(4.0), DosingEvent(9.0)]
    system = advan_system(1, {"CL": k * volume, "V": volume})
    top = rate / k * (1 - np.exp(-4 * k))
    expected = [0.0, rate / k * (1 - np.exp(-3 * k)), top, top * np.exp(-5 * k)]
    assert amounts(system, events)[:, 0] == pytest.approx(expected, rel=1e-13)


def test_absorption_as_fast_as_elimination_is_the_limit_k_t_exp_minus_k_t():
    k, volume = 0.3, 10.0
    system = advan_system(2, {"CL": k * volume, "V": volume, "KA": k})
    after = amounts(system, [DosingEvent(0.0, 1, 1.0), DosingEvent(2.0), DosingEvent(50.0)])[1:, 1]
    assert after == pytest.approx([k * 2 * np.exp(-k * 2), k * 50 * np.exp(-k * 50)], rel=1e-9)


def test_circular_flow_oscillates_without_loss():
    rates = np.array([[-1.0, 0.0, 1.0], [1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    after = propagator(LinearSystem(rates))(np.array([3.0, 0.0, 0.0, 0.0]), np.zeros(4), 40.0)
    assert after == pytest.approx([1.0, 1.0, 1.0, 0.0], abs=1e-12)


def test_constant_inflow_settles_at_rate_over_clearance():
    system = advan_system(11, SYSTEMS[11])
    assert constant_steady_state(system, 1, 10.0)[0] / system.volume == pytest.approx(
        10.0 / SYSTEMS[11]["CL"]
    )


def test_additional_dose_due_at_an_observation_enters_first_though_times_are_rounded():
    system = advan_system(1, SYSTEMS[1] | {"CL": 0.0})
    events = [DosingEvent(0.0, 1, 1.0, interval=0.1, additional=5), DosingEvent(0.3), DosingEvent(0.5)]
    assert amounts(system, events)[1:, 0].tolist() == [4.0, 6.0]


def test_a_hundred_thousand_doses_are_allowed_and_one_more_is_not():
    system = advan_system(1, SYSTEMS[1])
    assert amounts(system, [DosingEvent(0.0, 1, 1.0, interval=1.0, additional=99_999)])[0, 0] == 1.0
    with pytest.raises(ValueError, match="at most 100000 doses"):
        amounts(system, [DosingEvent(0.0, 1, 1.0, interval=1.0, additional=100_000)])


@pytest.mark.parametrize(
    ("events", "entries", "message"),
    [
        ([DosingEvent(1.0), DosingEvent(0.5)], {}, "must not go back .* got 0.5 h after 1 h"),
        ([DosingEvent(float("nan"))], {}, "time of an event must be finite"),
        ([DosingEvent(0.0, 5)], {}, "EVID must be 0, 1, 2, 3 or 4; got 5"),
        ([DosingEvent(0.0, 2, compartment=-1)], {}, "cannot be turned off"),
        ([DosingEvent(0.0, 1, 1.0, compartment=3)], {}, "compartment of 1 to 2; got 3"),
        ([DosingEvent(0.0, 1, 0.0)], {}, "must have a positive AMT"),
        ([DosingEvent(0.0, 1, -1.0)], {}, "AMT of a dose must be positive"),
        ([DosingEvent(0.0, 1, 1.0, additional=1)], {}, "positive interval II"),
        ([DosingEvent(0.0, 1, 1.0, additional=-5, interval=1.0)], {}, "ADDL must not be negative"),
        ([DosingEvent(0.0, 1, 1.0, -1)], {}, "RATE -1 needs the rate R1"),
        ([DosingEvent(0.0, 1, 1.0, -2)], {}, "RATE -2 needs the duration D1"),
        ([DosingEvent(0.0, 1, 1.0, -3)], {}, "RATE must be 0, positive, -1 or -2"),
        ([DosingEvent(0.0, 1, 1e300, 1e-300)], {}, "duration F AMT / RATE"),
        ([DosingEvent(0.0, 1, 1.0, 1e-9, interval=1.0, steady_state=1)], {}, "last at most 1000 intervals"),
        ([DosingEvent(0.0, 1, 9.0, interval=2.0, steady_state=1)], {1: Entry(lag=3000.0)}, "a lag at steady state"),
        ([DosingEvent(0.0, 1, 9.0, 1.0, duration=3.0)], {}, "duration must be positive and finite, and stand without"),
        ([DosingEvent(0.0, 1, 1.0), DosingEvent(1e308), DosingEvent(2e308)], {}, "finite|floating point"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_what_must_hold(events, entries, message):
    with pytest.raises(ValueError, match=message):
        amounts(advan_system(2, SYSTEMS[2]), events, entries)


def test_steady_state_without_a_way_out_is_refused():
    with pytest.raises(ValueError, match="way out; compartment 1 has none"):
        amounts(
            advan_system(1, {"CL": 0.0, "V": 1.0}), [DosingEvent(0.0, 1, 1.0, interval=1.0, steady_state=1)]
        )


@pytest.mark.parametrize(
    ("advan", "parameters", "message"),
    [
        (5, {}, "ADVAN must be one of 1, 2, 3, 4, 11, 12"),
        (1, {"CL": 1.0}, "must have the parameters CL, V; got CL"),
        (1, {"CL": -1.0, "V": 1.0}, "CL must be non-negative"),
        (1, {"CL": 1.0, "V": 0.0}, "V must be positive"),
        (1, {"CL": float("inf"), "V": 1.0}, "CL must be non-negative and finite"),
    ],
)
def test_unusable_parameters_are_refused(advan, parameters, message):
    with pytest.raises(ValueError, match=message):
        advan_system(advan, parameters)


@pytest.mark.parametrize("rates", [[[1.0]], [[-1.0, -0.5], [0.0, 0.0]], [[-1.0, 0.0]], [[np.nan]]])
def test_matrix_that_is_no_system_of_compartments_is_refused(rates):
    with pytest.raises(ValueError, match="must"):
        LinearSystem(np.array(rates))
