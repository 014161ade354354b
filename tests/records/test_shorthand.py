import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum.records.dose import HELD, Dose
from gaddum.records.shorthand import parse_doses, write_doses


def dose(**fields):
    return Dose(**{"drug": "ketamine", "amount": "10 mg/kg", "route": "ip"} | fields)


INFUSED = {"amount": "0.5 mg/kg", "route": "iv infusion", "duration": "40 min"}
NALTREXONE = {"drug": "naltrexone", "amount": "50 mg", "route": "po"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("naltrexone 1 mg/kg sc at -1 h", dose(drug="naltrexone", amount="1 mg/kg", route="sc", time="-1 h")),
        ("ketamine 0.5 mg/kg iv over 40 min", dose(**INFUSED)),
        ("ketamine 0.5 mg/kg iv infusion over 40 min", dose(**INFUSED)),
        ("ketamine 0.5 mg/kg iv bolus", dose(amount="0.5 mg/kg", route="iv bolus")),
        ("ketamine 0.5 mg/kg i.v.", dose(amount="0.5 mg/kg", route="iv bolus")),
        ("ketamine 10 mg/kg ip at 0 h", dose()),
        ("  ketamine\t10mg/kg   IP  ", dose()),
        ("naltrexone 50 mg po every 24 h x 7 from -144 h",
         dose(**NALTREXONE, interval="24 h", repeats=7, time="-144 h")),
        ("naltrexone 50 mg orally daily 7 times", dose(**NALTREXONE, interval="24 h", repeats=7)),
        ("naltrexone 50 mg oral every 24 h at steady state", dose(**NALTREXONE, interval="24 h", steady_state=True)),
        ("naltrexone 50 mg p.o. daily \u00d7 3 at steady state at \u22122 h",
         dose(**NALTREXONE, interval="24 h", steady_state=True, repeats=3, time="-2 h")),
        ("naltrexone 380 mg depot at -72 h", dose(drug="naltrexone", amount="380 mg", route="depot", time="-72 h")),
        ("naltrexone 380 mg XR", dose(drug="naltrexone", amount="380 mg", route="depot")),
        ("naltrexone 380 mg im depot", dose(drug="naltrexone", amount="380 mg", route="depot")),
        ("morphine 5 mg im", dose(drug="morphine", amount="5 mg", route="im")),
        ("CTAP 1 uM bath for 30 min at -15 min",
         dose(drug="CTAP", amount="1 uM", route="bath", duration="30 min", time="-15 min")),
        ("ketamine 10 mg/kg s.c. as base", dose(route="sc", salt="base")),
        ("ketamine 10 mg/kg as salt subcutaneous", dose(route="sc", salt="salt")),
        ("ketamine 1 mg/kg intranasally", dose(amount="1 mg/kg", route="intranasal")),
        ("ketamine 1 mg/kg in", dose(amount="1 mg/kg", route="intranasal")),
        ("ketamine 1 mg/kg sl", dose(amount="1 mg/kg", route="sublingual")),
        ("nitrous oxide 2 mM inhaled for 1 h",
         dose(drug="nitrous oxide", amount="2 mM", route="inhaled", duration="1 h")),
        ("(2R,6R)-hydroxynorketamine 10 mg/kg ip", dose(drug="(2R,6R)-hydroxynorketamine")),
        ("(+)-MK-801 0.1 mg/kg ip", dose(drug="(+)-MK-801", amount="0.1 mg/kg")),
        ("LY 379268 3 mg/kg ip", dose(drug="LY 379268", amount="3 mg/kg")),
        ("6-beta-naltrexol 3 mg / kg ip", dose(drug="6-beta-naltrexol", amount="3 mg/kg")),
        ("5-HT 2A 3 mg/kg ip", dose(drug="5-HT 2A", amount="3 mg/kg")),
        ("compound 48/80 1e-3 mmol/kg ip", dose(drug="compound 48/80", amount="1e-3 mmol/kg")),
        ("ketamine (10 mg/kg, i.p.)", dose()),
        ("ketamine, 10 mg/kg, i.p.", dose()),
        ("ketamine 10 mg/kg,ip", dose()),
        ("(2R,6R)-HNK (10 mg/kg, i.p.)", dose(drug="(2R,6R)-HNK")),
        ("ketamine 10 mg/kg intraperitoneally", dose()),
        ("ketamine 10 mg/kg intraperitoneal", dose()),
        ("ketamine 10 mg/kg i.p", dose()),
        ("ketamine 10 mg/kg ip.", dose()),
        ("ketamine 10 mg kg\u22121 i.p.", dose(amount="10 mg kg-1")),
        ("ketamine 10\u00a0mg\u00b7kg\u207b\u00b9 i.p.", dose(amount="10 mg\u00b7kg-1")),
        ("ketamine (10 mg/kg body weight, i.p.)", dose(amount="10 mg/kg body weight")),
        ("ketamine 10 mg per kg ip", dose(amount="10 mg per kg")),
        ("CTAP 3x10-7 M bath", dose(drug="CTAP", amount="3x10-7 M", route="bath")),
        ("CTAP 10\u207b\u2076 M bath", dose(drug="CTAP", amount="10^-6 M", route="bath")),
        ("naltrexone 50 mg by mouth q24h x 7", dose(**NALTREXONE, interval="24 h", repeats=7)),
        ("naltrexone 50 mg po QD x 7", dose(**NALTREXONE, interval="24 h", repeats=7)),
        ("naltrexone 50 mg po b.i.d. for 3 days", dose(**NALTREXONE, interval="12 h", repeats=6)),
        ("naltrexone (50 mg, p.o., once daily for 7 days)", dose(**NALTREXONE, interval="24 h", repeats=7)),
        ("naltrexone 50 mg p.o. every day for 7 days", dose(**NALTREXONE, interval="24 h", repeats=7)),
        ("naltrexone 50 mg p.o. for 1 week every day", dose(**NALTREXONE, interval="24 h", repeats=7)),
        ("naltrexone 50 mg p.o. daily for 1 day", dose(**NALTREXONE)),
        ("naltrexone 50 mg p.o. every other day for 6 days", dose(**NALTREXONE, interval="48 h", repeats=3)),
        ("naltrexone (50 mg, p.o.) 1 h before", dose(**NALTREXONE, time="-1 h")),
        ("naltrexone 50 mg po 30 min prior", dose(**NALTREXONE, time="-30 min")),
        ("naltrexone 50 mg po, 2 h after", dose(**NALTREXONE, time="2 h")),
        ("ketamine 0.5 mg/kg intravenously over 40 min", dose(**INFUSED)),
    ],
)  # fmt: skip
def test_a_dose_is_read_as_it_is_meant(text, expected):
    assert parse_doses(text) == (expected,)


