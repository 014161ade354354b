"""Predictive: what the accounts, weighed by their probabilities, say of each outcome and each arm's engagement."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from gaddum.records.vocabulary import at_rest
from gaddum.response.response import respond
from gaddum.results import EngagementPhase, EngagementRow, ForestRow, Interval, row_of
from gaddum.weigh.density_tables import Tables, evaluate_1d, evaluate_2d
from gaddum.weigh.likelihood import Problem, ScoredOutcome, Setting, cohort_log_likelihoods, cohort_spread

CENTRAL = (0.025, 0.5, 0.975)


BLOCK = 40
"""Draws that summaries evaluate together; a multiple of a vector register's four."""


CHUNK = 5 * BLOCK
"""Draws of one call; a call of another number would compile again."""


FOR_FEW_DRAWS = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
"""Options for what runs over a few hundred draws once: it compiles in a third of the time."""


def in_blocks(function: Callable[[Array, Any], Any]) -> Callable[[Array, Any], Any]:
    """Evaluate a batch-last function block by block, so that a block's arrays stay in the cache.

    The number of draws must be a multiple of `BLOCK`.
    """

    def blocked(z: Array, given: Any) -> Any:
        draws = z.shape[1]
        parts = jnp.moveaxis(z.reshape(z.shape[0], draws // BLOCK, BLOCK), 1, 0)
        found = jax.lax.map(lambda part: function(part, given), parts)
        return jax.tree.map(lambda x: jnp.moveaxis(x, 0, -2).reshape(*x.shape[1:-1], draws), found)

    return blocked


def in_double_precision(part: Callable[[], Any]) -> Any:
    """Call in double precision, whose scope is a thread's own."""
    with jax.enable_x64(True):
        return part()


class Outline(NamedTuple):
    """What summaries ask of a batch of draws; the batch is last."""

    state: Float[Array | np.ndarray, "rows draws"]
    effect: Float[Array | np.ndarray, "rows draws"]
    spread: Float[Array | np.ndarray, " draws"]
    """Standard deviation of the log effects of cohorts."""
    cohort_logs: Float[Array | np.ndarray, "cohorts draws"]
    """Log likelihood of each cohort."""


class OutcomePredictions(NamedTuple):
    """What draws say of every scored outcome; draws are last."""

    effects: Float[np.ndarray, "contrasts outcomes draws"]
    """True value of each contrast (SD); NaN beyond those that an outcome has."""
    density: Float[np.ndarray, "outcomes draws"]
    """Density, or probability, of what was reported."""

    def take(self, draws: Int[np.ndarray, " some"]) -> "OutcomePredictions":
        """Some of the draws."""
        return OutcomePredictions(*(part[..., draws] for part in self))


def together(parts: list[OutcomePredictions]) -> OutcomePredictions:
    """Draws of several fits as one sample."""
    return OutcomePredictions(*(np.concatenate(each, axis=-1) for each in zip(*parts, strict=True)))


class Predictor:
    """Functions of one problem that everything but sampling shares, each compiled once for any number of draws."""

    def __init__(self, problem: Problem) -> None:
        assembly = problem.assembly

        def outline(z: Array, s: Setting) -> Outline:
            found = respond(assembly, z, s.account, s.table)
            spread = cohort_spread(problem, z, s)
            logs = cohort_log_likelihoods(problem, found.effect, spread)
            return Outline(found.state, found.effect, spread, logs)

        self.problem = problem
        self._outline = jax.jit(in_blocks(outline))
        self._features = jax.jit(
            in_blocks(lambda z, s: respond(assembly, z, s.account, s.table).features),
            compiler_options=FOR_FEW_DRAWS,
        )
        self._densities = jax.jit(lambda *places: (_densities(problem.tables, *places),))

    def outline(self, z: Float[np.ndarray, "dimension draws"], setting: Setting) -> Outline:
        """The outline of a batch."""
        return Outline(*in_chunks(lambda part: self._outline(part, setting), z))

    def features(
        self, z: Float[np.ndarray, "dimension draws"], setting: Setting
    ) -> list[Float[np.ndarray, "rows nodes draws"]]:
        """Level of every feature for a batch."""
        return in_chunks(lambda part: self._features(part, setting), z)

    def predict(self, outline: Outline, seed: int) -> OutcomePredictions:
        """What an outline's draws say of every scored outcome, cohort heterogeneity drawn."""
        problem = self.problem
        effect, spread = np.asarray(outline.effect), np.asarray(outline.spread)
        scale = self._scale(spread, seed)
        most = max((len(rows) for rows in problem.contrasts), default=1)
        effects = np.full((most, len(problem.contrasts), spread.size), np.nan)
        for place, rows in enumerate(problem.contrasts):
            effects[: len(rows), place] = rows @ effect * scale[place]
        along, ones = effects[0].copy(), len(problem.contrasts_1d)
        along[:ones] = problem.contrasts_1d @ effect * scale[:ones]
        across = effects[1] if most > 1 else np.full_like(along, np.nan)
        square = problem.squares_of @ (problem.whitened @ effect) ** 2 * scale**2
        (density,) = in_chunks(self._densities, along, across, square)
        return self._at_one_time(OutcomePredictions(effects, density), seed)

    def _at_one_time(self, columns: OutcomePredictions, seed: int) -> OutcomePredictions:
        """Effects at a time that is drawn, and the mean density over times, of outcomes that may have had several."""
        problem, rng = self.problem, np.random.default_rng([seed, 1])
        first = np.searchsorted(problem.outcome_of, np.arange(len(problem.scored)))
        effects, density = columns.effects[:, first], columns.density[first]
        drawn: dict[tuple[str, ...], np.ndarray] = {}
        for place in np.flatnonzero(np.bincount(problem.outcome_of) > 1):
            s, mine = problem.scored[place], np.flatnonzero(problem.outcome_of == place)
            key = (s.study.id, s.experiment.id, s.outcome.endpoint)
            if key not in drawn:
                drawn[key] = rng.integers(len(mine), size=density.shape[1])
            effects[:, place] = columns.effects[:, mine[drawn[key]], np.arange(density.shape[1])]
            density[place] = columns.density[mine].mean(axis=0)
        return OutcomePredictions(effects, density)

    def _scale(self, spread: Float[np.ndarray, " draws"], seed: int) -> np.ndarray:
        """Multiplicative cohort effects, one per column and draw, the same within a cohort."""
        noise = np.random.default_rng(seed).standard_normal((len(self.problem.cohorts), spread.size))
        cohorts = np.array([s.cohort for s in self.problem.scored], int)
        return np.exp(spread * noise)[cohorts[self.problem.outcome_of]]


def _densities(
    tables: Tables,
    along: Float[Array, "outcomes draws"],
    across: Float[Array, "outcomes draws"],
    square: Float[Array, "outcomes draws"],
) -> Float[Array, "outcomes draws"]:
    """Density, or probability, of every outcome where its tables are read; one-dimensional tables come first."""
    ones = tables.one.shape[0]
    logs = [evaluate_1d(tables, along[:ones]), evaluate_2d(tables, along[ones:], across[ones:])]
    return jnp.exp(jnp.concatenate(logs) - 0.5 * square)


def in_chunks(
    function: Callable[..., Any], *batches: Float[np.ndarray, "rows draws"]
) -> list[Float[np.ndarray, "... draws"]]:
    """Call with `CHUNK` draws at a time, the last filled up with copies, and put each thing that it gives together."""
    draws = batches[0].shape[1]
    filled = [np.pad(np.asarray(batch), ((0, 0), (0, -draws % CHUNK)), mode="edge") for batch in batches]
    parts = [np.split(batch, batch.shape[1] // CHUNK, axis=1) for batch in filled]
    found = [function(*part) for part in zip(*parts, strict=True)]
    return [np.concatenate(pieces, axis=-1)[..., :draws] for pieces in zip(*found, strict=True)]


def interval(samples: Float[np.ndarray, "... draws"]) -> Interval:
    """Median and central 95 % interval."""
    lower, median, upper = np.quantile(samples, CENTRAL)
    return Interval(median=float(median), lower=float(lower), upper=float(upper))


def forest(problem: Problem, after: OutcomePredictions, before: OutcomePredictions) -> list[ForestRow]:
    """One row per scored outcome, and per contrast where several were observed: beside posterior and prior predictive.

    A verdict over two contrasts has the other one in `second`.
    """

    def predicted(place: int, which: int) -> tuple[Interval, Interval]:
        return interval(after.effects[which, place]), interval(before.effects[which, place])

    rows = []
    for place, s in enumerate(problem.scored):
        observed = [
            Interval(median=one["effect"], lower=one["lower"], upper=one["upper"])
            for one in s.reduced.observed
        ]
        said = [None if observed else float(np.mean(one.density[place])) for one in (after, before)]
        two = not observed and len(s.reduced.contrasts) == 2
        other = predicted(place, 1) if two else (None, None)
        for which in range(max(len(observed), 1)):
            one, prior_one = predicted(place, which)
            rows.append(
                ForestRow(
                    **s.named,
                    year=s.study.year,
                    stratum=s.experiment.protocol.subject.stratum,
                    observed_text=getattr(s.outcome, "verdict", None) or s.reduced.label,
                    observed=observed[which] if observed else None,
                    probability_of_report=said[0],
                    prior_probability_of_report=said[1],
                    contrast=contrast_text(s, which),
                    predicted=one,
                    prior_predicted=prior_one,
                    second=contrast_text(s, 1) if two else None,
                    second_predicted=other[0],
                    second_prior_predicted=other[1],
                )
            )
    return rows


def contrast_text(s: ScoredOutcome, which: int) -> str:
    """A contrast by its arms, such as ``K - V``."""
    first, *others = s.reduced.contrasts[which]
    return first[0] + "".join(f" {'-' if sign < 0 else '+'} {arm}" for arm, sign in others)


def engagement(
    problem: Problem, features: list[Float[np.ndarray, "rows nodes draws"]]
) -> list[EngagementRow]:
    """Level of each feature per arm at the drug's time of action and at the test.

    Induction is the node at which the arm's own exposure moves the feature furthest from its level without drug.
    """
    assembly = problem.assembly
    rows: list[EngagementRow] = []
    seen: set[tuple[int, str]] = set()
    for reading in assembly.readings:
        for place, name in enumerate(assembly.features):
            if reading.row < 0 or not assembly.ligand_names[reading.row]:
                continue
            level = features[place][reading.row]
            away = np.abs(np.median(level, axis=-1) - at_rest(name))
            if away.max() < 1e-4:
                continue
            moments: dict[EngagementPhase, int] = {
                "induction": int(np.argmax(away)),
                "expression": level.shape[0] - 1,
            }
            for phase, node in moments.items():
                key = (reading.row, f"{reading.study} {reading.arm} {name} {phase}")
                if key in seen:
                    continue
                seen.add(key)
                said = {"feature": name, "phase": phase, "time_h": float(assembly.times[reading.row, node])}
                rows.append(row_of(EngagementRow, reading, **said, **dict(interval(level[node]))))
    return rows
