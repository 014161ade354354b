"""Rank calibration of population fits: `python -m benchmarks.population_sbc [SETS [FIRST]]`.

Studies are drawn from the prior of a hierarchy, fitted, and the truth is ranked among the posterior's draws. If the fit
is right every rank is equally likely. Printed: chi-squared of the ranks in eight classes for each coordinate that all
studies share, over its degrees of freedom, with the chance of as much.

Reference: Talts et al. (2018) arXiv:1804.06788.
"""

import os
import sys
import time
from typing import Any

import jax
import numpy as np
from scipy import stats

from gaddum.population.fit import SAMPLER, lengths
from gaddum.population.hierarchy import ASSAY, Hierarchy, StudyData, log_likelihood, of_deviations, read
from gaddum.population.readings import population_data
from gaddum.population.study_curves import log_predicted
from gaddum.population.study_modes import Deviations, study_modes
from gaddum.records.curve import Curve
from gaddum.records.library import load_library
from gaddum.sampling.posterior import sample_posterior

CLASSES = 8
DRAWS = 63
"""Posterior draws that a truth is ranked among, far apart."""
TIMES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def hierarchy(studies: int = 4) -> Hierarchy:
    """Lorazepam by vein in people, arrays of as many times in each study."""
    source = {"how": "assumption", "reason": "calibration"}
    dose = {"drug": "lorazepam", "amount": "2 mg", "route": "iv bolus", "time": "0 h"}
    reading: dict[str, Any] = {
        "kind": "concentration", "drug": "lorazepam", "sampling": "unstated", "unit": "ng/mL", "source": source,
        "times": [f"{time} h" for time in TIMES], "values": [1.0] * len(TIMES),
    }  # fmt: skip
    curves = [
        Curve.model_validate(
            {
                "id": f"{n}",
                "title": "",
                "paper": f"{n}",
                "species": "human",
                "doses": [dose],
                "readings": [reading],
            }
        )
        for n in range(studies)
    ]
    return population_data(curves, "human", load_library()).hierarchy


def main(sets: int, first: int = 0) -> None:
    """Draw, fit, rank and print, with seeds from the first on."""
    jax.config.update("jax_enable_x64", True)  # pyright: ignore[reportUnknownMemberType]
    print(f"load {os.getloadavg()[0]:.1f}")
    model = hierarchy()
    function, parts = log_likelihood(model), model.parts
    mask = model.mask(np.ones(model.studies, bool))
    shared = [
        place for name in ("mu", "omega", "common", "sigma") for place in range(*parts[name].indices(10**6))
    ]
    shared = [place for place in shared if mask[place]]
    ranks, unsettled, begun = [], 0, time.perf_counter()
    for seed in range(first, first + sets):
        random = np.random.default_rng(seed)
        z = random.standard_normal((model.dimension, 1)) * mask[:, None]
        levels = read(model, z)
        drawn_from = Deviations(
            z[parts["eta"]].reshape(model.studies, -1, 1), z[parts["c"]], np.zeros((model.studies, 1))
        )
        logs = np.asarray(log_predicted(model.curves, np.asarray(of_deviations(model, levels, drawn_from))))[
            ..., 0
        ]
        logs = logs + np.hypot(np.asarray(levels.sigma)[0], ASSAY) * random.standard_normal(logs.shape)
        modes = study_modes(model.curves._replace(log_values=logs), model.centre, model.kinds)
        found = sample_posterior(
            function,
            StudyData(np.ones(model.studies), logs, np.zeros(0), modes),
            mask,
            seed=seed,
            settings=lengths(SAMPLER, mask),
        )
        unsettled += not found.r_hat < SAMPLER.r_hat
        drawn = found.draws[:: max(len(found.draws) // DRAWS, 1)][:DRAWS]
        ranks.append((drawn[:, shared] < z[shared, 0]).sum(axis=0))
    table = np.array(ranks)
    print(
        f"{sets} sets, {(time.perf_counter() - begun) / sets:.1f} s each, {unsettled} above R-hat {SAMPLER.r_hat}"
    )
    names = [name for name in ("mu", "omega", "common", "sigma") for _ in range(*parts[name].indices(10**6))]
    names = [name for name, place in zip(names, range(len(names)), strict=True) if mask[place]]
    for name, column in zip(names, table.T, strict=True):
        counts = np.bincount(column * CLASSES // (DRAWS + 1), minlength=CLASSES)
        chi = float(((counts - sets / CLASSES) ** 2).sum() / (sets / CLASSES))
        print(
            f"{name:8s} {counts.tolist()}  chi2/df {chi / (CLASSES - 1):.2f}  p {stats.chi2.sf(chi, CLASSES - 1):.3f}"
        )


if __name__ == "__main__":
    main(*(map(int, sys.argv[1:]) if len(sys.argv) > 1 else (200,)))
