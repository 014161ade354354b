"""Answers: what a result says first, in plain words: whether a target is needed, in whom, and what that hangs on.

Report and terminal show the same. A number that rests on too few effective draws is not said; the word for a number is
`Chance.word`, here as everywhere.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from gaddum.results import (
    LEAST_DRAWS,
    AdjudicationResult,
    HeldOutRow,
    PropositionRow,
    SettingRow,
    TimelessOdds,
)
from gaddum.surface.rounding import chance, chances, hypothesis_chance

WORDS = {
    "supported": "needed",
    "leans for": "probably needed",
    "undecided": "not known",
    "leans against": "probably not needed",
    "contradicted": "not needed",
}
"""What `Chance.word` means of a target that is asked whether it is needed."""
TOO_FEW = "not known: too few effective draws"
MOVES = 0.02
"""Change of an account's probability from which a cohort counts as moving it."""
MOST_COHORTS = 3
"""Cohorts that are named as moving it most."""
_NEEDED = " needed"
_PLURALS = {"mouse": "mice", "sheep": "sheep"}
_PEOPLE = {"stressed": "patients", "unstressed": "healthy people", "unstated": "people"}
_READ = {"behaving": "", "slice": " (slices)", "imaging": " (imaging)"}


class Answer(NamedTuple):
    """Whether the effect needs a target, in one population and phase."""

    target: str
    population: str
    phase: str
    row: PropositionRow
    range: tuple[float, float] | None
    """See `known_range`."""

    @property
    def word(self) -> str:
        """The word for it."""
        return WORDS[self.row.word]

    @property
    def numbers(self) -> str:
        """Chance and its range."""
        span = "range not known" if self.range is None else f"range {chances(*self.range)}"
        return f"chance {chance(self.row.probability)}, {span}"


class FirstScreen(NamedTuple):
    """All that is said first."""

    sentences: tuple[str, ...]
    answers: tuple[Answer, ...]
    range_note: str
    account: str

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets in the order of the result; that of the sentences is the first."""
        return tuple(dict.fromkeys(one.target for one in self.answers))

    @property
    def rows(self) -> list[tuple[str, str, list[Answer]]]:
        """Population, phase, and the answers about each target."""
        placed: dict[tuple[str, str], list[Answer]] = {}
        for one in self.answers:
            placed.setdefault((one.population, one.phase), []).append(one)
        return [(*place, found) for place, found in placed.items()]


def first_screen(result: AdjudicationResult) -> FirstScreen:
    """What a result says first."""
    if not result.forest:
        unsaid = "No scored outcome bears on the question: every number is as it was before the record."
        return FirstScreen((unsaid,), (), "", "")
    answers = _answers(result)
    return FirstScreen(
        tuple(_sentences(answers, result.effect)),
        tuple(answers),
        _range_note(result),
        f"{_account(result)} {_read(result)}".strip(),
    )


def population(stratum: str) -> str:
    """Name a stratum as one speaks of it.

    Examples
    --------
    >>> population("human, stressed, behaving"), population("rat, unstressed, male, imaging"), population("all")
    ('patients', 'unstressed male rats (imaging)', 'all')
    """
    species, *rest = stratum.split(", ")
    if len(rest) < 2:
        return stratum
    stress, *sex, preparation = rest
    if species == "human":
        words = [*sex, _PEOPLE.get(stress, f"people ({stress})")]
    elif stress == "unstated":
        words = [*sex, _PLURALS.get(species, f"{species}s"), "(stress not stated)"]
    else:
        words = [stress, *sex, _PLURALS.get(species, f"{species}s")]
    return " ".join(words) + _READ.get(preparation, f" ({preparation})")


def thin(row: SettingRow | HeldOutRow | TimelessOdds) -> bool:
    """Whether a row has too few effective draws for its numbers to be said."""
    return row.effective_draws is not None and row.effective_draws < LEAST_DRAWS


def known_range(result: AdjudicationResult, row: PropositionRow) -> tuple[float, float] | None:
    """Range over the settings with draws enough; None where an older result does not tell these from the others."""
    few = any(thin(one) for one in result.sensitivity if one.decides)
    return None if few and row.settings is None else (row.lower, row.upper)


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names as a sentence lists them.

    Examples
    --------
    >>> listed(["a", "b", "c"], "or"), listed(["a"])
    ('a, b or c', 'a')
    """
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _answers(result: AdjudicationResult) -> list[Answer]:
    """Answers on whether targets are needed, people first; in slices and by imaging only where nothing else is."""
    asked = [row for row in result.propositions if row.name.endswith(_NEEDED)]
    whole = [row for row in asked if row.stratum.endswith(", behaving")] or asked
    strata = list(dict.fromkeys(row.stratum for row in whole))
    strata.sort(key=lambda one: (not one.startswith("human"), one.split(", ")[:2]))
    phases = ("acute", "sustained")
    whole.sort(
        key=lambda row: (strata.index(row.stratum), phases.index(row.phase) if row.phase in phases else 9)
    )
    names = list(dict.fromkeys(row.name for row in asked))
    return [
        Answer(
            row.name.removesuffix(_NEEDED),
            population(row.stratum),
            row.phase,
            row,
            known_range(result, row),
        )
        for row in sorted(whole, key=lambda row: names.index(row.name))
    ]


