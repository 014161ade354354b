"""Results of `gaddum power`: what a test can find and show, as frozen types; `outcomes.planned_test` fills them in."""

from gaddum.notebook import html_of
from gaddum.records.base import Known, Number, Record


class AnswerChances(Record):
    """Chance that a Bayes factor passes the threshold on the right side, neither, or that on the wrong one."""

    correct: Number
    undecided: Number
    misleading: Number


class PowerRow(Record):
    """What n subjects a group, or pairs, can do; `n2` where the second group has another size.

    `t_for_bf10` is the least size of t that passes the threshold for an effect; None for counts, and where none does.
    `bf10_max` and `bf01_max` are the most that any data could show; None where there is no limit.
    """

    n: int
    n2: int | None = None
    power: Number
    assurance: Number
    """Chance of a significant result on the expected side, over all that the effect may be."""
    t_for_bf10: Known
    prob_bf10: Number
    bf10_max: Known
    bf01_max: Known
    effect: AnswerChances
    no_effect: AnswerChances


class BayesFactorRow(Record):
    """Chance that BF10 is at most this, with the effect and without."""

    bf10: Number
    effect: Number
    no_effect: Number


class StoppingChances(AnswerChances):
    """How a design in several looks ends, and after how many; `mcse` are Monte-Carlo errors, 0 where it is exact."""

    expected_n: Number
    correct_mcse: Number
    misleading_mcse: Number
    expected_n_mcse: Number


class SequentialDesign(Record):
    """A design that stops when the Bayes factor passes a threshold, looked at from `first` on after `every` more."""

    first: int
    every: int
    most: int
    effect: StoppingChances
    no_effect: StoppingChances


class PowerResult(PowerRow):
    """What `gaddum power` found of one test; numbers of the row are at `n`.

    `smallest_n` gives the wanted assurance of a significant result, `smallest_n_bf10` of a Bayes factor beyond the
    threshold, None where no n that is looked at does.
    """

    test: str
    paired: bool
    effect_size: Known
    effect_sd: Known
    p1: Known
    p2: Known
    alpha: Number
    scale: Known
    threshold: Number
    threshold_against: Number
    wanted: Known
    smallest_n: int | None
    smallest_n_bf10: int | None
    curve: tuple[PowerRow, ...]
    distribution: tuple[BayesFactorRow, ...]
    sequential: SequentialDesign | None
    command: str = ""

    def to_json(self) -> str:
        """Write as JSON."""
        return self.model_dump_json(indent=2)

    def __repr__(self) -> str:
        shown = f"power {self.power:.3f}, P(BF10 > {self.threshold:g}) {self.prob_bf10:.3f}"
        return f"<PowerResult of {self.test}, n = {self.n}: {shown}>"

    __str__ = __repr__
    _repr_html_ = html_of


class AccountPower(AnswerChances):
    """What a study of n a group shows if one account is true, by the event that its tests find.

    `bayes_factors` are, by event, of the account over its rivals by their probabilities; a correct answer is one beyond
    the threshold.
    """

    n: int
    name: str
    title: str
    probability: Number
    events: dict[str, Number]
    bayes_factors: dict[str, Number]


class CasePower(Record):
    """What a blockade study could show in a case, against n: a row a size and account, the most probable first."""

    case: str
    study: str
    run: str
    experiment: str
    endpoint: str
    threshold: Number
    rows: tuple[AccountPower, ...]
    averaged: tuple[AnswerChances, ...]
    """By size, over accounts by their probabilities."""
    sizes: tuple[int, ...]
    words: tuple[str, ...]
    seed: int
    command: str = ""

    def to_json(self) -> str:
        """Write as JSON."""
        return self.model_dump_json(indent=2)

    def __repr__(self) -> str:
        told = (f"n = {n}: {one.correct:.2f}" for n, one in zip(self.sizes, self.averaged, strict=True))
        return f"<CasePower of {self.study} in {self.case}: chance of a correct answer at {', '.join(told)}>"

    __str__ = __repr__
    _repr_html_ = html_of
