"""The command `gaddum predict`: text, page and JSON of one prediction; refusals in words."""

import json
import shlex
from pathlib import Path

import pytest

import gaddum
from gaddum.prediction.predict import predict
from gaddum.prediction.predicted_study import StudyPrediction
from gaddum.records.ledger import Ledger, load_case
from gaddum.surface.cli import main
from gaddum.surface.predict_page import write_page
from gaddum.surface.predict_terminal import occupied, sentences
from letter import load_letter
from prediction.stored import ABOLISHED, NEW, prior_run, write_run


@pytest.fixture(scope="module")
def found() -> StudyPrediction:
    loaded = load_letter(("zhang_hashimoto2019",))
    (study,) = Ledger.parse([NEW + ABOLISHED]).studies
    made = predict(loaded, study, run=prior_run(loaded))
    return made.with_manifest(command="gaddum predict ketamine new_study.yaml")


def test_words_begin_with_the_most_likely_result_and_end_with_what_came_of_it(found) -> None:
    first, *_, last_but_one, last = sentences(found.outcomes[0])
    best = max(found.outcomes[0].verdicts, key=lambda one: one[1])[0].replace("_", " ")
    assert first.startswith(f"Most likely: {best} (0.")
    assert last_but_one == "It came out as: abolished."
    assert last.startswith("Log score of what is filled in: \u2212")


def test_a_page_stands_alone_with_picture_accounts_and_score(found) -> None:
    page = write_page(found)
    assert page.count("<svg") == 1 and 'src="http' not in page and "<script" not in page
    assert all(row.account in page for row in found.outcomes[0].accounts)
    assert "How well it was foretold" in page and "MOR.tone" in page
    assert "gaddum predict ketamine new_study.yaml" in page


def test_a_notebook_shows_the_chances_and_a_chart_draws_them(found) -> None:
    assert f"{found.outcomes[0].verdicts.abolished:.2f}" in found._repr_html_()
    (rows,) = gaddum.plot(found).to_dict()["datasets"].values()
    averaged = [row["chance"] for row in rows if row["account"] == "averaged"]
    assert abs(sum(averaged) - 1) < 1e-9


def test_what_is_engaged_is_told_at_every_hour_at_which_a_test_may_have_been() -> None:
    loaded = load_letter(("zhang_hashimoto2019",))
    (study,) = Ledger.parse([NEW.replace("3 h, phase: acute", "1 h or 24 h, phase: unknown")]).studies
    rows = {
        (arm, what): at_test
        for arm, what, _, at_test in occupied(predict(loaded, study, run=prior_run(loaded)).engagement)
    }
    assert rows["K, hours_3, if at 24 h", "NMDAR.block"].startswith("0 %")
    assert not rows["K, hours_3, if at 1 h", "NMDAR.block"].startswith("0 %")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the bundled case, and a study."""
    folder = tmp_path_factory.mktemp("predict")
    (folder / "new_study.yaml").write_text(NEW)
    write_run(prior_run(load_case("morphine")), folder / "other")
    return folder


def test_a_run_of_another_case_gives_exit_code_2_and_says_so(folder, capsys) -> None:
    given = ["predict", "ketamine", str(folder / "new_study.yaml"), "--run", str(folder / "other")]
    assert main(given) == 2
    assert "case ketamine is not what the run of morphine" in " ".join(capsys.readouterr().err.split())


def test_a_file_that_is_no_study_gives_exit_code_2_and_its_place(folder, capsys) -> None:
    (folder / "bad.yaml").write_text("id: bad\ntitle: 3\n")
    given = ["predict", "morphine", str(folder / "bad.yaml"), "--run", str(folder / "other")]
    assert main(given) == 2
    assert "bad.yaml" in capsys.readouterr().err


def test_a_study_that_is_nowhere_gives_exit_code_2_and_the_near_names(folder, capsys) -> None:
    assert main(["predict", "morphine", "no_such_study", "--run", str(folder / "other")]) == 2
    assert "A study must be in the ledger; got 'no_such_study'" in capsys.readouterr().err


@pytest.mark.slow
def test_json_is_the_prediction_and_its_command_gives_it_again(folder, capsys) -> None:
    study = load_case("morphine").ledger.studies[0].id
    given = ["predict", "morphine", study, "--run", str(folder / "other"), "--json"]
    assert main(given) == 0
    said = capsys.readouterr().out
    made = StudyPrediction.model_validate_json(said)
    assert made.study == study
    assert main([*shlex.split(str(json.loads(said)["manifest"]["command"]))[1:], "--json"]) == 0
    assert StudyPrediction.model_validate_json(capsys.readouterr().out).outcomes == made.outcomes
