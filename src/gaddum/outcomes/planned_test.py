"""A test before it is run: what n can find and could ever show, the n that it takes, and designs in several looks.

`planned_t_test` and `planned_count_test` say it of one kind of test each; what is asked is checked here, and the
smallest n looked for.
"""

from collections.abc import Iterator

import numpy as np

from gaddum.outcomes.bayes_factor import SCALE
from gaddum.outcomes.planned_count_test import PlannedCountTest
from gaddum.outcomes.planned_t_test import PlannedTTest
from gaddum.power_results import BayesFactorRow, PowerResult
from gaddum.records.base import MOST_SUBJECTS

MOST_COUNTED = 500
"""Subjects a group up to which exact tables of counts are made."""
_LEVELS = np.round(np.linspace(-3, 6, 91), 10)
"""Logs to the base 10 of the Bayes factors at which their distribution is given."""
_POINTS = 25
"""Sizes at which power is given."""
Planned = PlannedTTest | PlannedCountTest


def power(
    *,
    n: int | None = None,
    n2: int | None = None,
    paired: bool = False,
    effect: float | None = None,
    effect_sd: float | None = None,
    p1: float | None = None,
    p2: float | None = None,
    alpha: float = 0.05,
    scale: float = SCALE,
    threshold: float = 10.0,
    threshold_against: float | None = None,
    assurance: float | None = None,
    sequential: bool = False,
    first: int = 5,
    every: int = 1,
    seed: int = 0,
) -> PowerResult:
    """Say what a test can find, what its Bayes factor could ever show, and which n it takes.

    Parameters
    ----------
    n
        Subjects a group, or pairs; in a sequential design at most so many. The smallest that gives the assurance where
        it is left out (1).
    n2
        Subjects in the second group, where it is another size (1).
    paired
        Whether differences within subjects are tested; of counts, whether `p2` is the chance of earlier responders to
        respond again, held against the known chance `p1`.
    effect
        True difference: in within-group SD, or if paired in SD of the differences (1).
    effect_sd
        SD of what is known of the effect, which is then normal (1).
    p1, p2
        Chances of a response in two groups, in place of an effect (1).
    alpha
        Two-sided level (1).
    scale
        Scale of the Cauchy prior of the effect in the JZS Bayes factor, in SD (1).
    threshold, threshold_against
        Bayes factor that counts as shown: of an effect over none, and of none over an effect (1).
    assurance
        Wanted chance of a significant result on the expected side, over all that the effect may be (1).
    sequential
        Whether to look at the Bayes factor on the way and stop when it passes a threshold.
    first, every
        First look, and subjects a group or pairs between looks (1).
    seed
        Of the simulation of a sequential t-test.

    Returns
    -------
    PowerResult
        Power, chances of Bayes factors, limits of what n could show, and all of it against n.

    Examples
    --------
    >>> found = power(paired=True, n=7, effect=1.0)
    >>> round(found.power, 3), round(found.t_for_bf10, 2), round(found.bf01_max, 2)
    (0.6, 4.15, 2.83)
    >>> power(effect=0.8, assurance=0.8).smallest_n
    26
    """
    against = threshold if threshold_against is None else threshold_against
    _refuse_limits(alpha=alpha, scale=scale, threshold=threshold, threshold_against=against)
    _refuse_sizes(n, n2, paired, sequential, first, every)
    ratio = 1.0 if n2 is None or n is None else n2 / n
    common = {
        "alpha": alpha,
        "log_threshold": np.log(threshold),
        "log_against": np.log(against),
        "ratio": ratio,
    }
    planned: Planned
    if p1 is None and p2 is None:
        if effect is None:
            raise ValueError(
                "Power is that of an effect; got none. Give --effect, or --p1 and --p2 for counts."
            )
        _refuse_effect(effect, effect_sd)
        planned = PlannedTTest(paired, effect, effect_sd or 0.0, scale=scale, **common)
    else:
        _refuse_chances(p1, p2, effect, effect_sd)
        assert p1 is not None and p2 is not None
        planned = PlannedCountTest(paired, p1, p2, **common)
    if n is None and assurance is None:
        raise ValueError(
            "Power is that of a number of subjects; got none. Give --n, or a wanted --assurance."
        )
    if sequential and n is None:
        raise ValueError("A sequential design has a largest n; got none. Give it as --n.")
    most = MOST_COUNTED if isinstance(planned, PlannedCountTest) else MOST_SUBJECTS
    if n is not None and max(n, n2 or 0) > most:
        raise ValueError(f"Sizes are looked at up to {most} a group; got {max(n, n2 or 0)}. Lower --n.")
    smallest = (None, None) if assurance is None else _smallest(planned, assurance, most)
    at = n or smallest[0]
    assert at is not None
    (row,) = planned.rows([at])
    looks = sorted({*range(min(first, at), at, every), at})
    return PowerResult(
        **dict(row),
        test=planned.name,
        paired=paired,
        effect_size=effect,
        effect_sd=effect_sd,
        p1=p1,
        p2=p2,
        alpha=alpha,
        scale=scale if isinstance(planned, PlannedTTest) else None,
        threshold=threshold,
        threshold_against=against,
        wanted=assurance,
        smallest_n=smallest[0],
        smallest_n_bf10=smallest[1],
        curve=tuple(planned.rows(_curve(at, most))),
        distribution=tuple(_distribution(planned, at)),
        sequential=planned.in_looks(looks, seed=seed) if sequential else None,
    )


