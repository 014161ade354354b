"""Plan: which ligands reach the brain and how, as places in a register of parameters.

It holds no draws and no numbers but those of the doses; `concentrations` evaluates it for any number of draws.
"""

from typing import Literal, NamedTuple

Site = Literal["brain", "arterial", "venous"]
"""Where a concentration is read: unbound in brain, or total in arterial or venous plasma."""


SetConcentration = tuple[float, float, float]
"""An unbound concentration (nM), from and until (h)."""


class Body(NamedTuple):
    """Mammillary kinetics of one chemical species: places of its parameters; -1 for none."""

    v_c: int
    cl: int
    half_life: int
    v_p: tuple[int, ...]
    q: tuple[int, ...]
    v_max: int
    k_m: int


class Input(NamedTuple):
    """A dose, or a regular series of them, entering the first or (after first pass) a later body of a pathway."""

    route: str
    amount: float
    """Free base given each time (nmol)."""
    start: float
    duration: float
    repeats: int
    interval: float
    steady_state: bool
    k_a: int
    release: int
    """Parameter of the length of a zero-order release; -1 for none."""
    stages: int
    transit: int
    f: int
    lag: int


class Ligand(NamedTuple):
    """A chemical species in the brain: a dosed drug, or a metabolite of one."""

    drug: str
    parent: str
    """The dosed drug."""
    bodies: tuple[Body, ...]
    """From the dosed drug to this species."""
    fractions: tuple[int, ...]
    """Share of each body's clearance that forms the next."""
    inputs: tuple[Input, ...]
    f_u: int
    kp_uu: int
    k_e0: int
    k_venous: int
    held: tuple[SetConcentration, ...]

    @property
    def is_saturable(self) -> bool:
        """Whether it lies behind a body with saturable elimination."""
        return any(body.v_max >= 0 for body in self.bodies)

    @property
    def given(self) -> tuple[Input | SetConcentration, ...]:
        """Everything from which it comes."""
        return (*self.inputs, *self.held)


class Plan(NamedTuple):
    """Ligands of one arm, over shared parameters."""

    ligands: tuple[Ligand, ...]