@pytest.mark.parametrize("joined", [" + ", "; ", ";", " ;  "])
def test_several_doses_form_a_protocol(joined):
    text = joined.join(["naltrexone 1 mg/kg sc at -1 h", "ketamine 10 mg/kg ip", "(+)-MK-801 1 mg/kg ip"])
    assert [one.drug for one in parse_doses(text)] == ["naltrexone", "ketamine", "(+)-MK-801"]


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("", 0, "a drug and an amount, such as ketamine 10 mg/kg; got the end"),
        ("ketamine", 0, "a drug and an amount"),
        ("ketamine 10", 0, "a drug and an amount"),
        ("ketamine 10 mg/kg", 17, "a route .* got the end"),
        ("ketamine 10 mg/kg foo at 0 h", 18, "a route .iv bolus, iv infusion, ip, sc.* got 'foo'"),
        ("ketamine 10 mg/kg ip at", 23, "a number with unit, such as 40 min, or 'steady state'; got the end"),
        ("ketamine 10 mg/kg ip at noon", 24, "a number with unit"),
        ("ketamine 10 mg/kg ip over 40 min", 18, "'iv', for a dose that is given over a time; got 'ip'"),
        ("ketamine 10 mg/kg iv bolus over 40 min", 18, "'iv', for a dose"),
        ("ketamine 10 mg/kg ip for 40 min", 18, "held .inhaled, bath, local."),
        ("ketamine 10 mg/kg iv infusion", 0, "must have a duration"),
        ("ketamine 10 mg/kg ip every 24 h", 0, "an interval `repeats` or `steady_state`"),
        ("ketamine 10 mg/kg ip x 7", 0, "must have an `interval`"),
        ("ketamine 10 mg/kg ip at 1 h at 2 h", 31, "no second time"),
        ("ketamine 10 mg/kg ip at 5 mg", 24, "a time .*units of h; got '5 mg'"),
        ("ketamine 10 mg/kg ip daily x 0", 0, "greater than 0"),
        ("ketamine 10 mg/kgg ip", 9, "a dose .*not a known unit"),
        ("ketamine 10 uM ip", 9, "a dose .*units of mg"),
        ("ketamine 10 mg/kg bath", 9, "a concentration .*units of nM"),
        ("ketamine -1 mg po", 0, "must not be negative"),
        ("ketamine 10 mg/kg ip +", 22, "a drug and an amount.* got the end"),
        (
            "ketamine 10 mg/kg ip naloxone 1 mg/kg sc",
            21,
            "'at' and a time, or .*, or the end; got 'naloxone'",
        ),
        ("ketamine 10 mg/kg icv", 18, "a route .* got 'icv'"),
        ("ketamine 10 mg/kg ip daily for 30 h", 31, "a whole number of intervals"),
        ("ketamine 10 mg/kg ip daily x 3 for 3 days", 35, "no second number of doses"),
        ("ketamine 10 mg/kg ip -1 h before", 21, "without a sign"),
        ("ketamine 10 mg/kg ip 1 h before at 2 h", 35, "no second time"),
        ("ketamine 10 mg/kg ip b.i.d. every 8 h", 34, "no second interval"),
        ("ketamine 10 mg/kg ip; foo", 22, "a drug and an amount.* got 'foo'"),
    ],
)
def test_an_error_points_at_the_place_and_says_what_may_stand_there(text, place, told):
    with pytest.raises(ValueError, match=told) as caught:
        parse_doses(text)
    shown, caret = str(caught.value).splitlines()[-2:]
    assert caret == " " * (2 + place) + "^"
    assert shown.strip() == text.strip()


