"""Changes of probabilities in sentences: accounts, and propositions by name with where they moved."""

from collections.abc import Iterable, Iterator, Sequence

from gaddum.change_results import AccountChange, PropositionChange

LISTED = 6
"""Most things of a kind that a sentence names."""


def account_words(rows: Sequence[AccountChange]) -> Iterator[str]:
    """Accounts that moved, the one that moved most first."""
    moved = sorted((one for one in rows if one.moved), key=lambda one: -abs(one.change or 0))
    for one in moved[:LISTED]:
        yield f"\u201c{one.title}\u201d: {_from_to(one)}."
    if not moved:
        yield "No account moved by more than its error."


def proposition_words(rows: Sequence[PropositionChange]) -> Iterator[str]:
    """Propositions that moved or have another word, each with its populations and phases."""
    none = True
    for name in dict.fromkeys(one.name for one in rows):
        mine = [one for one in rows if one.name == name]
        moved = sorted((one for one in mine if one.moved), key=lambda one: -abs(one.change or 0))
        if moved:
            told = [f"{_where(one)} {_from_to(one)}" for one in moved]
            yield f"{name}: moved in {len(moved)} of {len(mine)}: {listed(told, '; ')}."
        words: dict[tuple[str | None, str | None], list[str]] = {}
        for one in mine:
            words.setdefault((one.word_before, one.word_after), []).append(_where(one))
        renamed = {pair: where for pair, where in words.items() if None not in pair and pair[0] != pair[1]}
        for (before, after), where in renamed.items():
            places = "" if len(where) == len(mine) else f": {listed(where, '; ')}"
            yield f"{name}: \u201c{before}\u201d, now \u201c{after}\u201d in {len(where)} of {len(mine)}{places}."
        none = none and not moved and not renamed
    if none:
        worded = any(one.word_after is not None for one in rows)
        yield f"No proposition moved by more than its error{', and none has another word' if worded else ''}."


def listed(texts: Iterable[str], between: str = ", ") -> str:
    """The first few of a list, and how many more there are."""
    every = list(texts)
    more = f" and {len(every) - LISTED} more" if len(every) > LISTED else ""
    return between.join(every[:LISTED]) + more


def _where(one: PropositionChange) -> str:
    return one.stratum if one.stratum == one.phase else f"{one.stratum}, {one.phase}"


def _from_to(one: AccountChange | PropositionChange) -> str:
    return f"{one.before:.2f} to {one.after:.2f} (\u00b1 {max(one.error or 0.0, 0.005):.2f})"
