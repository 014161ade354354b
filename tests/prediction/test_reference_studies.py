"""Studies of the propositions: what a disabled receptor leaves, and what a study of it would find."""

import numpy as np
import pytest

from gaddum.prediction.predicted_study import ReferenceForecast
from gaddum.prediction.reference_studies import predict_references
from gaddum.surface.cli import main


@pytest.fixture(scope="module")
def found(run, letter) -> ReferenceForecast:
    """By an account that NMDA receptor block alone explains."""
    sure = tuple(fit._replace(probability=float(fit.variant.label == "nmdar")) for fit in run.fits)
    return predict_references(letter, run=run._replace(fits=sure))


def test_every_proposition_of_need_is_asked_in_every_population_and_phase(found, letter) -> None:
    places = {(one.stratum, one.phase) for one in letter.case.anchors}
    for name in ("opioid signalling needed", "NMDAR block needed"):
        assert {(row.stratum, row.phase) for row in found.rows if row.name == name} == places
    assert not any("sufficient" in row.name for row in found.rows)


def test_of_an_account_by_one_receptor_nothing_is_left_without_it_and_all_without_another(found) -> None:
    for row in found.rows:
        left = {"NMDAR block needed": 0.0, "opioid signalling needed": row.effect.median}
        if row.name in left:
            assert abs(row.residual.median - left[row.name]) < 1e-9


def test_what_is_whole_is_seldom_found_abolished_and_what_is_gone_seldom_partly(found) -> None:
    for row in found.rows:
        assert abs(sum(p for _, p in row.verdicts) - 1) < 1e-9
        if row.name == "opioid signalling needed":
            assert row.verdicts.not_abolished > 5 * row.verdicts.abolished
        if row.name == "NMDAR block needed":
            assert row.verdicts.abolished > 5 * row.verdicts.partial


def test_its_error_is_that_of_its_draws(found, run, letter) -> None:
    """Another seed moves what the run does not know, here the deviation of the cohort."""
    fits = tuple(fit._replace(probability=float(fit.variant.label == "nmdar")) for fit in run.fits)
    other = predict_references(letter, run=run._replace(fits=fits), seed=1)
    apart = [
        (mine.verdicts.nothing_to_block - theirs.verdicts.nothing_to_block)
        / np.hypot(mine.error, theirs.error)
        for mine, theirs in zip(found.rows, other.rows, strict=True)
    ]
    assert max(map(abs, apart)) < 4.5


def test_a_page_needs_a_study(capsys, tmp_path) -> None:
    assert main(["predict", "ketamine", "--out", str(tmp_path / "page.html")]) == 2
    assert "A page is of a study" in capsys.readouterr().err
