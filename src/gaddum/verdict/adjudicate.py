"""Adjudicate: a case -> the probability of each rival hypothesis, and everything that a reader needs to trust it.

The one verb that runs the whole chain. It reduces the record once, fits every account in both parameterisations, and
returns a typed result together with the draws. It prints nothing and writes nothing.
"""

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Bool, Float
from threadpoolctl import threadpool_limits

from gaddum import parallel
from gaddum.memory import give_back
from gaddum.notebook import html_of
from gaddum.outcomes.reduce import reduce_record
from gaddum.records.ledger import LoadedCase, load_case
from gaddum.response.assemble import assemble
from gaddum.response.response import Account
from gaddum.results import AdjudicationResult
from gaddum.sampling.hmc import evaluate
from gaddum.sampling.settings import Settings, sampler_of
from gaddum.sampling.stage import batch_shape
from gaddum.sampling.tempering import Start
from gaddum.verdict.document import write_result
from gaddum.verdict.reference_protocols import References
from gaddum.verdict.timeline import year_by_year
from gaddum.weigh import compare
from gaddum.weigh.comparator import refit
from gaddum.weigh.compare import Variant
from gaddum.weigh.draws import draws_tree
from gaddum.weigh.fitted import FORMS, SUMMARY_DRAWS, CaseFits, HypothesisFit
from gaddum.weigh.likelihood import Problem, Setting, build_problem
from gaddum.weigh.likelihood import log_likelihood as make_log_likelihood
from gaddum.weigh.likelihood import setting as make_setting
from gaddum.weigh.predictive import Predictor, in_double_precision

Progress = Callable[[str, float], None]

INERT = 1e-9
"""Slope of a log likelihood (nats) below which a dimension does not matter; a dimension without part in it has none."""
SAMPLER = Settings(
    particles=64, lanes=64, directions=64, ess_fraction=0.15, warm_up=3, r_hat=1.03, ess_per_dimension=2.0
)
"""Fewer particles and draws than a general fit: errors of log evidence stay below 0.06 nats in 270 dimensions. Over
500 quantities, 500 effective draws in 8 halves give a largest R-hat of 1.02 by chance alone. Blocks of 64 in single
precision fill vector registers, and their arrays stay near the core."""


class Adjudication(NamedTuple):
    """The result and the posterior draws behind it."""

    result: AdjudicationResult
    draws: xr.DataTree

    def __repr__(self) -> str:
        return f"{self.result!r} with draws of {sum(len(one) for one in self.draws.values())} fits"

    def _repr_html_(self) -> str:
        return html_of(self.result)


def adjudicate(
    case: str | Path | LoadedCase,
    *,
    until: int | None = None,
    hypotheses: list[str] | None = None,
    seed: int = 0,
    workers: int = 2,
    link: float | None = None,
    comparator: bool = False,
    settings: Settings | None = None,
    progress: Progress | None = None,
    checkpoints: Path | None = None,
    executor: Executor | None = None,
) -> Adjudication:
    """Weigh the rival hypotheses of a case by its published record.

    Parameters
    ----------
    case : str, Path or LoadedCase
        Name of a bundled case, or the folder of one.
    until : int
        Last year of publication to take in; all by default.
    hypotheses : list of str
        Names of the hypotheses to compare; all by default.
    seed : int
        Seed of all sampling.
    workers : int
        Threads; the result does not depend on it.
    link : float
        How far slices and imaging speak to behaviour, in [0, 1]; the case's own by default.
    comparator : bool
        Whether to refit every account without a time course, half as long again; else importance weights say what they
        can of it.
    settings : Settings
        Lengths of the sampler; `SAMPLER` by default.
    progress : callable
        Called as progress(task, fraction) from worker threads.
    checkpoints : Path
        Existing folder where fits leave their states every few seconds, and from which an interrupted run of the same
        case and choices goes on, to the same numbers.
    executor : concurrent.futures.Executor
        Runs the fits in place of threads of our own, and stays open. Fits share a function compiled in this process, so
        its threads must be of it: a ThreadPoolExecutor's are, and those of a `distributed.Client(processes=False)`.

    Returns
    -------
    Adjudication
        `result` holds verdict, propositions, claims, hypotheses and all that explains them; `draws` the posterior.

    Raises
    ------
    ValueError
        Where the case or an argument is not usable; says what must hold.
    """
    sampler_of(settings or SAMPLER)  # refused before anything is read
    loaded = _select(case if isinstance(case, LoadedCase) else load_case(case), hypotheses, link)
    # Threads of the linear algebra would fight with the workers, for matrices too small to share.
    with jax.enable_x64(True), threadpool_limits(1, "blas"):
        report = progress or (lambda task, done: None)
        return _run(
            loaded, until, seed, workers, settings or SAMPLER, report, comparator, checkpoints, executor
        )


