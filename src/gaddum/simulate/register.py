"""Register: the uncertain numbers that something is laid out with, each once, and what was taken for granted."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.records.quantity import Reported
from gaddum.simulate.parameters import Z_GRID, Parameter, cite, describe_reported, log_quantiles


class Assumption(NamedTuple):
    """Something taken for granted because no source says it."""

    where: str
    what: str
    reason: str


class Register:
    """Parameters in order of first use, each under one name, and what was taken for granted on the way."""

    def __init__(self) -> None:
        self.parameters: list[Parameter] = []
        self.centres: list[float] = []
        """Mean log of the reports of each parameter."""
        self.variances: list[float] = []
        """Variance of the log of each parameter."""
        self.index: dict[str, int] = {}
        self.assumptions: set[Assumption] = set()

    def add(
        self,
        name: str,
        medians: Float[np.ndarray, " reports"],
        spreads: Float[np.ndarray, " reports"],
        unit: str,
        reported: Reported,
        reason: str,
    ) -> int:
        """Place of a parameter, from the log medians and log spreads of its reports; one known by its name is kept."""
        if name not in self.index:
            self.index[name] = len(self.parameters)
            nodes = log_quantiles(medians, spreads)
            sources = "; ".join(dict.fromkeys(cite(quantity.source) for quantity in reported))
            self.parameters.append(Parameter(name, nodes, unit, describe_reported(reported), reason, sources))
            self.centres.append(float(np.mean(medians)))
            self.variances.append(float(np.mean(spreads**2) + np.var(medians)))
        return self.index[name]

    def table(self) -> Float[np.ndarray, "parameters grid"]:
        """Log quantiles of all parameters, one row each."""
        return np.array([parameter.nodes for parameter in self.parameters]).reshape(-1, Z_GRID.size)
