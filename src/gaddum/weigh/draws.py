"""Draws: posterior draws of every fit in the groups that ArviZ knows, ready for netCDF.

A variable for each of two hundred parameters of forty fits takes a netCDF library minutes to open. Hence one variable
over the dimension `parameter`, which carries units, priors and sources as coordinates.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from jaxtyping import Float

from gaddum.parameters import Parameter, smooth_values
from gaddum.response.run_draws import SEPARATOR
from gaddum.weigh.fitted import FORMS, SUMMARY_DRAWS, CaseFits, HypothesisFit

PRIOR_DRAWS = 1000
THINNED = 2
"""One of so many draws of the summaries is kept on the natural scale."""


def draws_tree(
    fitted: CaseFits,
    propositions: Sequence[tuple[str, str, str]] = (),
    held: Mapping[tuple[str, int], Float[np.ndarray, "propositions draws"]] | None = None,
) -> xr.DataTree:
    """Label the draws of all fits.

    Parameters
    ----------
    fitted : CaseFits
        The fits.
    propositions : sequence of tuple
        Name, stratum and phase of propositions.
    held : mapping
        Whether they hold in each draw, by parameterisation and variant.

    Returns
    -------
    xarray.DataTree
        At the root `prior` (draws of every parameter in its unit) and `observed_data` (what was reported), the same for
        all fits; then a node for each fit, ``parameterisation/hypothesis``, with `posterior` (in units, of the
        parameters that the record touches), `log_likelihood` (of each cohort, by its weight; nats) and `sample_stats`.
        Fits of the main parameterisation have their standard normal scores in `scores`, and whether each proposition
        holds in each draw in `propositions`, which `simulate` and `update` read.
    """
    assembly = fitted.problem.assembly
    z = np.random.default_rng(fitted.seed).standard_normal((assembly.dimension, PRIOR_DRAWS))
    prior = {"value": _labelled(_in_units(assembly.parameters, z), 1)}
    tree: dict[str, xr.Dataset] = {
        "/prior": xr.Dataset(prior, coords=_about(assembly.parameters)),
        "/observed_data": _reported(fitted),
    }
    labels = {"proposition": [SEPARATOR.join(one) for one in propositions]}
    for (form, place), fit in fitted.fits.items():
        at = f"/{form}/{fit.variant.label}"
        tree |= {f"{at}{group}": one for group, one in _groups(fitted, fit).items()}
        if held and form == FORMS[0]:
            dims, holds = _labelled(held[form, place], fit.evidence.chains.shape[0], "proposition")
            tree[f"{at}/propositions"] = xr.Dataset({"holds": (dims, holds.astype(np.int8))}, coords=labels)
    return xr.DataTree.from_dict(tree)


def _groups(fitted: CaseFits, fit: HypothesisFit) -> dict[str, xr.Dataset]:
    """Groups of one fit."""
    evidence, chains = fit.evidence, fit.evidence.chains.shape[0]
    active = np.flatnonzero(fit.active if fit.active.any() else ~fit.active)
    every = fitted.problem.assembly.parameters
    parameters = [every[place] for place in active]
    about, z, counted = _about(parameters), fit.sample[active], fitted.weights > 0
    logs = (fitted.weights[:, None] * fit.cohort_logs)[counted, ::THINNED]
    names = {"cohort": [name for name, one in zip(fitted.problem.cohorts, counted, strict=True) if one]}
    said = {"log_ml": evidence.log_ml, "log_ml_mcse": evidence.log_ml_mcse, "r_hat": evidence.r_hat}
    said |= {"ess": evidence.ess, "established": int(evidence.established)}
    places = np.linspace(0, evidence.log_likelihood.size - 1, SUMMARY_DRAWS).astype(int)[::THINNED]
    total = _labelled(evidence.log_likelihood.ravel()[None, places], chains)[1][..., 0]
    groups = {
        "": xr.Dataset(attrs=said),
        "/posterior": xr.Dataset(
            {"value": _labelled(_in_units(every, fit.sample[:, ::THINNED])[active], chains)}, coords=about
        ),
        "/log_likelihood": xr.Dataset({"reported": _labelled(logs, chains, "cohort")}, coords=names),
        "/sample_stats": xr.Dataset({"log_likelihood": (("chain", "draw"), total)}),
    }
    if fit.form == FORMS[0]:
        groups["/scores"] = xr.Dataset({"z": _labelled(z, chains)}, coords={"parameter": about["parameter"]})
    return groups


def _in_units(
    parameters: list[Parameter] | tuple[Parameter, ...], z: Float[np.ndarray, "parameters draws"]
) -> Float[np.ndarray, "parameters draws"]:
    """Values of parameters at standard normal scores."""
    if not len(parameters):
        return z
    smooth = smooth_values(parameters, z)
    return np.array([one.in_unit(row) for one, row in zip(parameters, smooth, strict=True)])


def _labelled(
    values: Float[np.ndarray, "rows draws"], chains: int, row: str = "parameter"
) -> tuple[tuple[str, ...], np.ndarray]:
    """Chain, draw and row; populations follow each other in a sample."""
    draws = values.shape[1] // chains
    apart = values[:, : draws * chains].reshape(len(values), chains, draws)
    return ("chain", "draw", row), np.moveaxis(apart, 0, -1).astype(np.float32)


def _about(parameters: list[Parameter] | tuple[Parameter, ...]) -> dict[str, Any]:
    """Name, unit, prior and source of parameters."""
    about = {
        field: [getattr(one, field) for one in parameters] for field in ("unit", "distribution", "source")
    }
    names = {"parameter": [one.name for one in parameters]}
    return names | {field: ("parameter", np.array(said, dtype=object)) for field, said in about.items()}


def _reported(fitted: CaseFits) -> xr.Dataset:
    """What the record says, an outcome a row: the observed contrast where there is a number, and the words."""
    scored = fitted.problem.scored
    texts: dict[str, list[str]] = {
        name: [s.named[name] for s in scored] for name in ("label", "study", "endpoint", "form")
    }
    texts["cohort"] = [fitted.problem.cohorts[s.cohort] for s in scored]
    nothing: dict[str, float] = dict.fromkeys(("effect", "lower", "upper"), np.nan)
    observed = [s.reduced.observed[0] if s.reduced.observed else nothing for s in scored]
    found = {name: ("outcome", np.array(said, dtype=object)) for name, said in texts.items()}
    numbers = {
        "observed": ("effect", "first observed contrast; none where only words were reported"),
        "lower": ("lower", "lower end of its central 95 % interval"),
        "upper": ("upper", "upper end of its central 95 % interval"),
    }
    return xr.Dataset(
        {
            name: (
                "outcome",
                np.array([one[key] for one in observed], float),
                {"units": "SD", "description": said},
            )
            for name, (key, said) in numbers.items()
        },
        coords={"outcome": range(len(scored))} | found,
    )
