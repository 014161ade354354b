"""Blockade answers: what came of a blockade, in outcomes of any form."""

from typing import Literal, NamedTuple

from gaddum.outcomes.form import compared
from gaddum.records.blockade import Blockade
from gaddum.records.experiment import Experiment

Answer = Literal["weakened", "spared"]
"""Whether the antagonist took effect away from the test drug, or left it standing."""


class BlockadeAnswer(NamedTuple):
    """What one outcome says about one blocked arm."""

    answer: Answer
    endpoint: str
    form: str
    text: str
    primary: bool


def answers(experiment: Experiment, blockade: Blockade) -> tuple[BlockadeAnswer, ...]:
    """Read every outcome that compares a blocked arm with the test drug alone.

    Parameters
    ----------
    experiment : Experiment
        Its outcomes.
    blockade : Blockade
        The arms.

    Returns
    -------
    tuple of BlockadeAnswer
        One for each outcome that says something; primary ones first.
    """
    found = [
        BlockadeAnswer(
            "weakened" if reading.better else "spared",
            outcome.endpoint,
            outcome.form,
            reading.text,
            outcome.primary,
        )
        for outcome in experiment.outcomes
        if blockade.drug is not None
        and (reading := compared(experiment, outcome, blockade.drug, blockade.blocked)) is not None
    ]
    return tuple(sorted(found, key=lambda one: not one.primary))
