"""Rows of the prediction test: what came of a blockade, by one rule, on invented studies."""

import pytest
from benchmarks.prediction.rows import EVENTS, NOTHING, Row, blockade_record

from invented import invented_case, invented_study, word


def rows(*outcomes: dict, **about) -> tuple[Row, ...]:
    return blockade_record(invented_case(invented_study("one", *outcomes, **about))).rows


def shares(*outcomes: dict, **about) -> dict[str, float]:
    (row,) = rows(*outcomes, **about)
    return dict(zip(EVENTS, row.shares.tolist(), strict=True))


def certain(event: str) -> dict[str, float]:
    return dict.fromkeys(EVENTS, 0.0) | {event: 1.0}


def p_of(first: str, second: str, p: float, better: str = "first", **about) -> dict:
    return {"form": "p-value", "p": p, "contrast": [first, second], "better": better} | about


@pytest.mark.parametrize(
    "verdict, event",
    [
        ("abolished", "abolished"),
        ("partial", "partial"),
        ("not abolished", "not_abolished"),
        ("enhanced", "not_abolished"),
    ],
)
def test_words_count_by_their_word(verdict: str, event: str):
    assert shares(word(verdict)) == certain(event)


@pytest.mark.parametrize(
    "effect, block, residual, event",
    [
        (0.01, 0.01, 0.30, "abolished"),
        (0.01, 0.01, 0.01, "partial"),
        (0.01, 0.30, 0.30, "not_abolished"),
        (0.01, 0.30, 0.01, "not_abolished"),
    ],
)
def test_numbers_count_by_their_own_p(effect: float, block: float, residual: float, event: str):
    assert shares(p_of("K", "V", effect), p_of("K", "KA", block), p_of("KA", "V", residual)) == certain(event)


def test_a_number_goes_before_the_word_on_the_same_endpoint():
    assert shares(word("abolished"), p_of("K", "KA", 0.4)) == certain("not_abolished")


def test_a_word_says_of_the_residual_what_no_number_does():
    assert shares(word("partial"), p_of("K", "KA", 0.01)) == certain("partial")


def test_a_raised_effect_is_no_block():
    assert shares(p_of("K", "KA", 0.001, better="second")) == certain("not_abolished")


def test_a_residual_of_which_nothing_is_said_is_half_and_half():
    assert shares(p_of("K", "V", 0.01), p_of("K", "KA", 0.01)) == {
        "abolished": 0.5,
        "partial": 0.5,
        "not_abolished": 0.0,
    }


def test_an_effect_that_was_not_found_leaves_nothing_to_block():
    (row,) = rows(p_of("K", "V", 0.4), p_of("K", "KA", 0.01))
    assert row.weight == 0 and row.readings[0].chances[NOTHING] == 1


def test_a_difference_in_the_other_direction_is_no_effect():
    (row,) = rows(p_of("K", "V", 0.001, better="second"), p_of("K", "KA", 0.01))
    assert row.weight == 0


def means(n: int = 10, **of: float) -> dict:
    """Means with an SD of 1; lower is better."""
    arms = {arm: {"mean": mean, "spread": 1, "spread_kind": "SD", "n": n} for arm, mean in of.items()}
    return {"form": "means", "arms": arms}


def test_with_an_antagonist_alone_arm_the_interaction_counts_and_not_the_difference():
    # K lies 2 below KA, but so does V below A: the antagonist does that by itself
    crossed = means(V=0, K=-3, KA=-1, A=2)
    assert shares(crossed, arms="V K KA A") == certain("not_abolished")
    assert shares(means(V=0, K=-3, KA=-1)) == certain("partial")


def test_with_an_antagonist_alone_arm_the_residual_is_over_that_arm():
    assert shares(means(V=0, K=-3, KA=-3.2, A=-3), arms="V K KA A") == certain("abolished")


def test_interaction_of_four_means_is_the_test_of_its_design():
    # t = 2.05 sqrt(10) / 2 = 3.24 at 36 df, p = .0026; and t = 1.2 sqrt(10) / 2 = 1.90, p = .066
    assert shares(means(V=0, K=-2.05, KA=0, A=0), arms="V K KA A") == certain("abolished")
    assert shares(means(V=0, K=-1.2, KA=0, A=0), arms="V K KA A") == certain("not_abolished")