def _distribution(planned: Planned, n: int) -> Iterator[BayesFactorRow]:
    levels = _LEVELS * np.log(10)
    for level, found, none in zip(levels, *planned.at_most(n, levels), strict=True):
        yield BayesFactorRow(bf10=float(np.exp(level)), effect=found, no_effect=none)


def _curve(n: int, most: int) -> list[int]:
    """Sizes around n at which power is given, n itself among them."""
    top = min(most, max(20, 2 * n))
    return sorted({n, *np.unique(np.linspace(2, top, _POINTS).round().astype(int)).tolist()})


def _smallest(planned: Planned, wanted: float, most: int) -> tuple[int, int | None]:
    """Smallest n for a wanted assurance of a significant result, and of a Bayes factor beyond the threshold."""
    if not planned.alpha < wanted < 1:
        raise ValueError(
            f"The wanted assurance must lie between the level {planned.alpha:g} and 1; got {wanted:g}. Use such as 0.8."
        )
    if wanted >= planned.most_assurance:
        raise ValueError(
            f"No n gives an assurance of {wanted:g}: an effect as it is said to be lies on the expected side with a "
            f"chance of {planned.most_assurance:.3g} only. Ask for less, or give a larger or surer effect."
        )
    found, shown = planned.smallest(wanted, most)
    if found is None:
        raise ValueError(
            f"No n up to {most} a group gives an assurance of {wanted:g}. Ask for less, or give a larger effect."
        )
    return found, shown


def _refuse_limits(**given: float) -> None:
    if not 0 < given["alpha"] < 1:
        raise ValueError(f"A level must lie between 0 and 1; got {given['alpha']:g}. Use such as 0.05.")
    if not 0 < given["scale"] < np.inf:
        raise ValueError(
            f"The scale of the prior must be above 0; got {given['scale']:g}. Use such as 0.7071."
        )
    for name in ("threshold", "threshold_against"):
        if not 1 < given[name] < np.inf:
            raise ValueError(f"A Bayes factor that shows something is above 1; got {name} = {given[name]:g}.")


def _refuse_sizes(
    n: int | None, n2: int | None, paired: bool, sequential: bool, first: int, every: int
) -> None:
    for size in (n, n2):
        if size is not None and size < 2:
            raise ValueError(f"A test needs at least 2 subjects a group, or pairs; got {size}. Raise it.")
    if n2 is not None and paired:
        raise ValueError("Pairs have one size; got a second one. Leave out --n2 or --paired.")
    if n2 is not None and (n is None or sequential):
        raise ValueError("A second size goes with --n in a design of one look. Leave out --n2.")
    if first < 2 or every < 1:
        raise ValueError(
            f"Looks begin at 2 or later and are 1 or more apart; got {first} and {every}. Raise them."
        )


def _refuse_effect(effect: float, effect_sd: float | None) -> None:
    if not np.isfinite(effect) or abs(effect) > 1e6:
        raise ValueError(f"An effect must be a number of SD; got {effect:g}. Use such as 0.8.")
    if effect_sd is not None and not 0 <= effect_sd < 1e6:
        raise ValueError(f"The SD of an effect must be 0 or more; got {effect_sd:g}. Use such as 0.3.")


def _refuse_chances(
    p1: float | None, p2: float | None, effect: float | None, effect_sd: float | None
) -> None:
    if p1 is None or p2 is None:
        raise ValueError(f"Counts have two chances of a response; got p1 = {p1} and p2 = {p2}. Give both.")
    if effect is not None or effect_sd is not None:
        raise ValueError(
            "Counts take chances and no effect in SD; got both. Leave out --effect, or --p1 and --p2."
        )
    if not (0 <= p1 <= 1 and 0 <= p2 <= 1):
        raise ValueError(f"A chance lies from 0 to 1; got p1 = {p1:g} and p2 = {p2:g}. Use such as 0.3.")