def _run(
    loaded: LoadedCase,
    until: int | None,
    seed: int,
    workers: int,
    settings: Settings,
    progress: Progress,
    comparator: bool,
    checkpoints: Path | None,
    executor: Executor | None,
) -> Adjudication:
    progress("reading the record", 0.0)
    # One compiles small functions, the other runs the interpreter.
    assembly, record = parallel.map_tasks(
        in_double_precision,
        [lambda: assemble(loaded), lambda: reduce_record(loaded, until=until)],
        workers=workers,
    )
    progress("reading the record", 0.7)
    problem = build_problem(loaded, assembly, record=record)
    progress("compiling", 0.0)
    weights = problem.link.copy()
    if until is not None and problem.scored:
        weights[problem.years > until] = 0.0
    function = make_log_likelihood(problem, single=True)
    variants = compare.variants(loaded.case)
    predictor = Predictor(problem)
    first = make_setting(problem, compare.variant_account(variants[0], assembly, absolute=False), weights)
    # The first takes longest to compile; meanwhile another worker compiles all that the others and the summary need.
    _, equivalent, references, _ = parallel.map_tasks(
        in_double_precision,
        [
            lambda: active_dimensions(problem, function, first, settings),
            lambda: _equivalent(variants, problem, predictor, weights, seed),
            lambda: References(loaded, assembly).ready(first),
            lambda: problem.scored and predictor.features(np.zeros((assembly.dimension, 1)), first),
        ],
        workers=workers,
    )
    give_back()
    progress("weighing the hypotheses", 0.0)
    map_fits = partial(parallel.map_tasks, workers=workers, executor=executor)
    fits = _fit_all(
        variants, equivalent, predictor, function, weights, seed, map_fits, settings, progress, checkpoints
    )
    names = [h.name for h in loaded.case.hypotheses]
    groups = _hypothesis_groups(names, variants, equivalent)
    fitted = CaseFits(loaded, problem, variants, fits, groups, weights, seed, predictor)
    timeless = None
    if comparator:
        timeless = refit(
            fitted, function, settings, map_fits=map_fits, progress=progress, checkpoints=checkpoints
        )
    give_back()
    progress("summarising", 0.0)
    result, asked = write_result(
        fitted, references, until=until, settings=settings, workers=workers, timeless=timeless
    )
    progress("summarising", 1.0)
    return Adjudication(result, draws_tree(fitted, asked.named, asked.held()))


def _select(loaded: LoadedCase, names: list[str] | None, link: float | None) -> LoadedCase:
    """Keep the named hypotheses; replace the link."""
    case = loaded.case
    update: dict[str, Any] = {}
    if names is not None:
        known = [h.name for h in case.hypotheses]
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            raise ValueError(
                f"Hypotheses must be among {', '.join(known)}; got {', '.join(unknown) or 'none'}."
            )
        update["hypotheses"] = tuple(h for h in case.hypotheses if h.name in names)
    if link is not None:
        if not 0 <= link <= 1:
            raise ValueError(f"The link must lie in [0, 1]; got {link!r}.")
        update["link"] = link
    return loaded if not update else dataclasses.replace(loaded, case=case.model_copy(update=update))


def _equivalent(
    variants: list[Variant],
    problem: Problem,
    predictor: Predictor,
    weights: Float[np.ndarray, " cohorts"],
    seed: int,
) -> list[list[int]]:
    """Groups of variants that predict the same of the ledger, in either parameterisation."""
    if not problem.contrasts:
        return [[i] for i in range(len(variants))]
    contrasts = np.concatenate(problem.contrasts)
    divergence = np.zeros((len(variants), len(variants)))

    def effects(z: np.ndarray, given: Account) -> np.ndarray:
        return np.asarray(predictor.outline(z, make_setting(problem, given, weights)).effect)

    for absolute in (False, True):
        accounts = [compare.variant_account(v, problem.assembly, absolute=absolute) for v in variants]
        found = compare.divergences(accounts, problem.assembly, contrasts, seed=seed, effects=effects)
        divergence = np.maximum(divergence, found)
    return compare.classes(divergence)


