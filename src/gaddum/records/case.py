"""Case: a question about a drug, the rivals that answer it, what is assumed, and the published record.

A case is a folder: `case.yaml` (this record), `studies/*.yaml`, and optionally `drugs/` and `targets/` that extend
the shared library. `gaddum new NAME` makes one. Nothing in Python knows any drug by name.
"""

from typing import Literal

from pydantic import Field

from gaddum.records.base import Record
from gaddum.records.claim import Claim
from gaddum.records.gate import parse_gate
from gaddum.records.hypothesis import Hypothesis
from gaddum.records.prior import LogNormal, Prior


class Anchor(Record):
    """The reference protocol of a stratum and phase: its unblocked effect is the shared parameter."""

    stratum: str
    phase: Literal["acute", "sustained"]
    study: str
    experiment: str
    endpoint: str
    arm: str


class UnnamedTarget(Record):
    """A target nobody has named: its potency and selectivity are prior, its absence elsewhere a declared prediction."""

    name: str
    feature: Literal["engagement"] = "engagement"
    ligands: dict[str, str]
    """Drug -> name of the prior row that holds its K_i (nM); drugs not listed do not bind."""
    says: str


class Case(Record):
    """The question, the rivals, the assumptions."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: str
    question: str
    test_drug: str
    effect: str
    """What is meant by the effect (for example "antidepressant effect")."""
    hypotheses: tuple[Hypothesis, ...] = Field(min_length=1)
    anchors: tuple[Anchor, ...] = ()
    unnamed_targets: tuple[UnnamedTarget, ...] = ()
    priors: tuple[Prior, ...] = ()
    claims: tuple[Claim, ...] = ()
    link: float = Field(1.0, ge=0, le=1, json_schema_extra={"unit": "1"})
    """How far slice and imaging results speak to behaviour (0 not at all, 1 fully): weight of their cohorts."""
    note: str | None = None

    @property
    def toned(self) -> tuple[str, ...]:
        """Targets at which endogenous agonist competes: those of whose tone or agonism an account speaks."""
        inputs = [name.split(".") for one in self.hypotheses for name in parse_gate(one.gate).inputs]
        return tuple(dict.fromkeys(target for target, feature in inputs if feature in ("tone", "agonism")))

    def endogenous_tone(self) -> dict[str, LogNormal]:
        """Prior of the endogenous agonist over its K at each such target, where the prior table has a row of it.

        Raises
        ------
        ValueError
            If the row is not lognormal: a concentration over its K is positive and has no natural end.
        """
        row = next((one.distribution for one in self.priors if one.name == TONE), None)
        if row is not None and not isinstance(row, LogNormal):
            raise ValueError(
                f"The prior {TONE!r} must be lognormal; got {row.family}. Give its median and gsd."
            )
        return {} if row is None else dict.fromkeys(self.toned, row)


TONE = "endogenous_tone"
"""Row of the prior table that holds the tone."""

__all__ = ["TONE", "Anchor", "Case", "Claim", "UnnamedTarget"]
