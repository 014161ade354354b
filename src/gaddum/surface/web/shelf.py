"""Shelf: the files and cases in the folder that is served, and what a page may ask of them.

A page names what a listing of the folder holds, never a path; links are not followed. How much may be asked at once is
limited, so that no address makes the server work for long.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from gaddum.records.finding import nearest
from gaddum.surface.request import Request

READABLE = (".csv", ".tsv")
"""Files that a page may name or bring."""
MOST_NAME = 60
"""Characters of a name that is kept."""
MOST_TEXT, MOST_DRUGS, MOST_DOSES, MOST_GIVEN, MOST_DRAWS, MOST_TIMES = 2000, 8, 32, 500, 2000, 500
"""Characters, drugs, doses, administrations, draws and times of readings that a page may ask for."""


class Shelf(NamedTuple):
    """A folder that is served."""

    folder: Path

    @property
    def files(self) -> tuple[str, ...]:
        """Tables in the folder."""
        return tuple(sorted(one.name for one in self._entries() if one.suffix in READABLE and one.is_file()))

    @property
    def cases(self) -> tuple[str, ...]:
        """Folders with a case of the user's own, no part of which is a link."""
        return tuple(
            sorted(
                one.name
                for one in self._entries()
                if (one / "case.yaml").is_file() and not any(part.is_symlink() for part in one.rglob("*"))
            )
        )

    def stamps(self) -> str:
        """What changes with any table, and any file of a case."""
        named = [self.folder / name for name in (*self.files, *self.cases)]
        every = [one for top in named for one in (top, *top.rglob("*"))]
        stats = ((one, one.lstat()) for one in sorted(every))
        return str([(str(one), stat.st_mtime_ns, stat.st_size) for one, stat in stats])

    def _entries(self) -> Iterable[Path]:
        seen = self.folder.iterdir() if self.folder.is_dir() else ()
        return (one for one in seen if not one.is_symlink() and not one.name.startswith("."))


def keep(shelf: Shelf, name: str, content: bytes) -> str:
    """Keep a table in the folder under a name like its own; nothing is replaced.

    Raises
    ------
    ValueError
        If it is empty, or not of a kind that is read.
    """
    base = re.sub(r"[^\w.-]+", "-", name.replace("\\", "/").rpartition("/")[2])
    stem, dot, ending = base.lstrip(".-")[-MOST_NAME:].casefold().rpartition(".")
    if not content.strip() or f"{dot}{ending}" not in READABLE:
        raise ValueError(f"A file must be one of {', '.join(READABLE)} and not empty; got {name[:80]!r}.")
    place = 1
    while True:
        chosen = f"{stem or 'table'}{'' if place == 1 else f'-{place}'}.{ending}"
        with suppress(FileExistsError), (shelf.folder / chosen).open("xb") as file:  # follows no link either
            file.write(content)
            return chosen
        place += 1


def admit(asked: Request, shelf: Shelf, offered: Iterable[str]) -> bool:
    """Refuse what asks for too much or names what is not on the shelf; whether it reads the user's own files.

    Parameters
    ----------
    asked : Request
        What a page was asked.
    shelf : Shelf
        What may be named.
    offered : iterable of str
        Fields that the page has; the others are for the command line.

    Raises
    ------
    ValueError
        Says what must hold.
    """
    from gaddum.records.ledger import bundled_cases

    given: dict[str, Any] = {one.name: getattr(asked, one.name) for one in fields(asked)}
    defaults = {one.name: one.default for one in fields(asked)}
    for name in given.keys() - set(offered):
        if given[name] != defaults[name]:
            raise ValueError(f"A page of {asked.verb} takes no {name!r}; use the command line for it.")
    texts = [
        str(one) for value in given.values() for one in (value if isinstance(value, tuple) else (value,))
    ]
    _limit("characters", sum(map(len, texts)), MOST_TEXT + 200)
    _limit("draws", given.get("draws", 0), MOST_DRAWS)
    known = {*bundled_cases(), *shelf.cases}
    own = known.difference(bundled_cases())
    named = {given["case"]} if given.get("case") is not None else set()
    if asked.verb == "check":
        if given["case"] in shelf.files:
            return True
        named = _subject(given["case"], None, known)
    if "what" in given:
        named |= _subject(given["what"], given.get("case"), known)
    if "protocols" in given:
        named |= _protocols(given["protocols"], known)
        _limit("times", sum(text.count(",") + 1 for text in given["at"]), MOST_TIMES)
    for name in named:
        _known("case", name, known)
    if "file" in given:
        _known("file", str(given["file"]), shelf.files)
        return True
    return bool(named & own)


def _subject(what: str, case: str | None, known: set[str]) -> set[str]:
    """Cases that an audit's subject names; a study must be one by its id."""
    from gaddum.surface.completion import studies_of

    if what in known and case is None:
        return {what}
    before, _, study = what.rpartition(":")
    holding = {case or before} if case or before else known
    for name in holding:
        _known("case", name, known)
    _known("study", study, [one for name in holding for one in studies_of(name)])
    return holding if len(holding) == 1 else set()


def _protocols(texts: Iterable[str], known: set[str]) -> set[str]:
    """Cases whose arms are named; what is no arm must be doses."""
    from gaddum.records.shorthand import parse_doses
    from gaddum.surface.occupancy.event_protocols import is_table
    from gaddum.surface.occupancy.protocols import ARM

    cases, doses = set(), []
    for text in texts:
        if is_table(text):
            raise ValueError(
                f"A page follows doses and arms; got {text[:80]!r}. Follow a table by the command line."
            )
        arm = ARM.fullmatch(text.strip())
        if arm:
            _known("case", arm["case"], known)
            cases.add(arm["case"])
        else:
            doses += parse_doses(text)
    _limit("drugs", len({one.drug for one in doses}), MOST_DRUGS)
    _limit("doses", len(doses), MOST_DOSES)
    _limit("administrations", sum(one.repeats for one in doses), MOST_GIVEN)
    return cases


def _known(kind: str, name: str, names: Iterable[str]) -> None:
    names = list(names)
    if name not in names:
        raise ValueError(
            f"A {kind} must be one that is listed; got {name[:80]!r}. {nearest(name[:80], names, what='Listed')}"
        )


def _limit(what: str, found: int, most: int) -> None:
    if found > most:
        raise ValueError(
            f"A page may ask for at most {most} {what}; got {found}. Use the command line for more."
        )
