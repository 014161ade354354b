"""The letter's record with three accounts, and a run of it that knows no more than its priors."""

import dataclasses

import pytest

from gaddum.prediction.stored_run import StoredRun
from gaddum.records.ledger import LoadedCase
from letter import load_letter
from prediction.stored import prior_run


@pytest.fixture(scope="session")
def letter() -> LoadedCase:
    loaded = load_letter(("zhang_hashimoto2019", "yoon2019", "zhang2014"))
    names = ("nmdar", "nmdar-permissive-opioid", "opioid-release")
    chosen = tuple(one for one in loaded.case.hypotheses if one.name in names)
    return dataclasses.replace(loaded, case=loaded.case.model_copy(update={"hypotheses": chosen}))


@pytest.fixture(scope="session")
def run(letter: LoadedCase) -> StoredRun:
    return prior_run(letter)