def test_an_error_in_a_long_text_shows_only_its_surroundings():
    with pytest.raises(ValueError) as caught:
        parse_doses(
            "ketamine 10 mg/kg ip; " * 100 + "naloxone 1 mg/kg nowhere; " + "ketamine 10 mg/kg ip; " * 20
        )
    told, shown, caret = str(caught.value).splitlines()
    assert shown[len(caret) - 1 :].startswith("nowhere") and len(shown) < 110
    assert told.startswith(f"At character {22 * 100 + 18} ")


def test_a_text_beyond_all_measure_is_refused():
    with pytest.raises(ValueError, match="at most 4000 characters; got 40000"):
        parse_doses("k" * 40000)


def quantities(*units):
    size = st.sampled_from(["1", "0.5", "10", "2.25", "1e-3", "380"])
    return st.tuples(size, st.sampled_from(units)).map(" ".join)


TIMES = ("h", "min", "d", "s")
WORDS = st.from_regex(r"[A-Za-z(][A-Za-z0-9(),/'+-]{0,9}", fullmatch=True)
WORDS |= st.sampled_from(["48/80", "2A", "6-beta", "7"])


@st.composite
def doses(draw):
    route = draw(
        st.sampled_from(
            ["iv bolus", "iv infusion", "ip", "sc", "im", "po", "sublingual", "intranasal", "depot", *HELD]
        )
    )
    words = st.lists(WORDS, min_size=1, max_size=3).filter(
        lambda found: (
            "7" not in found[:-1] and not found[-1].endswith(",")
        )  # as in "7 g", and what ends a name
    )
    fields = {"route": route, "drug": " ".join(draw(words))}
    fields["amount"] = draw(
        quantities("uM", "nM", "mg/L") if route in HELD else quantities("mg", "mg/kg", "ug/kg", "nmol")
    )
    fields["time"] = draw(st.sampled_from(["", "-"])) + draw(quantities(*TIMES))
    fields["salt"] = draw(st.sampled_from(["salt", "base", "unstated"]))
    if route == "iv infusion" or (route in HELD and draw(st.booleans())):
        fields["duration"] = draw(quantities(*TIMES))
    fields |= draw(st.sampled_from([
        {}, {"interval": "8 h", "repeats": 4}, {"interval": "24 h", "steady_state": True},
        {"interval": "1 d", "steady_state": True, "repeats": 2},
    ]))  # fmt: skip
    return Dose(**fields)


