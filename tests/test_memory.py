"""Giving memory back changes nothing but what the process holds."""

import sys

import numpy as np
import pytest

from gaddum.memory import give_back


def test_arrays_survive():
    kept = np.arange(1000)
    give_back()
    assert kept.sum() == 499_500


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_freed_pages_are_returned():
    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1])

    blocks = [bytearray(50_000) for _ in range(4000)]  # below the size that the C library maps on its own
    held = [bytes(1000) for _ in range(10)]
    before = resident()
    del blocks
    give_back()
    assert resident() < before - 20_000  # of 48,828 pages
    assert len(held) == 10
