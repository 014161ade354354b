"""Printed constants: clearances, volumes, rates and half-lives that papers give, as functions of their study's own.

A constant of a racemate is the geometric mean of its parts'.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.exposure.impulse import mammillary_poles
from gaddum.exposure.plan import Body, Input, Ligand
from gaddum.numerics.array_library import AnyArray, array_library
from gaddum.numerics.segments import pick


class PrintedConstant(NamedTuple):
    """One printed constant of one study."""

    study: int
    name: str
    """As `gaddum.records.reading.KineticConstant` has it."""
    parts: tuple[Ligand, ...]
    """The drug, or the parts of a racemate, each with one input by the route that the constant is of."""
    log_value: float
    """In L, h or a fraction, of the subject that the register is of."""
    error: float
    """Standard error of the log (1)."""

    @property
    def places(self) -> set[int]:
        """Constants of the register that it depends on."""
        found = set[int]()
        for part in self.parts:
            found |= set(_of_body(part.bodies[0])) | set(_of_input(part.inputs[0]))
        unused = {"k_a", "f", "lag"} - {self.name} if self.name in ("cl", "v_c", "v_ss", "v_z") else set()
        return found - ({getattr(part.inputs[0], name) for part in self.parts for name in unused}) - {-1}


def log_constants(
    printed: Sequence[PrintedConstant], theta: Float[AnyArray, "studies_constants batch"], size: int
) -> Float[AnyArray, "printed batch"]:
    """Log of every printed constant by the log constants of all studies, `size` a study."""
    xp = array_library(theta)
    found = []
    for one in printed:
        own = theta[one.study * size : (one.study + 1) * size]
        logs = [_log_constant(one.name, part, own) for part in one.parts]
        found.append(sum(logs[1:], logs[0]) / len(logs))
    return xp.stack(found)


def _log_constant(name: str, ligand: Ligand, theta: Any) -> Any:
    xp, body, way = array_library(theta), ligand.bodies[0], ligand.inputs[0]
    places = [*_of_body(body), *_of_input(way)]
    rows = dict(zip(places, pick(theta, np.array(places)), strict=True))
    none = xp.zeros(theta.shape[1])

    def log(place: int) -> Any:
        return rows[place] if place >= 0 else none

    bioavailable = xp.minimum(log(way.f), 0.0)
    volumes = [xp.exp(log(place)) for place in (body.v_c, *body.v_p)]
    clearance = log(body.cl) if body.cl >= 0 else np.log(np.log(2.0)) + log(body.v_c) - log(body.half_life)
    if name in ("cl", "cl/f"):
        return clearance - (bioavailable if name == "cl/f" else 0.0)
    if name in ("v_c", "k_a", "lag"):
        return log({"v_c": body.v_c, "k_a": way.k_a, "lag": way.lag}[name])
    if name == "f":
        return bioavailable
    if name == "v_ss":
        return xp.log(sum(volumes[1:], volumes[0]))
    flows = [xp.exp(log(place)) for place in body.q]
    peripheral = (xp.stack(of) if of else xp.zeros((0, theta.shape[1])) for of in (volumes[1:], flows))
    rates, _ = mammillary_poles(volumes[0], xp.exp(clearance) / volumes[0], *peripheral)
    slowest = rates[-1]
    if name == "half-life":
        slowest = xp.minimum(slowest, xp.exp(log(way.k_a))) if way.k_a >= 0 else slowest
        return np.log(np.log(2.0)) - xp.log(slowest)
    return clearance - xp.log(slowest) - (bioavailable if name == "v/f" else 0.0)


def _of_body(body: Body) -> tuple[int, ...]:
    return (body.v_c, body.cl, body.half_life, *body.v_p, *body.q)


def _of_input(way: Input) -> tuple[int, ...]:
    return (way.k_a, way.f, way.lag)
