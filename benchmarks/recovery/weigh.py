"""Weigh the accounts by a synthetic ledger, through the sampler of an adjudication."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from benchmarks.recovery.ledgers import Ledgers, Synthetic

from gaddum.sampling.estimate import Evidence
from gaddum.sampling.settings import Settings, sampler_of
from gaddum.sampling.tempering import Start
from gaddum.verdict.adjudicate import SAMPLER, active_dimensions
from gaddum.weigh import compare

Progress = Callable[[float], None]


class Weighing(NamedTuple):
    """What a ledger says of the accounts."""

    mass: dict[str, float]
    """Posterior probability of each account; their prior masses are equal."""
    log_ml: dict[str, float]
    """Log marginal likelihood of each variant (nats)."""
    mcse: dict[str, float]
    """Its Monte-Carlo error (nats)."""
    notes: dict[str, str]
    """What failed in a fit that is not established."""


def weigh(
    ledgers: Ledgers,
    ledger: Synthetic,
    *,
    seed: int,
    settings: Settings = SAMPLER,
    progress: Progress = lambda fraction: None,
) -> Weighing:
    """Fit every variant in the gate-matched form; the phases of an account start from its first, as they do there."""
    variants, function = ledgers.variants, ledgers.log_likelihood
    found: dict[str, Evidence] = {}
    first: dict[str, Start] = {}
    for place, variant in enumerate(variants):
        data, name = ledgers.data(variant, ledger), variant.hypothesis.name
        # `active_dimensions` and the sampler hand their data to the likelihood as it is.
        mask = active_dimensions(ledgers.problem, function, data, settings)  # pyright: ignore[reportArgumentType]
        evidence = sampler_of(settings)(
            function, data, mask, seed=seed + (place << 32), settings=settings, start=first.get(name)
        )
        found[variant.label] = evidence
        first.setdefault(name, Start(evidence, data))
        progress((place + 1) / len(variants))
    names = list(dict.fromkeys(variant.hypothesis.name for variant in variants))
    of = [[found[v.label] for v in variants if v.hypothesis.name == name] for name in names]
    weighed = compare.weigh(
        names,
        np.ones(len(names)),
        [[place] for place in range(len(names))],
        [np.array([one.log_ml for one in mine]) for mine in of],
        [np.array([one.log_ml_mcse for one in mine]) for mine in of],
    )
    return Weighing(
        {name: weighed[name].probability for name in names},
        {label: float(one.log_ml) for label, one in found.items()},
        {label: float(one.log_ml_mcse) for label, one in found.items()},
        {label: one.note for label, one in found.items() if not one.established},
    )
