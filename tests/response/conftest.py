"""The letter's own record and the morphine case, assembled once; the whole ketamine record only where a test asks."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
import pytest

from gaddum.records.ledger import LoadedCase, load_case
from gaddum.response.assemble import ArmReading, Assembly, assemble
from gaddum.response.response import Account, Response, account, respond
from letter import load_letter


class Bundle(NamedTuple):
    loaded: LoadedCase
    assembly: Assembly
    run: Callable[[np.ndarray, Account], Response]
    """Compiled chain: (draws, account) -> response."""

    def account(self, name: str, **options) -> Account:
        (found,) = (h for h in self.loaded.case.hypotheses if h.name == name)
        return account(found, self.assembly, **options)

    def draws(self, batch: int) -> np.ndarray:
        return np.random.default_rng(1).standard_normal((self.assembly.dimension, batch))

    def reading(self, study: str, arm: str, endpoint: str) -> ArmReading:
        (found,) = (
            r for r in self.assembly.readings if (r.study, r.arm, r.endpoint) == (study, arm, endpoint)
        )
        return found


def bundle(loaded: LoadedCase) -> Bundle:
    assembly = assemble(loaded)
    return Bundle(loaded, assembly, jax.jit(lambda z, given: respond(assembly, z, given)))


@pytest.fixture(scope="session")
def ketamine() -> Bundle:
    return bundle(load_letter())


@pytest.fixture(scope="session")
def morphine() -> Bundle:
    return bundle(load_case("morphine"))


@pytest.fixture(scope="session")
def record() -> Bundle:
    """The whole ketamine record, with its series of doses over weeks."""
    return bundle(load_case("ketamine"))


@pytest.fixture(params=["ketamine", pytest.param("morphine", marks=pytest.mark.slow)])
def case(request: pytest.FixtureRequest) -> Bundle:
    return request.getfixturevalue(request.param)
