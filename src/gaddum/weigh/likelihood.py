"""Likelihood: one compiled log density per case, with the hypothesis, the priors and the weights as data.

For a draw of the parameters the chain gives every reading's effect; contrasts of effects are looked up in the outcomes'
tables; outcomes of an endpoint whose test time is not known are averaged, together, over the times that it may have
had; each cohort's heterogeneity (a multiplicative effect) is integrated by Gauss-Hermite nodes; and each cohort may
have failed (a mixture with the density that its outcomes have when their contrasts are unrelated to any hypothesis).
Leaving a cohort out, a power prior, the timeline and the slice link are weights.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from gaddum.outcomes.form import Table
from gaddum.outcomes.reduce import Report, reduce_record
from gaddum.records.experiment import Experiment, Study
from gaddum.records.ledger import LoadedCase
from gaddum.records.outcome import Outcome
from gaddum.response.assemble import ArmReading, Assembly
from gaddum.response.response import Account, prior_table, respond, values
from gaddum.weigh.density_tables import Tables, evaluate_1d, evaluate_2d, stack_tables

HERMITE_NODES = 8

Readings = dict[tuple[str, str, str, str], list[ArmReading]]
"""Readings of each study, experiment, endpoint and arm."""


class Setting(NamedTuple):
    """All that may differ between fits of one case."""

    account: Account
    table: Float[np.ndarray, "dimension grid"]
    weights: Float[np.ndarray, " cohorts"]


class ScoredOutcome(NamedTuple):
    """A scored outcome with its place in the record."""

    study: Study
    experiment: Experiment
    outcome: Outcome
    reduced: Table
    cohort: int
    weight: float
    """Composite weight among outcomes on the same subjects."""

    @property
    def named(self) -> dict[str, str]:
        """How tables name it."""
        return {
            "study": self.study.id,
            "experiment": self.experiment.id,
            "endpoint": self.outcome.endpoint,
            "form": self.outcome.form,
            "label": self.reduced.label,
        }


class EndpointTimes(NamedTuple):
    """Endpoints that may have been read at several times, each as likely as any other."""

    rows: Int[np.ndarray, "endpoints times"]
    """Rows of the memberships; of endpoints with fewer times than others the last again."""
    log_weight: Float[np.ndarray, "endpoints times"]
    """Log of one over the number of times; -inf where a row is there again."""
    cohorts: Float[np.ndarray, "cohorts endpoints"]
    """1 where an endpoint belongs to a cohort."""


class Problem(NamedTuple):
    """A case reduced to what sampling needs."""

    assembly: Assembly
    scored: tuple[ScoredOutcome, ...]
    cohorts: tuple[str, ...]
    link: Float[np.ndarray, " cohorts"]
    """1 for behaviour, the case's link for slices and imaging."""
    log_saturated: Float[np.ndarray, " cohorts"]
    outcome_of: Int[np.ndarray, " columns"]
    """Place in `scored` of each column: one an outcome, or one for each time at which it may have been read."""
    contrasts: tuple[Float[np.ndarray, "contrasts rows"], ...]
    """Contrasts of every column over the distinct readings."""
    contrasts_1d: Float[np.ndarray, "ones rows"]
    contrasts_2d: Float[np.ndarray, "2 twos rows"]
    whitened: Float[np.ndarray, "squares rows"]
    """Rows whose squares make up the quadratic forms of joint means."""
    squares_of: Float[np.ndarray, "columns squares"]
    """1 where a square belongs to a column."""
    members_1d: Float[np.ndarray, "cohorts_and_times ones"]
    """Weight of each column in its cohort; below the cohorts, one row for each time of an endpoint that has several."""
    members_2d: Float[np.ndarray, "cohorts_and_times twos"]
    times: EndpointTimes
    tables: Tables
    failure: float

    @property
    def years(self) -> np.ndarray:
        """Year of the first report of each cohort."""
        return np.array(
            [min(s.study.year for s in self.scored if s.cohort == c) for c in range(len(self.cohorts))]
        )


