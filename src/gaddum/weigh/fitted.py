"""Fitted: all fits of a case, and their weighing under the prior set (parameterisation, link, cohorts, publication)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from gaddum.parallel import map_tasks
from gaddum.records.ledger import LoadedCase
from gaddum.records.prior import Distribution
from gaddum.results import LEAST_DRAWS
from gaddum.sampling.estimate import Evidence, Rung
from gaddum.weigh import compare
from gaddum.weigh.compare import HypothesisWeight, Variant
from gaddum.weigh.likelihood import Problem, Setting
from gaddum.weigh.predictive import Outline, Predictor, in_double_precision

FORMS = ("gate-matched", "absolute")
"""Parameterisations: effects relative to the anchor, or to full activity. The first is the main one."""


SUMMARY_DRAWS = 1000
"""Posterior draws per fit that summaries use."""
IN_PLAY = 0.05
"""Probability from which an account's draws must carry a setting."""
OMEGAS = (0.1, 0.3)
"""Chances of publication without significance that are tried, beside 1."""
UNDECLARED = ("unknown", "none declared")
"""What the field of competing interests says where no interest is recorded."""
SELECTION = (
    *(f"null results published at {omega:g}" for omega in OMEGAS),
    "null results published, averaged",
)
"""Names of the settings in which publication was selective; the last averages over all chances, 1 included."""


class HypothesisFit(NamedTuple):
    """One fitted account."""

    variant: Variant
    form: str
    setting: Setting
    evidence: Evidence
    sample: Float[np.ndarray, "dimension draws"]
    """A thinned sample of the posterior, batch last; dimensions that the record does not touch follow their prior."""
    outline: Outline
    """What the sample predicts of every row, and the log likelihood of each cohort: by the account that stands for its
    equivalents, whose effects are the same and whose states need not be."""
    rungs: tuple[Rung, ...] = ()
    """Ladder by years of the fit that this one is, or descends from."""
    ratios: Float[np.ndarray, "selections draws"] | None = None
    """Log likelihood ratios of the settings `SELECTION`, where the record has outcomes that may have been selected."""

    @property
    def cohort_logs(self) -> Float[np.ndarray, "cohorts draws"]:
        """Log likelihood of each cohort."""
        return np.asarray(self.outline.cohort_logs)

    @property
    def active(self) -> Bool[np.ndarray, " dimension"]:
        """Dimensions that the record touches."""
        return np.any(self.evidence.draws != 0, axis=0)

    def log_ratio(self, shift: Float[np.ndarray, " columns"]) -> Float[np.ndarray, " draws"]:
        """Log likelihood ratio of the draws under shifted weights of cohorts and, after these, of selections."""
        cohorts = self.cohort_logs.shape[0]
        found = shift[:cohorts] @ self.cohort_logs
        if shift.size > cohorts and self.ratios is not None:
            found = found + shift[cohorts:] @ self.ratios
        return found