def _sentences(answers: Sequence[Answer], effect: str) -> list[str]:
    """One on each population and the first target, and one on each other target."""
    if not answers:
        return []
    first = answers[0].target
    said = []
    mine = [one for one in answers if one.target == first]
    for who, group in groupby(mine, key=lambda one: one.population):
        clauses = [_clause(one, effect, first=not said, again=place > 0) for place, one in enumerate(group)]
        said.append(f"In {who} {', '.join(clauses)}.")
    for target in dict.fromkeys(one.target for one in answers[len(mine) :]):
        said.append(_over_populations([one for one in answers if one.target == target]))
    return said


def _clause(one: Answer, effect: str, *, first: bool, again: bool) -> str:
    """What is said of one phase; the first sentence names effect and target and says what the numbers are."""
    numbers = one.numbers if first else one.numbers.removeprefix("chance ").replace(", range ", ", ")
    phase = "" if one.phase == "all" else f"{one.phase} "
    target, what = (one.target, effect) if first else ("it", "effect")
    if again:
        return f"for the {phase.strip()} {one.word} ({numbers})"
    if one.word == "not known":
        return f"it is not known whether {target} is needed for the {phase}{what} ({numbers})"
    return f"{target} is {one.word} for the {phase}{what} ({numbers})"


def _over_populations(answers: Sequence[Answer]) -> str:
    """A target in all populations at once, the word first."""
    words: dict[str, list[Answer]] = {}
    for one in answers:
        words.setdefault(one.word, []).append(one)
    parts = []
    for word, mine in words.items():
        quantity = "all" if word in ("needed", "probably needed") else "any"
        alone = len(words) == 1 and len(answers) > 1
        who = f"in {quantity} of these" if alone else f"in {listed(_places(mine))}"
        every = [one.row.probability for one in mine]
        spans = [one.range for one in mine if one.range is not None]
        low, high = zip(*spans, strict=True) if spans else ((), ())
        span = f"range {chances(min(low), max(high))}" if spans else "range not known"
        said = f"whether it is needed is {word}" if word == "not known" else word
        parts.append(f"{said} {who} (chance {chances(min(every), max(every))}, {span})")
    return f"{answers[0].target}: {'; '.join(parts)}."


def _places(answers: Sequence[Answer]) -> list[str]:
    places: dict[str, list[str]] = {}
    for one in answers:
        places.setdefault(one.population, []).append(one.phase)
    return [f"{who} ({listed(phases)})" if phases != ["all"] else who for who, phases in places.items()]


def _range_note(result: AdjudicationResult) -> str:
    """What ranges are over, and of which settings nothing is known."""
    declared = [one for one in result.sensitivity if one.decides]
    few = sum(map(thin, declared))
    if not few:
        return f"over the {len(declared)} declared settings" if declared else "over the declared settings"
    return (
        f"over {len(declared) - few} of the {len(declared)} declared settings; in the other {few} {TOO_FEW}"
    )


def _account(result: AdjudicationResult) -> str:
    """The account with most support, and the cohorts without which that changes."""
    best, *others = result.ranked
    sure = "" if best.established else ", not established: the sampler's diagnostics failed"
    said = [f"Best supported account: \u201c{best.title}\u201d (chance {hypothesis_chance(best)}{sure})"]
    if others and others[0].probability > 0.1:
        said.append(f", next \u201c{others[0].title}\u201d ({hypothesis_chance(others[0])})")
    said.append(". ")
    titles = {row.name: row.title for row in result.hypotheses}
    left_out = [one for one in result.sensitivity if one.decides and one.name.startswith("without ")]
    known = sorted((one for one in left_out if not thin(one)), key=lambda one: one.probabilities[best.name])
    falls = [one for one in known if one.probabilities[best.name] < best.probability - MOVES][:MOST_COHORTS]
    parts = []
    for one in falls:
        lead = max(one.probabilities, key=lambda name: one.probabilities[name])
        after = (
            ""
            if lead == best.name
            else f" (\u201c{titles[lead]}\u201d leads, {chance(one.probabilities[lead])})"
        )
        falls_to = "it falls to" if not parts else "to"
        parts.append(f"without {_cohort(one)} {falls_to} {chance(one.probabilities[best.name])}{after}")
    if parts:
        said.append(f"W{listed(parts)[1:]}")
    elif known:
        said.append(f"Without any one cohort it falls by less than {MOVES:g}")
    few = [_cohort(one) for one in left_out if thin(one)]
    if few:
        said.append(f"{'; what' if known else 'What'} it is without {listed(few, 'or')} is {TOO_FEW}")
    return "".join(said).strip() + ("." if left_out else "")


def _read(result: AdjudicationResult) -> str:
    """How many of the studies with a blockade were read in full; nothing where no result tells."""
    blocked = [one for one in result.studies if one.blockade and one.read is not None]
    full = sum(one.read == "measured" for one in blocked)
    return f"{full} of {len(blocked)} blockade studies read in full." if blocked else ""


def _cohort(row: SettingRow) -> str:
    """The cohort that a setting leaves out; what follows a comma in its name is how it was read."""
    name, comma, how = row.name.removeprefix("without ").partition(", ")
    return f"{name} ({how})" if comma else name
