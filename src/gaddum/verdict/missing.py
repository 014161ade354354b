"""Missing: what a record lacks, counted from its arms and outcomes."""

from collections.abc import Sequence

from gaddum.records.blockade import blockades
from gaddum.records.ledger import LoadedCase
from gaddum.records.outcome import arms_of
from gaddum.results import ClaimRow
from gaddum.weigh.likelihood import ScoredOutcome


def missing(loaded: LoadedCase, scored: tuple[ScoredOutcome, ...], claims: Sequence[ClaimRow]) -> list[str]:
    """Sentences on what the record lacks, each with its count."""
    unknown = [s for s in scored if s.experiment.lacks_sizes(s.outcome)]
    undated = [s for s in scored if len(s.experiment.protocol.endpoints[s.outcome.endpoint].assessments) > 1]
    verbal = [s for s in scored if s.outcome.form == "verdict"]
    narrative = sum(o.form == "narrative" for _, _, o in loaded.ledger.outcomes())
    blockade = [
        one
        for s in scored
        for one in blockades(loaded, s.experiment)
        if {one.drug, one.blocked} <= set(arms_of(s.outcome))
    ]
    alone = [one for one in blockade if one.alone is None]
    found = []
    if unknown:
        found.append(f"{len(unknown)} of {len(scored)} scored outcomes come without the number of subjects.")
    if undated:
        found.append(
            f"{len(undated)} of {len(scored)} scored outcomes come without a known time of the test."
        )
    if verbal:
        found.append(f"{len(verbal)} of {len(scored)} scored outcomes are known only as a verdict.")
    if alone:
        found.append(
            f"{len(alone)} of {len(blockade)} blockade outcomes come without an antagonist-alone arm."
        )
    if narrative:
        found.append(f"{narrative} outcomes are narrative and not scored.")
    untested = [claim.id for claim in claims if claim.verdict == "not testable"]
    if untested:
        found.append(
            f"{len(untested)} of {len(claims)} claims are not testable on this record: {', '.join(untested)}."
        )
    return found
