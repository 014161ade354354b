"""A run that an adjudication left in a folder: what is read of it, and which are refused."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gaddum.prediction.stored_run import read_run
from gaddum.prediction.study_draws import study_draws
from gaddum.records.ledger import LoadedCase
from gaddum.result_set import DRAWS, RESULT
from gaddum.sampling.settings import Settings
from gaddum.verdict.adjudicate import adjudicate
from letter import load_letter
from prediction.stored import write_run

SHORT = Settings(particles=64, lanes=32, sweeps=12, warm_up=4, ess_per_dimension=1.0, r_hat=1.2)


@pytest.mark.slow
def test_the_study_that_it_weighed_has_the_log_likelihood_that_it_stored(tmp_path):
    """On the same draws, one of two of which is stored, in single precision."""
    import h5netcdf

    whole = load_letter(("zhang_hashimoto2019",))
    (only,) = (one for one in whole.case.hypotheses if one.name == "nmdar-permissive-opioid")
    loaded = dataclasses.replace(whole, case=whole.case.model_copy(update={"hypotheses": (only,)}))
    made = adjudicate(loaded, settings=SHORT)
    made.draws.to_netcdf(tmp_path / DRAWS, engine="h5netcdf")
    (tmp_path / RESULT).write_text(made.result.to_json(), encoding="utf-8")
    run = read_run(tmp_path, loaded)
    assert run.cohorts == ("zhang_hashimoto2019",)
    mine = study_draws(run, loaded.ledger.study("zhang_hashimoto2019"), draws=run.draws).log_likelihood
    assert mine is not None
    with h5netcdf.File(tmp_path / DRAWS, "r", decode_vlen_strings=True) as file:
        for place, fit in enumerate(run.fits):
            logs = file["gate-matched"][fit.variant.label]["log_likelihood"].variables["reported"][..., 0]
            np.testing.assert_allclose(mine[place].reshape(4, -1)[:, ::2].ravel(), logs.ravel(), atol=1e-3)


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory) -> Path:
    return write_run(run, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def loaded(letter) -> LoadedCase:
    return letter


def test_every_account_and_phase_comes_with_its_draws_and_its_probability(folder, loaded, run):
    found = read_run(folder, loaded)
    assert [one.variant.label for one in found.fits] == [one.variant.label for one in run.fits]
    assert abs(sum(one.probability for one in found.fits) - 1) < 1e-12
    assert abs(sum(one.prior for one in found.fits) - 1) < 1e-12
    for mine, known in zip(found.fits, run.fits, strict=True):
        np.testing.assert_array_equal(mine.scores["effect_site"], known.scores["effect_site"])
    assert found.draws == run.draws and found.cohorts == ("yoon2019",)


def test_a_run_of_some_of_the_accounts_is_of_the_case_with_these(run, tmp_path, loaded):
    some = loaded.case.model_copy(update={"hypotheses": loaded.case.hypotheses[:1]})
    fewer = run._replace(fits=run.fits[:1])
    manifest = dataclasses.replace(loaded, case=some).hashes
    rows = tuple(one for one in run.result.hypotheses if one.name == some.hypotheses[0].name)
    said = run.result.model_copy(update={"hypotheses": rows}).with_manifest(**manifest)
    found = read_run(write_run(fewer._replace(result=said), tmp_path), loaded)
    assert [one.variant.label for one in found.fits] == ["nmdar"]


def test_a_run_in_which_an_account_in_play_was_not_established_is_refused(run, tmp_path, loaded):
    with pytest.raises(ValueError, match=r"by at least 100 effective draws.*nmdar has 60"):
        read_run(write_run(run, tmp_path, ess=60.0), loaded)


def rewritten(folder: Path, path: Path, change) -> Path:
    shutil.copytree(folder, path)
    said = json.loads((path / RESULT).read_text())
    change(said)
    (path / RESULT).write_text(json.dumps(said))
    return path


def test_a_run_of_other_records_is_refused(folder, tmp_path, loaded):
    other = rewritten(folder, tmp_path / "run", lambda said: said["manifest"].update(case_hash="0"))
    with pytest.raises(ValueError, match="hold for the case and library that it was of; .*Run it again"):
        read_run(other, loaded)


def test_a_run_of_another_case_is_refused(folder, tmp_path, loaded):
    other = rewritten(folder, tmp_path / "run", lambda said: said.update(case="morphine"))
    with pytest.raises(ValueError, match="case ketamine is not what the run of morphine"):
        read_run(other, loaded)


def test_a_run_of_an_earlier_schema_is_refused(folder, tmp_path, loaded):
    other = rewritten(folder, tmp_path / "run", lambda said: said.update(schema_version=1))
    with pytest.raises(ValueError, match="must have schema_version 2; .* has 1. Run the case again"):
        read_run(other, loaded)


def test_a_run_by_another_version_is_refused(folder, tmp_path, loaded):
    other = rewritten(folder, tmp_path / "run", lambda said: said["manifest"].update(version="0.0.1"))
    with pytest.raises(ValueError, match="is by 0.0.1. Run the case again"):
        read_run(other, loaded)


def test_a_folder_without_a_run_is_refused_with_how_to_make_one(tmp_path):
    with pytest.raises(ValueError, match="gaddum adjudicate CASE --out FOLDER"):
        read_run(tmp_path)
