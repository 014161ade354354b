"""Runs in memory whose draws are known: those of the prior, as if a record had said nothing."""

import numpy as np

from gaddum.prediction.stored_run import StoredFit, StoredRun
from gaddum.records.ledger import LoadedCase
from gaddum.response.assemble import assemble
from gaddum.weigh.compare import variants

NEW = """
id: new_study
title: A study that nobody has run
year: 2030
cohort: new_study
source: {how: assumption, reason: planned}
experiments:
  - id: tail_suspension
    protocol:
      subject: {species: mouse, paradigm: social defeat, stress: stressed}
      arms:
        V: {n: 10}
        K: {n: 10, doses: [{drug: ketamine, amount: 10 mg/kg, route: ip, time: 0 h}]}
        KA:
          n: 10
          doses:
            - {drug: naltrexone, amount: 10 mg/kg, route: ip, time: -30 min}
            - {drug: ketamine, amount: 10 mg/kg, route: ip, time: 0 h}
      endpoints:
        hours_3: {name: immobility, family: immobility, test_time: 3 h, phase: acute, improvement: decrease}
      design: parallel
      source: {how: assumption, reason: planned}
"""


def prior_run(loaded: LoadedCase, *, known: bool = True, draws: int = 80, seed: int = 5) -> StoredRun:
    """A run of all accounts, equally probable; with draws of every parameter of the case, or of none that it names."""
    names = [one.name for one in assemble(loaded).parameters] if known else ["nothing"]
    every = variants(loaded.case)
    random = np.random.default_rng(seed)
    fits = []
    for variant in every:
        scores = dict(zip(names, random.standard_normal((len(names), draws)), strict=True))
        fits.append(StoredFit(variant, 1 / len(every), 1 / len(every), scores, float(draws)))
    return StoredRun(loaded, None, tuple(fits), ())  # pyright: ignore[reportArgumentType] (nothing here asks it)
