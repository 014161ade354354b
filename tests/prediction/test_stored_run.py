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

SHORT = Settings(particles=64, lanes=32, sweeps=12, warm_up=4, ess_per_dimension=1.0, r_hat=1.2)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def loaded() -> LoadedCase:
    whole = load_letter(("zhang_hashimoto2019",))
    names = ("nmdar", "nmdar-permissive-opioid")
    chosen = tuple(one for one in whole.case.hypotheses if one.name in names)
    return dataclasses.replace(whole, case=whole.case.model_copy(update={"hypotheses": chosen}))


@pytest.fixture(scope="module")
def folder(loaded, tmp_path_factory) -> Path:
    found, path = adjudicate(loaded, settings=SHORT), tmp_path_factory.mktemp("run")
    found.draws.to_netcdf(path / DRAWS, engine="h5netcdf")
    (path / RESULT).write_text(found.result.to_json(), encoding="utf-8")
    return path


def rewritten(folder: Path, path: Path, change) -> Path:
    shutil.copytree(folder, path)
    said = json.loads((path / RESULT).read_text())
    change(said)
    (path / RESULT).write_text(json.dumps(said))
    return path


def test_every_account_and_phase_comes_with_its_draws_and_its_probability(folder, loaded):
    run = read_run(folder, loaded)
    assert [one.variant.label for one in run.fits] == [
        "nmdar",
        *(f"nmdar-permissive-opioid@{phase}" for phase in ("induction", "expression", "both")),
    ]
    assert abs(sum(one.probability for one in run.fits) - 1) < 1e-12
    assert abs(sum(one.prior for one in run.fits) - 1) < 1e-12
    assert {scores.size for one in run.fits for scores in one.scores.values()} == {run.draws}
    assert run.cohorts == ("zhang_hashimoto2019",)


def test_the_study_that_it_weighed_has_the_log_likelihood_that_it_stored(folder, loaded):
    """On the same draws, one of two of which is stored, in single precision."""
    import h5netcdf

    run = read_run(folder, loaded)
    mine = study_draws(run, loaded.ledger.study("zhang_hashimoto2019"), draws=run.draws).log_likelihood
    assert mine is not None
    with h5netcdf.File(folder / DRAWS, "r", decode_vlen_strings=True) as file:
        for place, fit in enumerate(run.fits):
            logs = file["gate-matched"][fit.variant.label]["log_likelihood"].variables["reported"][..., 0]
            np.testing.assert_allclose(mine[place].reshape(4, -1)[:, ::2].ravel(), logs.ravel(), atol=1e-3)


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
