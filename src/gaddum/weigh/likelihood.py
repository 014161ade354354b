"""Likelihood: one compiled log density per case, with the hypothesis, the priors and the weights as data.

For a draw of the parameters the chain gives every reading's effect; contrasts of effects are looked up in the outcomes'
tables; each cohort's heterogeneity (a multiplicative effect) is integrated by Gauss-Hermite nodes; and each cohort may
have failed (a mixture with the density that its outcomes have when their contrasts are unrelated to any hypothesis).
Leaving a cohort out, a power prior, the timeline and the slice link are weights.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gaddum.outcomes.form import Table
from gaddum.outcomes.reduce import Report, reduce_record
from gaddum.records.experiment import Experiment, Study
from gaddum.records.ledger import LoadedCase
from gaddum.records.outcome import Outcome
from gaddum.response.assemble import ArmReading, Assembly
from gaddum.response.response import Account, prior_table, respond, values
from gaddum.weigh.density_tables import Tables, evaluate_1d, evaluate_2d, stack_tables

HERMITE_NODES = 8


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


class Problem(NamedTuple):
    """A case reduced to what sampling needs."""

    assembly: Assembly
    scored: tuple[ScoredOutcome, ...]
    cohorts: tuple[str, ...]
    link: Float[np.ndarray, " cohorts"]
    """1 for behaviour, the case's link for slices and imaging."""
    log_saturated: Float[np.ndarray, " cohorts"]
    contrasts: tuple[Float[np.ndarray, "contrasts rows"], ...]
    """Contrasts of every scored outcome over the distinct readings."""
    contrasts_1d: Float[np.ndarray, "ones rows"]
    contrasts_2d: Float[np.ndarray, "2 twos rows"]
    whitened: Float[np.ndarray, "squares rows"]
    """Rows whose squares make up the quadratic forms of joint means."""
    squares_of: Float[np.ndarray, "outcomes squares"]
    """1 where a square belongs to an outcome."""
    members_1d: Float[np.ndarray, "cohorts ones"]
    members_2d: Float[np.ndarray, "cohorts twos"]
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
    readings = {(r.study, r.experiment, r.endpoint, r.arm): r for r in assembly.readings}
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
    contrasts = tuple(_rows(s, readings, rows) for s in ordered)
    first = np.array([_along(s) @ c for s, c in zip(ones, contrasts, strict=False)]).reshape(len(ones), rows)
    pair = np.array(contrasts[len(ones) :]).reshape(len(twos), 2, rows).swapaxes(0, 1)
    squares = [(i, s.reduced.joint.whitened @ contrasts[i]) for i, s in enumerate(ones) if s.reduced.joint]
    squares_of = np.zeros((len(ordered), sum(len(white) for _, white in squares)))
    squares_of[[i for i, white in squares for _ in white], np.arange(squares_of.shape[1])] = 1.0
    saturated = np.zeros(len(cohorts))
    for s in scored:
        saturated[s.cohort] += s.weight * s.reduced.log_saturated
    return Problem(
        assembly=assembly,
        scored=tuple(ordered),
        cohorts=tuple(cohorts),
        link=np.array(link),
        log_saturated=saturated,
        contrasts=contrasts,
        contrasts_1d=first,
        contrasts_2d=pair,
        whitened=np.concatenate([np.zeros((0, rows)), *(white for _, white in squares)]),
        squares_of=squares_of,
        members_1d=_members(ones, len(cohorts)),
        members_2d=_members(twos, len(cohorts)),
        tables=stack_tables([s.reduced for s in ordered]),
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
    total = jnp.zeros((len(problem.cohorts), scale.size), precision)
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
    by_node = total.reshape(len(problem.cohorts), nodes.size, spread.size)
    integrated = jax.scipy.special.logsumexp(by_node + constant(log_node_weights)[:, None], axis=1)
    failed = constant(np.log(problem.failure) + problem.log_saturated)[:, None]
    return jnp.logaddexp(float(np.log1p(-problem.failure)) + integrated, failed)


def _times(x: Array, count: int) -> Array:
    """Repeat the batch once per heterogeneity node, nodes outermost."""
    return jnp.tile(x, (1, count))


def _members(scored: list[ScoredOutcome], cohorts: int) -> Float[np.ndarray, "cohorts outcomes"]:
    members = np.zeros((cohorts, len(scored)))
    for place, s in enumerate(scored):
        members[s.cohort, place] = s.weight
    return members


def _composite(outcome: Outcome, peers: int) -> float:
    """Weight 1 / (1 + (m - 1) rho) of one of m outcomes on the same subjects, in whichever report they stand."""
    if outcome.same_subjects is None:
        return 1.0
    correlation = 1.0 if outcome.correlation is None else outcome.correlation
    return 1.0 / (1.0 + (peers - 1) * correlation)


def _along(s: ScoredOutcome) -> Float[np.ndarray, " contrasts"]:
    """Weights of an outcome's contrasts in the one number that its table is over."""
    return np.ones(1) if s.reduced.joint is None else s.reduced.joint.direction


def _rows(
    s: ScoredOutcome, readings: dict[tuple[str, str, str, str], ArmReading], rows: int
) -> Float[np.ndarray, "contrasts rows"]:
    """Contrasts as coefficients over the distinct readings."""
    coefficients = np.zeros((len(s.reduced.contrasts), rows))
    for which, contrast in enumerate(s.reduced.contrasts):
        for arm, coefficient in contrast:
            reading = readings[s.study.id, s.experiment.id, s.outcome.endpoint, arm]
            if reading.row >= 0:
                coefficients[which, reading.row] += coefficient
    return coefficients
