"""Reporting: how a study was run and written up, as far as its record says."""

from collections.abc import Iterator
from typing import NamedTuple

from gaddum.records.experiment import ARRIVE, ROB2, SYRCLE, Experiment, Study
from gaddum.records.outcome import is_scored
from gaddum.records.outcome.responders import Responders
from gaddum.records.protocol import Endpoint
from gaddum.referee.concerns import Concern


class Reporting(NamedTuple):
    """Completeness of a report and its risk of bias."""

    bias_tool: str
    bias: dict[str, str]
    """Judgement of every item of the tool; what the record does not hold is unclear."""
    arrive: dict[str, str]
    """Essential ten: reported, missing or unknown."""
    n_stated: bool
    sex_stated: bool
    assumed: tuple[str, ...]
    """What the record had to assume."""
    competing_interests: str
    sponsor: str
    read: str
    """How the report was read."""


def reporting(study: Study) -> Reporting:
    """Tabulate what a study's record says about its conduct and report.

    Parameters
    ----------
    study : Study
        The record.
    """
    human = any(one.protocol.subject.species == "human" for one in study.experiments)
    items = ROB2 if human else SYRCLE
    run = [one for one in study.experiments if is_evidence(one)]
    words = {True: "reported", False: "missing", None: "unknown"}
    return Reporting(
        "RoB 2" if human else "SYRCLE",
        {item: study.risk_of_bias.get(item, "unclear") for item in items},
        {item: words[study.reporting.get(item)] for item in ARRIVE},
        all(
            arm.n is not None or arm.n_range is not None for one in run for arm in one.protocol.arms.values()
        ),
        all(one.protocol.subject.sex != "unstated" for one in run),
        tuple(_assumed(run)),
        study.competing_interests,
        study.sponsor,
        study.source.how,
    )


def is_evidence(experiment: Experiment) -> bool:
    """Whether an experiment was run: not a mere reference protocol, of which all is assumed."""
    sources = [experiment.protocol.source, *(one.source for one in experiment.outcomes)]
    return bool(experiment.outcomes) and any(one.how != "assumption" for one in sources)


def conduct_concerns(experiment: Experiment) -> Iterator[Concern]:
    """Concerns about how one experiment was run, whatever it compared."""
    yield from _selection(experiment)
    yield from _masking(experiment)
    protocol = experiment.protocol
    unknown = [key for key, one in protocol.endpoints.items() if len(one.assessments) > 1]
    if unknown:
        told = "; ".join(f"{key}: {' or '.join(_moments(protocol.endpoints[key]))}" for key in unknown)
        yield Concern(
            "caution",
            "test time",
            experiment.id,
            f"When the effect was read is not known; taken as equally likely: {told}.",
            "Engagement at the test, and which effect was read, hang on the hour.",
            "Ask for the hour, and state it.",
        )
    if protocol.subject.preparation == "slice":
        known = protocol.cells_per_animal
        yield Concern(
            "note" if known else "caution",
            "replication",
            experiment.id,
            f"{known.value:g} cells per animal."
            if known
            else "How many cells came from how many animals is not stated.",
            "Cells of one animal are not independent: n counts for n / (1 + (m - 1) ICC).",
            "Analyse by animal, or with a mixed model, and state both numbers.",
        )
    if protocol.design == "single-arm" and any(is_scored(one) for one in experiment.outcomes):
        yield Concern(
            "serious",
            "design",
            experiment.id,
            "A single arm: response is judged against rates from elsewhere.",
            "Time, expectancy and choice of subjects are all in the result.",
            "Allocate at random between this and a control.",
        )
    if protocol.design == "crossover" and protocol.washout is None:
        yield Concern(
            "caution",
            "design",
            experiment.id,
            "A crossover whose washout is not stated.",
            "What lasts from the first period shrinks or feigns a difference in the second.",
            "State the washout, the order, and the result of the first period alone.",
        )


