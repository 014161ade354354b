"""Concentrations: a plan of kinetics and draws of its parameters -> concentrations over time, batch last.

Linear kinetics are in closed form (`chains`, `dose_series`). A ligand behind a body with saturable elimination is
followed numerically (`saturable_pathways`), outside compiled functions.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaddum.exposure.chains import Chains, chains_of, lay_chains, responses_of
from gaddum.exposure.dose_series import DoseSeries, SeriesLayout, lay_series, levels, series_of
from gaddum.exposure.impulse import Impulse, area_under_curve
from gaddum.exposure.plan import Ligand, Plan, Site
from gaddum.exposure.unit_curves import BLOCK, UnitCurves
from gaddum.extras import required
from gaddum.numerics.array_library import AnyArray, Numbers
from gaddum.numerics.segments import collect, spread
from gaddum.parallel import map_blocks

if TYPE_CHECKING:
    from jax import Array


class LinearLayout(NamedTuple):
    """Ligands with linear kinetics, to be read at given times."""

    ligands: int
    chains: Chains
    doses: SeriesLayout
    series: Int[np.ndarray, " shares"]
    """Series that add up to the ligands, each once for every ligand that it is of."""
    ligand: Int[np.ndarray, " shares"]


def concentrations(
    plan: Plan,
    theta: Float[Numbers, "parameters batch"],
    times: Float[np.ndarray, " times"],
    *,
    site: Site = "brain",
    kept: UnitCurves | None = None,
) -> Float[Numbers, "ligands times batch"]:
    """Concentration of every ligand of a plan (nM), in numpy unless the parameters are traced.

    Parameters
    ----------
    plan : Plan
        Ligands and their inputs.
    theta : array, shape (parameters, batch)
        Log parameters, in the order of the register that the plan was made with.
    times : array, shape (times,)
        Hours from the test drug.
    site : {"brain", "arterial", "venous"}
        Unbound brain, or total plasma.
    kept : UnitCurves
        Where curves of unit doses are kept for the next protocol.
    """
    saturable = [place for place, ligand in enumerate(plan.ligands) if ligand.is_saturable]
    linear = [place for place in range(len(plan.ligands)) if place not in saturable]
    laid = lay_linear([plan.ligands[place] for place in linear], times, site)
    if not isinstance(theta, np.ndarray) and _is_traced(theta):
        if saturable:
            raise ValueError(
                "Kinetics must be linear in a compiled simulation; got a drug with `saturable` elimination. Use "
                "`occupancy`, which follows it numerically, or give the clearance that holds at the doses asked about."
            )
        return linear_concentrations(laid, responses_of(laid.chains, theta), theta)
    theta = np.asarray(theta, float)
    found = np.zeros((len(plan.ligands), len(times), theta.shape[1]))
    if kept is not None:
        series = [series_of(plan.ligands[place], times, site) for place in linear]
        for place, level in zip(linear, kept.totals(series, theta), strict=True):
            found[place] = level
        linear = []
    rows = sum(len(part.series) for part in laid.doses.parts) + 1
    width = max(BLOCK // (rows * max(len(times), 1)), 1)

    def block(part: slice) -> None:
        mine = theta[:, part]
        found[linear, :, part] = linear_concentrations(laid, responses_of(laid.chains, mine), mine)

    if linear:
        map_blocks(block, theta.shape[1], width)
    if saturable:
        jax = required("jax", "A drug with saturable elimination")  # compiled for these few drugs only

        from gaddum.exposure.saturable_pathways import follow

        with jax.enable_x64(True):
            for place, level in follow(plan, theta, np.asarray(times, float), site).items():
                found[place] = level
    return found


def lay_linear(
    ligands: Sequence[Ligand], times: Float[np.ndarray, " times"], site: Site = "brain"
) -> LinearLayout:
    """Lay ligands with linear kinetics out, to be read at the same times."""
    return lay_curves([series_of(ligand, times, site) for ligand in ligands], len(times))


def lay_curves(curves: Sequence[Sequence[DoseSeries]], times: int) -> LinearLayout:
    """Lay curves out, each the sum of its dose series, and each read at as many times as the others."""
    every = [(place, one) for place, series in enumerate(curves) for one in series]
    chains = lay_chains([one.chain for _, one in every if one.chain is not None])
    doses = lay_series([one for _, one in every], chains, times)
    series, ligand = (
        np.array(x, int) for x in ([doses.place[one] for _, one in every], [k for k, _ in every])
    )
    return LinearLayout(len(curves), chains, doses, series, ligand)


def linear_concentrations(
    laid: LinearLayout, responses: Sequence[Impulse], theta: Float[AnyArray, "parameters batch"]
) -> Float[AnyArray, "ligands times batch"]:
    """Concentrations of ligands (nM).

    Parameters
    ----------
    laid : LinearLayout
        What `lay_linear` returned.
    responses : sequence of Impulse
        What `responses_of` returned for its chains.
    theta : array, shape (parameters, batch)
        Log parameters.
    """
    return collect(spread(levels(laid.doses, responses, theta), laid.series), laid.ligand, laid.ligands)


def _is_traced(theta: "Array") -> bool:
    from jax.core import Tracer

    return isinstance(theta, Tracer)


def areas(plan: Plan, theta: Float[np.ndarray, "parameters batch"]) -> Float[np.ndarray, "ligands batch"]:
    """Area under the plasma concentration of every ligand, from the first dose to infinity (nM h).

    Parameters
    ----------
    plan : Plan
        Ligands and their inputs; what passes from artery to vein or into the brain does not change an area in plasma.
    theta : array, shape (parameters, batch)
        Log parameters, in the order of the register that the plan was made with.

    Raises
    ------
    ValueError
        If a regimen had gone on for ever before, whose area has no beginning; or with `saturable` elimination, where
        an area does not scale with the dose.
    """
    ways = []
    for place, ligand in enumerate(plan.ligands):
        if ligand.is_saturable:
            raise ValueError(
                f"An area needs linear kinetics; {ligand.drug} has `saturable` elimination. "
                "Give the clearance that holds at the doses asked about."
            )
        for one in ligand.inputs:
            if one.steady_state:
                raise ValueError(
                    f"An area needs a first dose; {ligand.parent} is at steady state. Give single doses."
                )
            ways += [(place, one.amount * one.repeats, chain) for chain in chains_of(ligand, one, "arterial")]
    chains = lay_chains([chain for *_, chain in ways])
    found, responses = np.zeros((len(plan.ligands), theta.shape[1])), responses_of(chains, theta)
    for place, amount, chain in ways:
        group, row = chains.place[chain]
        found[place] += area_under_curve(Impulse(*(x[:, row] for x in responses[group])), amount)
    return found