def _hypothesis_groups(
    names: list[str], variants: list[Variant], equivalent: list[list[int]]
) -> list[list[int]]:
    """Hypotheses all of whose variants coincide with another's."""
    group_of = {i: g for g, group in enumerate(equivalent) for i in group}
    groups: dict[frozenset[int], list[int]] = {}
    for place, name in enumerate(names):
        mine = frozenset(group_of[i] for i, v in enumerate(variants) if v.hypothesis.name == name)
        groups.setdefault(mine, []).append(place)
    return list(groups.values())


def _fit_all(
    variants: list[Variant],
    equivalent: list[list[int]],
    predictor: Predictor,
    function: Callable,
    weights: Float[np.ndarray, " cohorts"],
    seed: int,
    map_fits: Callable[..., list[Any]],
    settings: Settings,
    progress: Progress,
    checkpoints: Path | None,
) -> dict[tuple[str, int], HypothesisFit]:
    """Fit one variant of each equivalence group in both parameterisations; members share the fit.

    The first fit of a hypothesis climbs from the prior through the years of the record. Its other phases and its other
    form differ from it in degree and start from its draws, phases of the other form from that form's first.
    """
    problem = predictor.problem
    tasks = [(form, group[0]) for form, group in product(FORMS, equivalent)]
    done: dict[tuple[str, int], float] = dict.fromkeys(tasks, 0.0)
    lock = threading.Lock()

    def fit(task: tuple[str, int], start: HypothesisFit | None, number: int) -> HypothesisFit:
        form, place = task
        variant = variants[place]
        given = make_setting(
            problem, compare.variant_account(variant, problem.assembly, absolute=form == "absolute"), weights
        )
        mask = active_dimensions(problem, function, given, settings)

        def report(stage: str, fraction: float) -> None:
            with lock:
                done[task] = fraction
                progress("weighing the hypotheses", sum(done.values()) / len(done))

        # No two fits of a family may share a stream, since one begins where another ended.
        stream = seed + (number << 32)
        evidence = sampler_of(settings)(
            function,
            given,
            mask,
            seed=stream,
            settings=settings,
            progress=report,
            checkpoint=checkpoints and checkpoints / f"{form}.{place}.npz",
            start=Start(start.evidence, start.setting) if start else None,
            ascent=year_by_year(predictor, given),
        )
        thinned = np.linspace(0, evidence.draws.shape[0] - 1, SUMMARY_DRAWS).astype(int)
        prior = np.random.default_rng(seed).standard_normal((mask.size, SUMMARY_DRAWS))
        sample = np.where(mask[:, None], evidence.draws[thinned].T, prior)
        report("done", 1.0)
        rungs = evidence.rungs or (start.rungs if start else ())
        return HypothesisFit(variant, form, given, evidence, sample, predictor.outline(sample, given), rungs)

    def fit_family(family: list[tuple[str, int]]) -> dict[tuple[str, int], HypothesisFit]:
        fits: dict[tuple[str, int], HypothesisFit] = {}
        for number, task in enumerate(family):
            first = family[0][1]
            relative = fits.get((task[0], first)) or fits.get((FORMS[0], first))
            fits[task] = fit(task, relative, number)
        return fits

    families: dict[str, list[tuple[str, int]]] = {}
    for task in tasks:
        families.setdefault(variants[task[1]].hypothesis.name, []).append(task)
    longest_first = sorted(families.values(), key=len, reverse=True)
    results = map_fits(lambda family: in_double_precision(lambda: fit_family(family)), longest_first)
    fitted = {task: result for of_family in results for task, result in of_family.items()}
    found: dict[tuple[str, int], HypothesisFit] = {}
    for form, group in product(FORMS, equivalent):
        result = fitted[form, group[0]]
        for member in group:
            own = compare.variant_account(variants[member], problem.assembly, absolute=form == "absolute")
            found[form, member] = result._replace(
                variant=variants[member], setting=result.setting._replace(account=own)
            )
    return found


def active_dimensions(
    problem: Problem, function: Callable, given: Setting, settings: Settings
) -> Bool[np.ndarray, " dimension"]:
    """Dimensions that move the log likelihood anywhere; the others integrate to one and are not sampled.

    The gradient at prior draws tells, from the executable with which the posterior is sampled.
    """
    dimension = problem.assembly.dimension
    if not problem.scored:
        return np.zeros(dimension, bool)
    z = np.random.default_rng(0).standard_normal((dimension, settings.populations * settings.particles))
    everywhere = jnp.ones(dimension, bool)
    data = jax.tree.map(jnp.asarray, given)
    cloud = evaluate(function, data, everywhere, jnp.asarray(z), **batch_shape(settings))
    return np.max(np.abs(np.asarray(cloud.gradient)), axis=1) > INERT
