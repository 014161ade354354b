"""Pathways: how a dose reaches a ligand -> responses to a unit dose, as sums of exponentials.

A stream passes some bodies; what lies before them (depot, transit) and behind them (effect site, sampled vein) is
put in series. All of it is linear; `concentrations` superposes doses on it, `saturable_pathways` uses what lies before
a saturable body.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Float

from gaddum.exposure.impulse import Impulse, cascade, mammillary, through, transit
from gaddum.exposure.plan import Body, Input, Ligand
from gaddum.numerics.array_library import array_library

Values = Float[Array, "parameters batch"] | Float[np.ndarray, "parameters batch"]
"""Parameters (not their logs)."""
Drawn = Float[Array, " batch"] | Float[np.ndarray, " batch"]


class Stream(NamedTuple):
    """One way for an input to reach a ligand: the bodies it passes, and the share of the dose that takes it."""

    bodies: tuple[Body, ...]
    fractions: tuple[int, ...]
    share: Drawn


def streams(ligand: Ligand, one: Input, values: Values) -> list[Stream]:
    """The systemic way, and for an oral dose the metabolites that first pass forms of what it withholds."""
    absorbed = share(values, one.f)
    found = [Stream(ligand.bodies, ligand.fractions, absorbed)]
    if one.route == "po" and one.f >= 0 and len(ligand.bodies) > 1:
        withheld = (1.0 - absorbed) * share(values, ligand.fractions[0])
        found.append(Stream(ligand.bodies[1:], ligand.fractions[1:], withheld))
    return found


def before(impulse: Impulse | None, one: Input, values: Values) -> Impulse | None:
    """Put the depot and the transit chain of an input before a response; None stands for what passes at once."""
    if one.k_a >= 0:
        k_a = values[one.k_a]
        impulse = Impulse(k_a[None], k_a[None]) if impulse is None else through(impulse, k_a)
    if one.stages:
        chain = transit(one.stages / values[one.transit], one.stages)
        impulse = chain if impulse is None else cascade(impulse, chain)
    return impulse


def plasma(
    bodies: tuple[Body, ...],
    fractions: tuple[int, ...],
    values: Values,
    impulses: dict[tuple, Impulse],
) -> Impulse:
    """Plasma response of the last of a chain of linear bodies to a unit bolus into the first; kept in `impulses`."""
    key = (bodies, fractions)
    if key not in impulses:
        own = _mammillary(bodies[-1], values)
        if len(bodies) > 1:
            parent = plasma(bodies[:-1], fractions[:-1], values, impulses)
            formed = share(values, fractions[-1]) * clearance(bodies[-2], values)
            own = cascade(parent, own, formed)
        impulses[key] = own
    return impulses[key]


def clearance(body: Body, values: Values) -> Drawn:
    """Linear clearance (L/h); 0 where all elimination is saturable."""
    if body.cl >= 0:
        return values[body.cl]
    if body.half_life >= 0:
        return math.log(2.0) * values[body.v_c] / values[body.half_life]
    return array_library(values).zeros(values.shape[1])


def peripherals(body: Body, values: Values) -> tuple[Array | np.ndarray, Array | np.ndarray]:
    """Volumes (L) and flows (L/h) of the peripheral compartments."""
    if not body.v_p:
        none = array_library(values).zeros((0, values.shape[1]))
        return none, none
    return values[np.asarray(body.v_p)], values[np.asarray(body.q)]


def value(values: Values, place: int) -> Drawn:
    """A parameter, or 1 where there is none."""
    return array_library(values).ones(values.shape[1]) if place < 0 else values[place]


def share(values: Values, place: int) -> Drawn:
    """A fraction, at most 1 whatever its spread."""
    return array_library(values).minimum(value(values, place), 1.0)


def _mammillary(body: Body, values: Values) -> Impulse:
    return mammillary(values[body.v_c], clearance(body, values), *peripherals(body, values))
