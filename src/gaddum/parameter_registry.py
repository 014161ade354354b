"""Parameter registry: uncertain numbers that something is laid out with, each once, and what was taken for granted.

A number's identity is declared, by what it is of: its quantity, drug, target and species (`name_of`). Two drugs,
species or targets have one number in common only where their records say `shared: ID`, never because the printed
numbers agree. The calculator and a case fill the same kind of register, so that they mean the same number by the
same name.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.numerics.normal_grid import Z_GRID
from gaddum.parameters import Parameter, canonical, cite, describe_reported, log_quantiles, log_spread
from gaddum.records.fit import KineticFit
from gaddum.records.quantity import Quantity, Reported


class Assumption(NamedTuple):
    """Something taken for granted because no source says it."""

    where: str
    what: str
    reason: str


class Printed(NamedTuple):
    """What was printed of a parameter: the reports, and their logs as they are used, scaled to a subject."""

    reports: tuple[Quantity, ...]
    medians: Float[np.ndarray, " reports"]
    spreads: Float[np.ndarray, " reports"]
    log_weight: float
    """Log of the weight of the subject by which what is per kg was multiplied; 0 of what is not."""


TIED = 1 << 20
"""From here on places count through `Register.tied`."""


class Register:
    """Parameters in order of first use, each under one name, and what was taken for granted on the way.

    Parameters
    ----------
    ties : bool
        Whether subjects may differ in weight: a constant scaled by it is then the first subject's times a factor.
    fits : sequence of KineticFit
        Fits of kinetics, which take the place of what is reported of the same constants.
    """

    def __init__(self, *, ties: bool = False, fits: Sequence[KineticFit] = ()) -> None:
        self._ties = ties
        self._fitted = {one.name: (fit, place) for fit in fits for place, one in enumerate(fit.constants)}
        self.printed: dict[str, Printed] = {}
        """By name, of the first subject that asked."""
        self.parameters: list[Parameter] = []
        self.tied: list[tuple[int, float]] = []
        """Parameters that are another times a factor: the other's place, and the log of the factor."""
        self.index: dict[str, int] = {}
        self.assumptions: set[Assumption] = set()

    def add(self, parameter: Parameter) -> int:
        """Place of a parameter, which is new or known by its name.

        Raises
        ------
        ValueError
            If the name is known and has other numbers: one quantity would be two, or two would be taken for one.
        """
        known = self.index.setdefault(parameter.name, len(self.parameters))
        if known == len(self.parameters):
            self.parameters.append(parameter)
        elif not np.array_equal(self.parameters[known].nodes, parameter.nodes):
            raise ValueError(
                f"A quantity must have one prior; {parameter.name!r} has {self.parameters[known].distribution} and "
                f"also {parameter.distribution}. Where records share a number by `shared`, give it once; where they "
                "mean two numbers, give each its own ID."
            )
        return known

    def report(
        self,
        name: str,
        reported: Reported,
        unit: str,
        reason: str,
        *,
        medians: Float[np.ndarray, " reports"] | None = None,
        spreads: Float[np.ndarray, " reports"] | None = None,
        molar_mass: float | None = None,
        by_weight: bool = False,
        log_weight: float = 0.0,
        log_subject: float = 0.0,
    ) -> int:
        """Place of a parameter whose prior is what was reported of it, an equal mixture where reports conflict.

        Parameters
        ----------
        name : str
            Its identity, as `name_of` writes it.
        reported : Reported
            What the literature says.
        unit, reason : str
            For the table of priors.
        medians, spreads : array
            Log medians and log spreads of the reports where they are scaled; by default as reported.
        molar_mass : float
            Turns mass concentrations into molar ones (g/mol).
        by_weight : bool
            Whether it is scaled to the weight of a subject, so that it may be tied to that of another.
        log_weight : float
            Log of the weight of a subject by which what is reported per kg was multiplied.
        log_subject : float
            Log of the weight (kg) of the subject, by which what was fitted per kg is multiplied.
        """
        if name in self._fitted:
            return self._from_fit(*self._fitted[name], log_subject)
        if medians is None:
            medians = np.array([np.log(canonical(one, molar_mass)) for one in reported])
        if spreads is None:
            spreads = np.array([log_spread(one) for one in reported])
        nodes = log_quantiles(medians, spreads)
        sources = "; ".join(dict.fromkeys(cite(one.source) for one in reported))
        known = self.printed.setdefault(name, Printed(reported, medians, spreads, log_weight)).spreads
        if by_weight and self._ties and name in self.index and np.array_equal(known, spreads):
            apart = nodes - self.parameters[self.index[name]].nodes
            if np.ptp(apart) > 1e-9:
                text = "scaled by its median to subjects of another weight"
                self.assumptions.add(Assumption(name, text, "some reports are per weight and some are not"))
            if np.any(np.abs(apart) > 1e-12):
                return self._tie(self.index[name], float(apart[Z_GRID.size // 2]))
        return self.add(Parameter(name, nodes, unit, describe_reported(reported), reason, sources))

    def _from_fit(self, fit: KineticFit, place: int, log_subject: float) -> int:
        """Place of a fitted constant; those of the fit before it, whose scores move it too, join the register."""
        for number, one in enumerate(fit.constants[: place + 1]):
            size = log_subject if one.unit.endswith("/kg") else 0.0
            nodes = np.log(one.median) + size + one.loadings[-1] * Z_GRID
            names = (other.name for other in fit.constants[:number])
            along = tuple(zip(names, one.loadings[:-1], strict=True))
            if one.name in self.index:
                continue
            described = (
                f"lognormal(median {one.median:.3g} {one.unit}, gsd {one.new_study:.2f}) in a new study"
            )
            reason, source = "sets the concentration curve", f"fit: {', '.join(fit.papers)}"
            self.add(
                Parameter(
                    one.name, nodes, one.unit.removesuffix("/kg"), described, reason, source, along=along
                )
            )
        known = self.index[fit.constants[place].name]
        wanted = np.log(fit.constants[place].median)
        wanted += log_subject * fit.constants[place].unit.endswith("/kg")
        apart = wanted - self.parameters[known].nodes[Z_GRID.size // 2]
        return self._tie(known, float(apart)) if abs(apart) > 1e-12 else known

    def _tie(self, place: int, log_factor: float) -> int:
        one = (place, round(log_factor, 12))
        if one not in self.tied:
            self.tied.append(one)
        return TIED + self.tied.index(one)

    def table(self) -> Float[np.ndarray, "parameters grid"]:
        """Log quantiles of all parameters, one row each."""
        return np.array([parameter.nodes for parameter in self.parameters]).reshape(-1, Z_GRID.size)


def name_of(
    quantity: str,
    reported: Reported,
    *,
    drug: str | None = None,
    target: str | None = None,
    species: str | None = None,
) -> str:
    """Identity of a number, in words: what it is of, or the `shared` ID that its record declares.

    Examples
    --------
    >>> from gaddum.records.library import load_library
    >>> at_mor = load_library().drug("naltrexone").affinities[0]
    >>> name_of("K_i", at_mor.k_i, drug="naltrexone", target="MOR")
    'K_i of naltrexone at MOR'
    >>> name_of("in-vivo shift", at_mor.in_vivo_shift["rat"], drug="naltrexone", target="MOR", species="rat")
    'in-vivo shift of naltrexone at MOR in rodents'
    """
    identity = reported[0].shared
    if identity is not None:
        return f"{quantity} of {identity}"
    parts = ((" of ", drug), (" at ", target), (" in ", species))
    return quantity + "".join(word + what for word, what in parts if what)