def build_problem(
    loaded: LoadedCase,
    assembly: Assembly,
    *,
    until: int | None = None,
    record: tuple[Report, ...] | None = None,
) -> Problem:
    """Lay the tables of a record out by cohort.

    Parameters
    ----------
    loaded : LoadedCase
        The case.
    assembly : Assembly
        Its arrays.
    until : int
        Last year taken in, as `reduce_record` says.
    record : tuple of Report
        What `reduce_record` gave for that year, where it is had already.
    """
    record = reduce_record(loaded, until=until) if record is None else record
    readings: Readings = {}
    for r in assembly.readings:
        readings.setdefault((r.study, r.experiment, r.endpoint, r.arm), []).append(r)
    cohorts: list[str] = []
    link: list[float] = []
    scored: list[ScoredOutcome] = []
    peers = Counter((one.study.cohort, one.outcome.same_subjects) for one in record)
    for study, experiment, outcome, reduced in record:
        if reduced is None:
            continue
        preparation = experiment.protocol.subject.preparation
        name = study.cohort if preparation == "behaving" else f"{study.cohort}, {preparation}"
        if name not in cohorts:
            cohorts.append(name)
            link.append(1.0 if preparation == "behaving" else loaded.case.link)
        weight = _composite(outcome, peers[study.cohort, outcome.same_subjects])
        scored.append(ScoredOutcome(study, experiment, outcome, reduced, cohorts.index(name), weight))
    ones = [s for s in scored if s.reduced.grid_log_density.ndim == 1]
    twos = [s for s in scored if s.reduced.grid_log_density.ndim == 2]
    ordered, rows = ones + twos, assembly.rows.expectancy.size
    by_outcome = [_rows(s, readings, rows) for s in ordered]
    contrasts = tuple(itertools.chain.from_iterable(by_outcome))
    outcome_of = np.repeat(np.arange(len(ordered)), [len(each) for each in by_outcome])
    columns, count = [ordered[place] for place in outcome_of], sum(map(len, by_outcome[: len(ones)]))
    first = np.array([_along(s) @ c for s, c in zip(columns[:count], contrasts, strict=False)])
    pair = np.array(contrasts[count:]).reshape(len(columns) - count, 2, rows).swapaxes(0, 1)
    squares = [(i, s.reduced.joint.whitened @ contrasts[i]) for i, s in enumerate(columns) if s.reduced.joint]
    squares_of = np.zeros((len(columns), sum(len(white) for _, white in squares)))
    squares_of[[i for i, white in squares for _ in white], np.arange(squares_of.shape[1])] = 1.0
    members, times = _members(columns, outcome_of, len(cohorts))
    saturated = np.zeros(len(cohorts))
    for s in scored:
        saturated[s.cohort] += s.weight * s.reduced.log_saturated
    return Problem(
        assembly=assembly,
        scored=tuple(ordered),
        cohorts=tuple(cohorts),
        link=np.array(link),
        log_saturated=saturated,
        outcome_of=outcome_of,
        contrasts=contrasts,
        contrasts_1d=first.reshape(count, rows),
        contrasts_2d=pair,
        whitened=np.concatenate([np.zeros((0, rows)), *(white for _, white in squares)]),
        squares_of=squares_of,
        members_1d=members[:, :count],
        members_2d=members[:, count:],
        times=times,
        tables=stack_tables([s.reduced for s in columns]),
        failure=assembly.constants.get("study_failure", 0.05),
    )


def setting(
    problem: Problem, account: Account, weights: Float[np.ndarray, " cohorts"] | None = None
) -> Setting:
    """The default setting of a hypothesis: the case's priors, every cohort in."""
    return Setting(account, prior_table(problem.assembly), problem.link if weights is None else weights)


def log_likelihood(problem: Problem, *, single: bool = False) -> Callable[[Array, Setting], Array]:
    """Make the function (z, setting) -> log likelihood of each draw, batch last.

    Make it once per case: a compiled function is cached by identity. With `single`, courses over time are computed in
    single precision, as `respond` says.
    """

    def function(z: Float[Array, "dimension batch"], given: Setting) -> Float[Array, " batch"]:
        if not problem.scored:
            return jnp.zeros(z.shape[1])
        effect = respond(problem.assembly, z, given.account, given.table, single=single).effect
        spread, precision = cohort_spread(problem, z, given), jnp.float32 if single else z.dtype
        logs = cohort_log_likelihoods(problem, effect.astype(precision), spread.astype(precision))
        return jnp.asarray(given.weights) @ logs.astype(z.dtype)

    return function


def cohort_spread(
    problem: Problem, z: Float[Array, "dimension batch"], given: Setting
) -> Float[Array, " batch"]:
    """Standard deviation of the log effects of cohorts."""
    index = problem.assembly.index["heterogeneity"]
    return jnp.exp(values(jnp.asarray(given.table)[index : index + 1], z[index : index + 1])[0])


