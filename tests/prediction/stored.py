"""Runs whose draws are known: those of the prior, as if a record had said nothing; in memory, and as files."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gaddum._version import __version__
from gaddum.prediction.stored_run import StoredFit, StoredRun
from gaddum.records.ledger import LoadedCase
from gaddum.records.manifest import Manifest
from gaddum.response.assemble import assemble
from gaddum.result_set import DRAWS, RESULT
from gaddum.results import AdjudicationResult, HypothesisRow, Odds
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
ALONE = "        A: {n: 10, doses: [{drug: naltrexone, amount: 10 mg/kg, route: ip, time: -30 min}]}\n"
"""An antagonist-alone arm, to stand before the endpoints."""
ABOLISHED = """    outcomes:
      - form: verdict
        endpoint: hours_3
        verdict: abolished
        roles: {K: K, V: V, KA: KA}
        agonist_effect_present: true
        source: {how: assumption, reason: made up}
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
    return StoredRun(loaded, _result(loaded), tuple(fits), (), "")


def write_run(run: StoredRun, folder: Path, **attrs: float) -> Path:
    """Files of a run in two populations, as `gaddum adjudicate` writes them."""
    tree: dict[str, xr.Dataset] = {}
    about = {"ess": 400.0, "r_hat": 1.0, "established": 1} | attrs
    for fit in run.fits:
        where, names = f"/gate-matched/{fit.variant.label}", list(fit.scores)
        z = np.array([fit.scores[name] for name in names]).reshape(len(names), 2, -1)
        tree[where] = xr.Dataset(attrs=about)
        tree[f"{where}/scores"] = xr.Dataset(
            {"z": (("chain", "draw", "parameter"), np.moveaxis(z, 0, -1))}, coords={"parameter": names}
        )
        tree[f"{where}/log_likelihood"] = xr.Dataset(coords={"cohort": ["yoon2019"]})
        asked = {"proposition": ["opioid signalling needed | mouse, stressed, behaving | acute"]}
        holds = (z[:1] > 0).astype(np.int8)
        tree[f"{where}/propositions"] = xr.Dataset(
            {"holds": (("chain", "draw", "proposition"), np.moveaxis(holds, 0, -1))}, coords=asked
        )
    folder.mkdir(parents=True, exist_ok=True)
    xr.DataTree.from_dict(tree).to_netcdf(folder / DRAWS, engine="h5netcdf")
    (folder / RESULT).write_text(run.result.to_json(), encoding="utf-8")
    return folder


def _result(loaded: LoadedCase) -> AdjudicationResult:
    every, case = variants(loaded.case), loaded.case
    rows = []
    for one in case.hypotheses:
        mine = [v for v in every if v.hypothesis is one]
        odds: dict[str, Any] = {"log_ml": 0.0, "log_ml_mcse": 0.0, "log_bf": 0.0, "log_bf_mcse": 0.0}
        phases = {v.phase: Odds(**odds, probability=1 / len(mine)) for v in mine if v.phase is not None}
        said: dict[str, Any] = {name: getattr(one, name) for name in ("name", "title", "gate", "says")}
        share = len(mine) / len(every)
        rows.append(
            HypothesisRow(
                **said,
                **odds,
                probability=share,
                reference=one is case.hypotheses[0],
                prior=share,
                established=True,
                note="",
                dimension=1,
                r_hat=1.0,
                ess=400.0,
                evaluations=1,
                absolute=Odds(**odds, probability=share),
                variants=phases,
            )
        )
    made = Manifest(version=__version__, python="", jax="", numpy="", settings={}, **loaded.hashes)
    nothing: dict[str, Any] = dict.fromkeys(
        ("propositions", "claims", "equivalence", "sensitivity", "studies", "forest", "engagement", "priors"),
        (),
    )
    return AdjudicationResult(
        case=case.name,
        title=case.title,
        question=case.question,
        effect=case.effect,
        seed=0,
        until=None,
        parameterisation="gate-matched",
        verdict="",
        hypotheses=tuple(rows),
        yardstick=0.0,
        assumptions=(),
        sampled_dimension=1,
        missing=(),
        manifest=made,
        **nothing,
    )