def reporting_concerns(study: Study, found: Reporting) -> Iterator[Concern]:
    """Concerns about the report as a whole."""
    if not found.n_stated:
        yield Concern(
            "caution",
            "reporting",
            None,
            "The size of at least one group is not stated in what was read.",
            "Without n, a verdict has little weight and its power is a guess.",
            "State n of every group and who was left out.",
        )
    if found.assumed:
        yield Concern(
            "caution",
            "assumptions",
            None,
            "Assumed in the record: " + "; ".join(one.rstrip(".") for one in found.assumed) + ".",
            "Engagement and power follow from these as much as from what was reported.",
            "Read or ask for the values, and correct the record.",
        )
    if not found.sex_stated:
        yield Concern(
            "note",
            "reporting",
            None,
            "Sex is not stated for every experiment.",
            "Kinetics and opioid signalling may differ by sex.",
            "State it, and report by sex where both were used.",
        )
    open_items = [item for item, judged in found.bias.items() if judged != "low"]
    high = [item for item in open_items if found.bias[item] == "high"]
    if open_items:
        yield Concern(
            "caution" if high else "note",
            "risk of bias",
            None,
            f"{found.bias_tool}: "
            + (f"high for {', '.join(high)}; " if high else "")
            + f"{len(open_items) - len(high)} of {len(found.bias)} items unclear.",
            "Unmasked allocation and reading of outcomes exaggerate effects.",
            "Judge the open items from the paper.",
        )
    absent = [item for item, word in found.arrive.items() if word != "reported"]
    if absent and found.bias_tool == "SYRCLE":
        yield Concern(
            "note",
            "reporting",
            None,
            f"ARRIVE essential ten: {len(found.arrive) - len(absent)} on record, not {', '.join(absent)}.",
            "What is not reported cannot be judged.",
            "Complete the record from the paper, or the paper.",
        )
    if found.competing_interests != "none declared":
        unknown = found.competing_interests == "unknown"
        yield Concern(
            "note",
            "competing interests",
            None,
            "No declaration was seen." if unknown else found.competing_interests,
            "Interests are part of reading a result; they change no weight here.",
            "Look the declaration up." if unknown else "An independent laboratory repeats it.",
        )


def _assumed(experiments: list[Experiment]) -> Iterator[str]:
    for one in experiments:
        protocol = one.protocol
        sources = {"protocol": protocol.source}
        if protocol.subject.weight is not None:
            sources["weight"] = protocol.subject.weight.source
        for what, source in sources.items():
            if source.how == "assumption" or (what == "protocol" and source.reason):
                yield f"{one.id}, {what}: {source.reason}"
        for name, arm in protocol.arms.items():
            for manipulation in arm.manipulations:
                for quantity in (*(manipulation.availability or ()), *(manipulation.tone or ())):
                    if quantity.source.how == "assumption":
                        yield f"{one.id}, arm {name}: {quantity.source.reason}"
            if arm.note and "assum" in arm.note.casefold():
                yield f"{one.id}, arm {name}: {arm.note}"


def _moments(endpoint: Endpoint) -> list[str]:
    return [f"{one.time_h:.3g} h, {one.phase}" for one in endpoint.assessments]


def _selection(experiment: Experiment) -> Iterator[Concern]:
    retests = [one for one in experiment.outcomes if isinstance(one, Responders) and one.retest is not None]
    if retests:
        retest = retests[0].retest
        assert retest is not None
        yield Concern(
            "serious",
            "selection",
            experiment.id,
            f"The {retest.n} retested subjects were chosen because they had responded in {retest.among_responders_of}.",
            "Chosen on a high first value, they fall back at the second without any blockade (regression to the mean).",
            "Analyse everyone randomised, or retest responders with placebo too.",
        )
    elif experiment.protocol.selection is not None:
        yield Concern(
            "caution",
            "selection",
            experiment.id,
            f"Subjects or subsets were selected: {experiment.protocol.selection}",
            "A subset chosen after the fact can differ by chance or by the choice.",
            "Analyse everyone allocated, by a rule set before.",
        )
    subsets = [name for name, arm in experiment.protocol.arms.items() if arm.subset_of is not None]
    if subsets and not retests:
        yield Concern(
            "caution",
            "selection",
            experiment.id,
            f"{', '.join(subsets)}: part of another arm rather than a group of its own.",
            "Subgroups were not allocated, so whatever made them differ is in the comparison.",
            "Allocate, or adjust and say so.",
        )


def _masking(experiment: Experiment) -> Iterator[Concern]:
    protocol = experiment.protocol
    human = protocol.subject.species == "human"
    if protocol.masking in ("open", "unstated"):
        yield Concern(
            "note" if not human else "serious" if protocol.masking == "open" else "caution",
            "masking",
            experiment.id,
            "Open." if protocol.masking == "open" else "Masking is not stated.",
            "Who rates or handles knows, and hopes."
            if human
            else "Who knows the group handles and scores by it.",
            "Mask allocation and reading.",
        )
    levels = {arm.expectancy for arm in protocol.arms.values()}
    if len(levels) > 1:
        yield Concern(
            "caution",
            "masking",
            experiment.id,
            "Subjects can tell which arm they are in, and arms differ in that.",
            "Expectancy alone separates such arms.",
            "Use an active placebo, and ask subjects what they think they got.",
        )