def test_a_reported_interaction_is_the_block():
    crossed = {"form": "interaction", "statistic": "F", "arms": ["K", "V", "KA", "A"], "df": 36}
    found = (p_of("K", "V", 0.01), p_of("KA", "A", 0.5))
    assert shares(crossed | {"value": 9.0}, *found, arms="V K KA A") == certain("abolished")
    assert shares(crossed | {"value": 3.0}, *found, arms="V K KA A") == certain("not_abolished")


def test_unknown_sizes_are_averaged_over():
    statistic = {"form": "test", "statistic": "t", "value": 2.15, "contrast": ["K", "KA"], "better": "first"}
    found = shares(statistic, word("abolished"), n=None)
    # critical t is 2.23 at n = 6, 2.18 at 7, 2.14 at 8: sizes of the prior on both sides of it
    assert 0 < found["not_abolished"] < 1 and found["abolished"] == pytest.approx(1 - found["not_abolished"])


@pytest.mark.parametrize("again, event", [(0, "abolished"), (1, "partial"), (6, "not_abolished")])
def test_a_retest_keeps_a_residual_if_one_responds(again: int, event: str):
    retest = {"arm": "KA", "among_responders_of": "K", "responders": again, "n": 9}
    counts = {"form": "responders", "criterion": "half", "counts": {"K": {"responders": 9, "n": 12}}}
    assert shares(counts | {"retest": retest}, arms="K KA", n=12, design="crossover") == certain(event)


def test_endpoints_of_a_row_share_it():
    found = shares(word("abolished"), word("not abolished", endpoint="tail"), endpoints="swim tail")
    assert found == {"abolished": 0.5, "partial": 0.0, "not_abolished": 0.5}


def test_an_endpoint_that_the_record_does_not_score_is_no_reading():
    found = shares(word("abolished"), word("partial", endpoint="tail", primary=False), endpoints="swim tail")
    assert found == certain("abolished")
    assert rows(word("partial", primary=False)) == ()


def test_a_statistic_that_is_not_scored_goes_before_means_that_are():
    statistic = {"form": "test", "statistic": "t", "value": 3.0, "df": 9, "better": "first", "primary": False}
    found = (
        means(V=2, K=-1, KA=-1.1),
        statistic | {"contrast": ["K", "KA"]},
        p_of("KA", "V", 0.5, primary=False),
    )
    assert shares(*found) == certain("abolished")
    assert shares(*found[:1]) == certain("not_abolished")


def test_rows_of_a_cohort_share_a_weight_of_one():
    stressed = invented_study("two", word("partial"), cohort="one", subject={"stress": "stressed"}, year=2022)
    nothing = invented_study(
        "three", word("partial"), p_of("K", "V", 0.4), cohort="one", subject={"sex": "male"}
    )
    record = blockade_record(invented_case(invented_study("one", word("abolished")), stressed, nothing))
    assert sorted(row.weight for row in record.rows) == [0.0, 0.5, 0.5]
    assert {row.cohort for row in record.rows} == {"one"} and len(record.scored) == 2


def test_a_row_has_the_year_of_its_first_report():
    later = invented_study("two", word("partial"), cohort="one", year=2022)
    (row,) = blockade_record(invented_case(invented_study("one", word("abolished"), year=2019), later)).rows
    assert row.year == 2019 and len(row.readings) == 2


def test_a_laboratory_without_a_name_is_its_cohort():
    (named,), (nameless,) = rows(word("partial"), lab="Elm"), rows(word("partial"))
    assert (named.laboratory, nameless.laboratory) == ("Elm", "one")


def test_blockades_of_which_nothing_can_be_read_are_listed_with_the_reason():
    told = {"form": "narrative", "text": "It stopped.", "why": "No number."}
    record = blockade_record(invented_case(invented_study("one", told)))
    assert record.rows == () and record.unread[0].reason == "Not scored. No number."


def test_the_blockade_of_another_drug_is_no_row():
    study = invented_study("one", word("abolished"))
    text = study.model_dump_json().replace('"drug":"ketamine"', '"drug":"memantine"')
    assert blockade_record(invented_case(type(study).model_validate_json(text))).rows == ()


def test_the_digest_is_of_the_studies_and_not_of_the_accounts():
    case = invented_case(invented_study("one", word("abolished")))
    fewer = case.case.model_copy(update={"hypotheses": case.case.hypotheses[:2]})
    other = invented_case(invented_study("one", word("partial")))
    digest = blockade_record(case).digest
    assert blockade_record(type(case)(fewer, case.library, case.ledger, case.folder)).digest == digest
    assert blockade_record(other).digest != digest