@given(st.lists(doses(), min_size=1, max_size=4).map(tuple))
@settings(max_examples=100, deadline=None)
def test_what_is_written_reads_back_the_same(given_):
    assert parse_doses(write_doses(given_)) == given_


@pytest.mark.parametrize(
    "unsayable",
    [
        (),
        (dose(drug="a; b"),),
        (dose(drug="a + b"),),
        (dose(drug="ketamine 5 mg"),),
        (dose(drug="two  spaces"),),
        (dose(amount="10 mg / kg"),),
        (dose(route="iv bolus", duration="1 h"),),
    ],
)
def test_what_cannot_be_said_is_refused(unsayable):
    with pytest.raises(ValueError, match="cannot be said|must read back"):
        write_doses(unsayable)


def test_writing_is_stable():
    text = "naltrexone 50 mg po every 24 h x 7 from -144 h + ketamine 0.5 mg/kg iv over 40 min as salt"
    assert write_doses(parse_doses(text)) == text


SEED = "naltrexone 50 mg po every 24 h x 7 at -1 d + CTAP 1 uM bath for 30 min; (+)-MK-801 1 mg/kg iv over 2 h as base"
PIECES = [
    "",
    " ",
    "+",
    ";",
    "9",
    "-",
    "/",
    "mg",
    " at ",
    " x ",
    "e",
    "\0",
    "\u00b5",
    "1e9999",
    "over",
    "\n",
    "(",
]


@pytest.mark.slow
def test_any_mutated_shorthand_is_read_or_refused():
    rng, read = random.Random(3), 0
    for _ in range(3000):
        text = list(SEED)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(text))
            text[at : at + rng.randint(0, 2)] = rng.choice(PIECES)
        try:
            read += len(parse_doses("".join(text))) > 0
        except ValueError:
            continue
    assert 100 < read < 2900


@given(st.text(alphabet="kmg/i p+;0.5hatx\u00b5(", max_size=60) | st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_is_doses_or_a_value_error(text):
    try:
        assert parse_doses(text)
    except ValueError:
        return


@pytest.mark.parametrize("route", ["i.p.", "IP", "ip.", "intraperitoneal", "i.p"])
def test_a_record_knows_a_route_by_every_spelling_of_shorthand(route):
    assert dose(route=route) == dose()


def test_a_record_takes_iv_with_a_duration_as_an_infusion():
    assert dose(**INFUSED | {"route": "i.v."}) == dose(**INFUSED)


def test_a_record_takes_any_minus_sign():
    assert dose(time="\u22121 h") == dose(time="-1 h")


def test_a_route_in_capitals_of_another_keyboard_is_read():
    assert parse_doses("ketamine 1 mg/kg \u0130P") == parse_doses("ketamine 1 mg/kg ip")


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": "1e308 mg/kg"}, {"amount": "1.1e6 mg/kg"}, {"amount": "2e9 mg"}, {"amount": "1e13 nmol/kg"},
        {"amount": "200 M", "route": "bath"}, {"time": "-1e300 h"}, {"interval": "1 h", "repeats": 999_999},
        {"interval": "1 week", "repeats": 9_999},
    ],
)  # fmt: skip
def test_a_dose_that_nobody_can_give_is_refused(fields):
    with pytest.raises(
        ValueError, match="weigh less than who gets it|within 1e.06 h|less than or equal to 10000"
    ):
        dose(**fields)
