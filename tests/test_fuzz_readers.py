"""Every reader takes a mutated text or refuses it with a ValueError; benchmarks/fuzz_readers.py throws many more."""

import random

import pytest
from benchmarks.fuzz_readers import READERS, throw


@pytest.mark.parametrize(
    "reader",
    [
        pytest.param(
            name,
            marks=[pytest.mark.slow] * (name in ("spreadsheets", "tables", "responses", "curves", "studies")),
        )
        for name in READERS
    ],
)
def test_any_mutated_text_is_read_or_refused(reader):
    seed, rng = READERS[reader][0](), random.Random(11)
    taken = [throw(reader, seed, rng) for _ in range(2000)]
    assert any(taken)