@dataclass(frozen=True, eq=False)
class CaseFits:
    """All fits of a case."""

    loaded: LoadedCase
    problem: Problem
    variants: list[Variant]
    fits: dict[tuple[str, int], HypothesisFit]
    groups: list[list[int]]
    """Hypotheses (by place) that predict the same."""
    weights: Float[np.ndarray, " cohorts"]
    seed: int
    predictor: Predictor
    _weighed: dict[tuple[str, bytes | None], dict[str, HypothesisWeight]] = field(
        default_factory=dict, init=False, repr=False
    )
    """What `weighed` gave, which every summary asks again."""

    @property
    def names(self) -> list[str]:
        """Names of the hypotheses, in the case's order."""
        return [h.name for h in self.loaded.case.hypotheses]

    @property
    def priors(self) -> dict[str, Distribution]:
        """The case's distributions by name."""
        return {prior.name: prior.distribution for prior in self.loaded.case.priors}

    @property
    def masses(self) -> dict[str, float]:
        """Prior probability of each hypothesis, after those that predict the same have shared theirs."""
        masses = compare.prior_masses(self.declared_masses, self.groups)
        return dict(zip(self.names, masses.tolist(), strict=True))

    @property
    def declared_masses(self) -> Float[np.ndarray, " hypotheses"]:
        """Prior masses as the case declares them."""
        return np.array([h.mass for h in self.loaded.case.hypotheses])

    def places(self, name: str) -> list[int]:
        """Places of a hypothesis's variants."""
        return [i for i, v in enumerate(self.variants) if v.hypothesis.name == name]

    def of(self, form: str, name: str) -> list[HypothesisFit]:
        """Fits of a hypothesis's variants in one parameterisation."""
        return [self.fits[form, i] for i in self.places(name)]

    def by_fit(
        self, function: Callable[[HypothesisFit], Any], map_fits: Callable[..., list[Any]] = map_tasks
    ) -> dict[int, Any]:
        """Variant -> what a function gives of its fit in the main form; equivalent variants share theirs."""
        fits = [self.fits[FORMS[0], i] for i in range(len(self.variants))]
        lead = {id(fit.sample): fit for fit in reversed(fits)}
        found = map_fits(lambda fit: in_double_precision(lambda: function(fit)), lead.values())
        known = dict(zip(lead, found, strict=True))
        return {i: known[id(fit.sample)] for i, fit in enumerate(fits)}

    def weighed(
        self, form: str, shift: Float[np.ndarray, " cohorts"] | None = None
    ) -> dict[str, HypothesisWeight]:
        """Probabilities in one parameterisation; `shift` is added to the cohorts' weights by importance weights."""
        key = form, None if shift is None else shift.tobytes()
        if key not in self._weighed:
            self._weighed[key] = self._weigh(form, shift)
        return self._weighed[key]

    def _weigh(self, form: str, shift: Float[np.ndarray, " cohorts"] | None) -> dict[str, HypothesisWeight]:
        of_each = [self.of(form, name) for name in self.names]
        log_ml = [np.array([_shifted(fit, shift) for fit in mine]) for mine in of_each]
        errors = [np.array([fit.evidence.log_ml_mcse for fit in mine]) for mine in of_each]
        return compare.weigh(self.names, self.declared_masses, self.groups, log_ml, errors)

    def shares(self, form: str, shift: Float[np.ndarray, " cohorts"] | None = None) -> dict[int, float]:
        """Probability of each variant in one parameterisation."""
        return {
            i: one.probability * share
            for name, one in self.weighed(form, shift).items()
            for i, share in zip(self.places(name), one.variant_probability, strict=True)
        }

    def draw_weights(
        self, form: str, shift: Float[np.ndarray, " cohorts"] | None = None
    ) -> dict[int, Float[np.ndarray, " draws"]]:
        """Variant -> probability of each draw of its sample; all add up to 1."""
        shares = self.shares(form, shift)
        return {i: share * importance(self.fits[form, i], shift) for i, share in shares.items()}

    def over_set(self) -> list[dict[str, HypothesisWeight]]:
        """Probabilities of the hypotheses in every declared setting, the main one first."""
        return [self.weighed(form, shift) for form, shift in self.settings().values()]

    @cached_property
    def known(self) -> list[bool]:
        """Which settings of the declared set have draws enough for their numbers to be printed."""
        return [self.fewest_draws(form, shift) >= LEAST_DRAWS for form, shift in self.settings().values()]

    def fewest_draws(self, form: str, shift: Float[np.ndarray, " columns"] | None) -> float:
        """Effective draws in a setting of the fit that has fewest, among those of accounts in play."""
        chances = {name: one.probability for name, one in self.weighed(form, shift).items()}
        least = min(IN_PLAY, max(chances.values()))
        in_play = [name for name, chance in chances.items() if chance >= least]
        return min(effective_draws(fit, shift) for name in in_play for fit in self.of(form, name))

    def settings(self) -> dict[str, tuple[str, Float[np.ndarray, " cohorts"] | None]]:
        """The declared set over which a verdict must hold: name -> (parameterisation, shift of cohort weights)."""
        found: dict[str, tuple[str, Float[np.ndarray, " cohorts"] | None]] = {
            f"parameterisation {form}": (form, None) for form in FORMS
        }
        linked = np.array(["," in cohort for cohort in self.problem.cohorts])
        if linked.any():
            for value in (0.0, 1.0):
                shift = np.where(linked & (self.weights > 0), value - self.weights, 0.0)
                found[f"link to slices {value:g}"] = (FORMS[0], shift)
        for place, cohort in enumerate(self.problem.cohorts):
            if self.weights[place] > 0:
                found[f"without {cohort}"] = (FORMS[0], self.without([place]))
        if any(fit.ratios is not None for fit in self.fits.values()):
            for place, name in enumerate(SELECTION):
                shift = np.zeros(len(self.problem.cohorts) + len(SELECTION))
                shift[len(self.problem.cohorts) + place] = 1.0
                found[name] = (FORMS[0], shift)
        return found

    def stresses(self) -> dict[str, tuple[str, Float[np.ndarray, " cohorts"]]]:
        """Further settings that are shown, and that no verdict has to survive: several cohorts left out together."""
        labs: dict[str, set[int]] = {}
        declared: set[int] = set()
        for s in self.problem.scored:
            if self.weights[s.cohort] > 0:
                if s.study.lab is not None:
                    labs.setdefault(s.study.lab, set()).add(s.cohort)
                if s.study.competing_interests not in UNDECLARED:
                    declared.add(s.cohort)
        together = {f"without laboratory {lab}": mine for lab, mine in labs.items() if len(mine) > 1}
        if declared:
            together["without studies that declare an interest"] = declared
        return {name: (FORMS[0], self.without(list(cohorts))) for name, cohorts in together.items()}

    def without(self, cohorts: list[int]) -> Float[np.ndarray, " cohorts"]:
        """Shift of the cohorts' weights that leaves some of them out."""
        shift = np.zeros(len(self.problem.cohorts))
        shift[cohorts] = -self.weights[cohorts]
        return shift


def effective_draws(fit: HypothesisFit, shift: Float[np.ndarray, " columns"] | None) -> float:
    """How many equal draws the importance weights of a setting are worth."""
    return float(1 / np.sum(importance(fit, shift) ** 2))


def importance(
    fit: HypothesisFit, shift: Float[np.ndarray, " cohorts"] | None
) -> Float[np.ndarray, " draws"]:
    """Normalised weights of a fit's sample under shifted cohort weights."""
    count = fit.sample.shape[1]
    if shift is None or not len(shift):
        return np.full(count, 1 / count)
    logs = fit.log_ratio(shift)
    weights = np.exp(logs - logs.max())
    return weights / weights.sum()


def _shifted(fit: HypothesisFit, shift: Float[np.ndarray, " cohorts"] | None) -> float:
    if shift is None or not len(shift):
        return fit.evidence.log_ml
    return compare.reweighted_log_ml(fit.evidence.log_ml, fit.log_ratio(shift))[0]
