"""Synthetic ledgers: the protocols of a case, with reports drawn from one of its accounts.

The draw follows the likelihood step by step: parameters from the prior, every reading's effect, one lognormal factor
for each cohort, with probability `study_failure` contrasts that have nothing to do with any account, then the report
of every scored outcome. What is reported enters only the tables, so all ledgers share one compiled likelihood, whose
data carry them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from benchmarks.recovery.draw import Draw, Unvaried, drawer
from jaxtyping import Array, Float

from gaddum.outcomes.form import Priors
from gaddum.outcomes.group_sizes import fixed_value
from gaddum.records.ledger import LoadedCase
from gaddum.response.assemble import assemble
from gaddum.response.response import respond
from gaddum.weigh import compare
from gaddum.weigh.compare import Variant
from gaddum.weigh.density_tables import Tables, stack_tables
from gaddum.weigh.likelihood import Problem, Setting, build_problem, cohort_spread, log_likelihood, setting


class Data(NamedTuple):
    """All that differs between fits: the account, and what the ledger reports."""

    setting: Setting
    tables: Tables
    log_saturated: Float[np.ndarray, " cohorts"]


class Synthetic(NamedTuple):
    """One synthetic ledger."""

    reports: tuple[str, ...]
    """What is reported of each scored outcome, in words."""
    failed: tuple[str, ...]
    """Cohorts whose contrasts were drawn from no account."""
    tables: Tables
    log_saturated: Float[np.ndarray, " cohorts"]


@dataclass(frozen=True)
class Ledgers:
    """Protocols from which ledgers are drawn, and under which they are judged."""

    problem: Problem
    priors: Priors
    variants: tuple[Variant, ...]

    @classmethod
    def of(cls, loaded: LoadedCase) -> "Ledgers":
        """Ledgers with the protocols and the scored outcomes of a case."""
        priors = {prior.name: prior.distribution for prior in loaded.case.priors}
        problem = build_problem(loaded, assemble(loaded))
        if any(s.weight != 1 for s in problem.scored) or np.any(problem.link != 1) or problem.times.rows.size:
            raise ValueError(
                "Every outcome and cohort must have a weight of 1, for a power of a likelihood has no draws, and every "
                "test one known hour."
            )
        return cls(problem, priors, tuple(compare.variants(loaded.case)))

    def setting(self, variant: Variant) -> Setting:
        """A variant in the gate-matched form, every cohort in."""
        return setting(self.problem, compare.variant_account(variant, self.problem.assembly, absolute=False))

    def data(self, variant: Variant, ledger: Synthetic) -> Data:
        """What the likelihood of a ledger under a variant needs."""
        return Data(self.setting(variant), ledger.tables, ledger.log_saturated)

    @cached_property
    def log_likelihood(self) -> Callable[[Array, Data], Array]:
        """The likelihood of the program, with the tables of a ledger as data."""

        def function(z: Array, data: Data) -> Array:
            reported = self.problem._replace(tables=data.tables, log_saturated=data.log_saturated)
            return log_likelihood(reported, single=True)(z, data.setting)

        return function

    def drawn(self, name: str, rng: np.random.Generator) -> Synthetic:
        """A ledger under an account, whose phase, if it has phases, is drawn like all else."""
        mine = [variant for variant in self.variants if variant.hypothesis.name == name]
        variant = mine[rng.integers(len(mine))]
        z = rng.standard_normal(self.problem.assembly.dimension)
        cohorts = len(self.problem.cohorts)
        deviations = rng.standard_normal(cohorts)
        failed = rng.random(cohorts) < self.problem.failure
        return self.reported(variant, z, deviations, failed, rng)

    def central(self, name: str, rng: np.random.Generator | Unvaried) -> Synthetic:
        """A ledger at the medians of all priors, no study failed; an account with phases acts at both.

        Without chance (`Unvaried`) every statistic is what this account leads one to expect.
        """
        variant = [v for v in self.variants if v.hypothesis.name == name and v.phase in (None, "both")][0]
        cohorts = len(self.problem.cohorts)
        z = np.zeros(self.problem.assembly.dimension)
        return self.reported(variant, z, np.zeros(cohorts), np.zeros(cohorts, bool), rng)

    def reported(
        self,
        variant: Variant,
        z: Float[np.ndarray, " dimension"],
        deviations: Float[np.ndarray, " cohorts"],
        failed: Float[np.ndarray, " cohorts"],
        rng: np.random.Generator | Unvaried,
    ) -> Synthetic:
        """A ledger from given parameters, cohort effects (standard normal) and failures."""
        problem = self.problem
        effect, spread = self._effects(z[:, None], self.setting(variant))
        effect, scale = np.asarray(effect)[:, 0], np.exp(float(spread[0]) * deviations)
        free = fixed_value(self.priors, "standardised_effect")
        true = [row @ effect for row in problem.contrasts_1d[:, None]]
        true += [row @ effect for row in np.moveaxis(problem.contrasts_2d, 0, 1)]
        words, found = [], []
        for s, contrasts, draw in zip(problem.scored, true, self._draws, strict=True):
            of_account = contrasts * scale[s.cohort]
            of_none = free * rng.standard_normal(contrasts.size)
            told, reduced = draw(of_none if failed[s.cohort] else of_account, rng)
            words.append(f"{s.study.id}, {s.reduced.label}: {told}")
            found.append(reduced)
        saturated = np.zeros(len(problem.cohorts))
        for s, reduced in zip(problem.scored, found, strict=True):
            saturated[s.cohort] += reduced.log_saturated
        lost = tuple(name for name, one in zip(problem.cohorts, failed, strict=True) if one)
        return Synthetic(tuple(words), lost, stack_tables(found), saturated)

    @cached_property
    def _draws(self) -> tuple[Draw, ...]:
        return tuple(drawer(s, self.priors) for s in self.problem.scored)

    @cached_property
    def _effects(self) -> Callable[[Array | np.ndarray, Setting], tuple[Array, Array]]:
        def effects(z: Array, given: Setting) -> tuple[Array, Array]:
            found = respond(self.problem.assembly, jnp.asarray(z), given.account, given.table)
            return found.effect, cohort_spread(self.problem, z, given)

        return jax.jit(effects)
