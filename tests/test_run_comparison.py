"""Run comparison: what differs between two results, and that nothing else is said to."""

import json
import math
from pathlib import Path

import pytest

from gaddum import compare, read_result
from gaddum.change_results import RunComparison
from gaddum.results import AdjudicationResult
from gaddum.surface.cli import main

STORED = Path(__file__).parent / "surface" / "document.json"


@pytest.fixture(scope="module")
def stored() -> AdjudicationResult:
    return read_result(STORED)


def moved(result: AdjudicationResult, shift: float, **rows: object) -> AdjudicationResult:
    """The same result with probability shifted from the first account to the second."""
    one, other, *rest = result.hypotheses
    pair = (
        one.model_copy(update={"probability": one.probability - shift}),
        other.model_copy(update={"probability": other.probability + shift}),
    )
    return result.model_copy(update={"hypotheses": (*pair, *rest), **rows})


def test_a_run_differs_from_itself_in_nothing(stored: AdjudicationResult):
    found = compare(STORED, stored)
    assert found.settings == found.studies == found.priors == ()
    assert {one.change for one in (*found.accounts, *found.propositions)} == {0.0}
    assert found.words[0] == "Both runs have the same records, priors and settings."


def test_change_of_an_account_has_the_error_of_both_evidences(stored: AdjudicationResult):
    shift = min(0.3, stored.hypotheses[0].probability / 2)
    other = moved(stored, shift)
    row = next(one for one in compare(stored, other).accounts if one.name == stored.hypotheses[0].name)
    errors = [
        run.hypotheses[0].probability * (1 - run.hypotheses[0].probability) * stored.hypotheses[0].log_ml_mcse
        for run in (stored, other)
    ]
    assert row.change == pytest.approx(-shift)
    assert row.error == pytest.approx(math.hypot(*errors))


def test_comparing_the_other_way_turns_every_change(stored: AdjudicationResult):
    other = moved(stored, 0.05)
    there, back = compare(stored, other), compare(other, stored)
    for one, same in zip(there.accounts, back.accounts, strict=True):
        assert one.change == pytest.approx(-same.change)  # pyright: ignore[reportOptionalOperand]
        assert one.error == pytest.approx(same.error)


def test_more_draws_make_the_error_of_a_proposition_smaller(stored: AdjudicationResult):
    def errors(factor: float) -> list[float]:
        rows = tuple(
            row.model_copy(update={"ess": row.ess * factor, "log_ml_mcse": row.log_ml_mcse / factor})
            for row in stored.hypotheses
        )
        run = stored.model_copy(update={"hypotheses": rows})
        return [one.error or 0.0 for one in compare(run, run).propositions]

    assert all(more < few or few == 0 for more, few in zip(errors(10.0), errors(1.0), strict=True))


def test_a_probability_that_rounding_left_beyond_one_has_no_error(stored: AdjudicationResult):
    first, *rest = stored.propositions
    sure = stored.model_copy(
        update={"propositions": (first.model_copy(update={"probability": 1 + 4e-15}), *rest)}
    )
    assert compare(sure, sure).propositions[0].error == 0.0


def test_a_study_that_one_run_lacks_and_a_setting_that_differs_are_named(stored: AdjudicationResult):
    other = stored.model_copy(update={"studies": stored.studies[1:], "seed": stored.seed + 1})
    found = compare(stored, other)
    assert [(one.name, one.second) for one in found.studies] == [(stored.studies[0].id, None)]
    assert [one.name for one in found.settings] == ["seed"]
    assert f"Only in the first run: {stored.studies[0].id}." in found.words


def test_another_prior_and_another_account_are_named(stored: AdjudicationResult):
    changed = stored.priors[0].model_copy(update={"distribution": "normal(0, 9)"})
    other = stored.model_copy(
        update={"priors": (changed, *stored.priors[1:]), "hypotheses": stored.hypotheses[:-1]}
    )
    found = compare(stored, other)
    assert [one.name for one in found.priors] == [changed.name]
    gone = next(one for one in found.accounts if one.name == stored.hypotheses[-1].name)
    assert gone.after is None and gone.change is None
    assert f"Accounts of the first run only: {gone.title}." in found.words


def test_a_proposition_with_another_word_is_told(stored: AdjudicationResult):
    first, *rest = stored.propositions
    other = stored.model_copy(
        update={
            "propositions": (
                first.model_copy(
                    update={"probability": 0.99, "lower": 0.98, "upper": 1.0, "verdict": "supported"}
                ),
                *rest,
            )
        }
    )
    told = [line for line in compare(stored, other).words if line.startswith(first.name)]
    assert first.word != "supported" and "now \u201csupported\u201d in 1 of" in told[-1]


def test_runs_without_an_account_in_common_are_refused(stored: AdjudicationResult):
    alone = stored.hypotheses[0].model_copy(update={"name": "another"})
    with pytest.raises(ValueError, match="an account in common"):
        compare(stored, stored.model_copy(update={"hypotheses": (alone,)}))


def test_what_is_no_run_is_refused_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["compare", str(tmp_path), str(STORED)]) == 2
    assert "Make one with `gaddum adjudicate CASE --out FOLDER`" in " ".join(capsys.readouterr().err.split())


def test_command_prints_sentences_and_json(tmp_path: Path, stored, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "result.json").write_text(moved(stored, 0.05).to_json(), encoding="utf-8")
    assert main(["compare", str(STORED), str(tmp_path)]) == 0
    assert "the same records, priors and settings" in " ".join(capsys.readouterr().out.split())
    assert main(["compare", str(STORED), str(tmp_path), "--json"]) == 0
    found = RunComparison.model_validate(json.loads(capsys.readouterr().out))
    assert found.accounts == compare(STORED, tmp_path).accounts
    assert found.command == f"gaddum compare {STORED} {tmp_path}"
