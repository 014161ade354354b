"""The result of a small record: parts add up, every outcome is held out once, and short cuts agree with refits."""

from dataclasses import replace

import jax
import pytest

from gaddum.records.claim import Claim
from gaddum.result_reader import read_result
from gaddum.sampling.settings import Settings
from gaddum.verdict import adjudicate as chain
from gaddum.weigh.comparator import refit, reweigh, without_kinetics
from gaddum.weigh.fitted import SELECTION
from letter import load_letter

pytestmark = pytest.mark.slow

SMALL = Settings(particles=50, lanes=25, sweeps=12, warm_up=4, ess_per_dimension=4.0)
HYPOTHESES = ["nmdar", "nmdar-permissive-opioid", "nothing-specific"]


@pytest.fixture(scope="module")
def case():
    """Two cohorts, one of them with flagged outcomes."""
    loaded = load_letter()
    studies = ("zhang2014", "zhang_hashimoto2019")
    anchors = tuple(a for a in loaded.case.anchors if a.study in studies)
    about = Claim.model_validate(
        {
            "id": "made-up",
            "text": "The permissive account is right.",
            "asks": [{"kind": "accounts", "names": ["nmdar-permissive-opioid"]}],
            "source": {"how": "assumption", "reason": "made up for a test"},
        }
    )

    return replace(
        loaded,
        case=loaded.case.model_copy(update={"anchors": anchors, "claims": (*loaded.case.claims, about)}),
        ledger=loaded.ledger.select(studies),
    )


@pytest.fixture(scope="module")
def run(case):
    """One run with the comparator refitted, and the fits behind it."""
    kept = {}

    def watched(fitted, *given, **options):
        kept["fitted"] = fitted
        return refit(fitted, *given, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain, "refit", watched)
        found = chain.adjudicate(case, hypotheses=HYPOTHESES, settings=SMALL, comparator=True)
    return found.result, kept["fitted"]


@pytest.fixture(scope="module")
def result(run):
    return run[0]


def test_result_is_read_back_from_its_file(result, tmp_path):
    (tmp_path / "result.json").write_text(result.to_json(), encoding="utf-8")
    assert read_result(tmp_path) == result


def test_fit_and_price_add_up_to_the_log_bayes_factor(result):
    for row in result.hypotheses:
        assert row.parts.fit + row.parts.price == pytest.approx(row.log_bf, abs=1e-9)


def test_record_of_verdicts_only_is_all_verdict(result):
    """Every outcome of this record is a verdict on groups of unknown size."""
    for row in result.hypotheses[1:]:
        assert row.parts.verdict_only_share == pytest.approx(1.0)
        assert row.parts.unknown_n == pytest.approx(row.parts.fit)


def test_every_scored_outcome_is_held_out_once(result):
    outcomes = result.held_out
    assert len(outcomes) == sum(row.scored for row in result.studies) == 6
    assert all(0 <= row.lower <= row.pit <= row.upper <= 1 for row in outcomes)


def test_an_outcome_is_foretold_by_what_the_record_says_without_its_cohort(case, result):
    """As a run foretells it that stops before its year; but for the chance that a study fails."""
    first, last = (row.year for row in result.timeline)
    before = chain.adjudicate(case, hypotheses=HYPOTHESES, settings=SMALL, until=first).result
    foretold = {
        (row.study, row.experiment, row.label): row.probability_of_report
        for row in before.forest
        if row.year == last
    }
    assert foretold
    for row in result.held_out:
        key = row.study, row.experiment, row.label
        if key in foretold:
            assert row.upper - row.lower == pytest.approx(foretold[key], abs=0.05)


def test_timeline_goes_from_the_first_year_to_the_result(result):
    years = [row.year for row in result.timeline]
    assert years == sorted(set(years)) and len(years) == 2
    for row in result.timeline:
        assert sum(one.probability for one in row.hypotheses.values()) == pytest.approx(1.0)
    for row in result.hypotheses:
        last = result.timeline[-1].hypotheses[row.name]
        assert last.probability == pytest.approx(row.probability)
        assert last.log_bf == pytest.approx(row.log_bf)


def test_timeline_agrees_with_a_run_that_stops_at_its_year(case, result):
    first = result.timeline[0]
    alone = chain.adjudicate(case, hypotheses=HYPOTHESES, settings=SMALL, until=first.year).result
    for row in alone.hypotheses:
        assert first.hypotheses[row.name].log_bf == pytest.approx(row.log_bf, abs=0.3)


def test_selective_publication_is_part_of_the_set_that_a_verdict_must_survive(result):
    rows = {row.name: row for row in result.sensitivity}
    assert result.flagged == 2
    assert all(rows[name].decides for name in SELECTION)
    assert not rows["without laboratory Hashimoto"].decides


def test_flagged_success_is_worth_less_to_accounts_that_foretold_it(result):
    """Against "nothing specific", the others lose odds the more strongly publication selects."""
    rows = {row.name: row.probabilities for row in result.sensitivity}
    nothing = [
        rows[name]["nothing-specific"] for name in ("parameterisation gate-matched", *SELECTION[1::-1])
    ]
    assert nothing[0] < nothing[1] < nothing[2]


def test_every_claim_is_answered_with_what_would_test_it(result):
    assert result.claims
    for claim in result.claims:
        assert claim.verdict in ("supported", "contradicted", "undecided", "not testable")
        assert claim.would_test
        assert (claim.probability is None) == (claim.verdict == "not testable")


def test_claim_about_an_account_has_that_account_s_probability(result):
    claim = next(c for c in result.claims if c.id == "made-up")
    assert claim.probability == pytest.approx(result.account("nmdar-permissive-opioid").probability)


def test_comparator_by_importance_weights_agrees_with_a_refit(run):
    result, fitted = run
    with jax.enable_x64(True):
        short = without_kinetics(fitted, reweigh(fitted))
    compared = [
        (short[row.name].log_bf, row.without_kinetics.log_bf)
        for row in result.hypotheses
        if short[row.name].mechanism_dependent is not None and not row.reference
    ]
    assert compared
    for by_weights, refitted in compared:
        assert by_weights == pytest.approx(refitted, abs=0.6)