def cohort_log_likelihoods(
    problem: Problem,
    effect: Float[Array, "rows batch"],
    spread: Float[Array, " batch"],
    *,
    count: int = HERMITE_NODES,
) -> Float[Array, "cohorts batch"]:
    """Log likelihood of each cohort, heterogeneity integrated by `count` nodes and failure mixed in."""
    nodes, node_weights = np.polynomial.hermite_e.hermegauss(count)
    log_node_weights = np.log(node_weights / node_weights.sum())
    precision = effect.dtype

    def constant(x: np.ndarray | Array) -> Array:
        return jnp.asarray(x, precision)

    tables = Tables(*(constant(table) for table in problem.tables))
    scale = jnp.exp(spread[None, :] * constant(nodes)[:, None]).ravel()
    total = jnp.zeros((len(problem.members_1d), scale.size), precision)
    if problem.contrasts_1d.size:
        x = _times(jnp.matmul(constant(problem.contrasts_1d), effect), nodes.size) * scale
        total += constant(problem.members_1d) @ evaluate_1d(tables, x)
    if problem.whitened.size:
        members = constant(problem.members_1d) @ constant(problem.squares_of[: len(problem.contrasts_1d)])
        square = members @ (constant(problem.whitened) @ effect) ** 2
        total -= 0.5 * _times(square, nodes.size) * scale**2
    if problem.contrasts_2d.size:
        x = _times(constant(problem.contrasts_2d[0]) @ effect, nodes.size) * scale
        y = _times(constant(problem.contrasts_2d[1]) @ effect, nodes.size) * scale
        total += constant(problem.members_2d) @ evaluate_2d(tables, x, y)
    if problem.times.rows.size:
        by_time = total[problem.times.rows] + constant(problem.times.log_weight)[..., None]
        mixed = jax.scipy.special.logsumexp(by_time, axis=1)
        total = total[: len(problem.cohorts)] + constant(problem.times.cohorts) @ mixed
    by_node = total.reshape(len(problem.cohorts), nodes.size, spread.size)
    integrated = jax.scipy.special.logsumexp(by_node + constant(log_node_weights)[:, None], axis=1)
    failed = constant(np.log(problem.failure) + problem.log_saturated)[:, None]
    return jnp.logaddexp(float(np.log1p(-problem.failure)) + integrated, failed)


def _times(x: Array, count: int) -> Array:
    """Repeat the batch once per heterogeneity node, nodes outermost."""
    return jnp.tile(x, (1, count))


def _members(
    columns: list[ScoredOutcome], outcome_of: Int[np.ndarray, " columns"], cohorts: int
) -> tuple[Float[np.ndarray, "cohorts_and_times columns"], EndpointTimes]:
    """Weights of columns in their cohorts, or in the times of their endpoint where it may have had several."""
    endpoints: dict[tuple[str, str, str], list[int]] = {}
    of_cohort: list[int] = []
    entries, last = [], cohorts
    for place, s in enumerate(columns):
        mine = np.flatnonzero(outcome_of == outcome_of[place])
        key = (s.study.id, s.experiment.id, s.outcome.endpoint)
        if len(mine) > 1 and key not in endpoints:
            endpoints[key] = list(range(last, last + len(mine)))
            of_cohort.append(s.cohort)
            last += len(mine)
        row = endpoints[key][place - mine[0]] if len(mine) > 1 else s.cohort
        entries.append((row, place, s.weight))
    members = np.zeros((last, len(columns)))
    for row, place, weight in entries:
        members[row, place] = weight
    counts = np.array([len(rows) for rows in endpoints.values()], int)
    most = max(counts, default=0)
    again = np.arange(most) >= counts[:, None]
    padded = [rows + rows[-1:] * (most - len(rows)) for rows in endpoints.values()]
    belongs = np.zeros((cohorts, len(counts)))
    belongs[of_cohort, np.arange(len(counts))] = 1.0
    log_weight = np.where(again, -np.inf, -np.log(np.maximum(counts, 1))[:, None])
    return members, EndpointTimes(np.array(padded, int).reshape(len(padded), most), log_weight, belongs)


def _composite(outcome: Outcome, peers: int) -> float:
    """Weight 1 / (1 + (m - 1) rho) of one of m outcomes on the same subjects, in whichever report they stand."""
    if outcome.same_subjects is None:
        return 1.0
    correlation = 1.0 if outcome.correlation is None else outcome.correlation
    return 1.0 / (1.0 + (peers - 1) * correlation)


def _along(s: ScoredOutcome) -> Float[np.ndarray, " contrasts"]:
    """Weights of an outcome's contrasts in the one number that its table is over."""
    return np.ones(1) if s.reduced.joint is None else s.reduced.joint.direction


def _rows(s: ScoredOutcome, readings: Readings, rows: int) -> list[Float[np.ndarray, "contrasts rows"]]:
    """Contrasts as coefficients over the distinct readings, for each time at which they may have been read."""
    times = len(s.experiment.protocol.endpoints[s.outcome.endpoint].assessments)
    found = [np.zeros((len(s.reduced.contrasts), rows)) for _ in range(times)]
    for which, contrast in enumerate(s.reduced.contrasts):
        for arm, coefficient in contrast:
            read = readings[s.study.id, s.experiment.id, s.outcome.endpoint, arm]
            for coefficients, reading in zip(found, read, strict=True):
                if reading.row >= 0:
                    coefficients[which, reading.row] += coefficient
    return found
