"""Species: those whose kinetics and strata records may speak of."""

from typing import Literal, cast, get_args

from gaddum.records.finding import nearest
from gaddum.text import plain

Species = Literal["human", "rat", "mouse", "monkey", "dog", "pigeon", "guinea pig", "rabbit", "sheep"]

_PLURALS = {"mice": "mouse", "people": "human"} | {f"{one}s": one for one in get_args(Species)}


def known_species(name: str) -> Species:
    """The species that a name means, in any case and number; an unknown one lists the near ones.

    Examples
    --------
    >>> known_species("Rats"), known_species("mice")
    ('rat', 'mouse')
    """
    word = " ".join(plain(name).casefold().replace("guinea-", "guinea ").split())
    found = _PLURALS.get(word, word)
    if found not in get_args(Species):
        hint = nearest(name, get_args(Species), what="Species")
        raise ValueError(f"A species must be one that the records know; got {name!r}. {hint}")
    return cast(Species, found)
