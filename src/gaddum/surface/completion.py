"""Completion: what the shell may offer where a case, a study, a drug, a target or a species is asked for.

Names come from the files' own names and the line of their synonyms, so that a press of the tab key reads no library.
Files and folders are the shell's own business. `gaddum --install-completion` sets it up.
"""

import os
import re
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import typer


def cases(incomplete: str) -> list[str]:
    """Bundled cases."""
    from gaddum.records.ledger import bundled_cases

    return _beginning(bundled_cases(), incomplete)


def studies(ctx: typer.Context, incomplete: str) -> list[str]:
    """Studies of the case that was named before, or of all bundled ones."""
    named = ctx.params.get("case")
    return _beginning(
        [name for case in ([named] if named else cases("")) for name in studies_of(case)], incomplete
    )


def subjects(incomplete: str) -> list[str]:
    """Bundled cases, and the studies in them."""
    return [
        *cases(incomplete),
        *_beginning([name for case in cases("") for name in studies_of(case)], incomplete),
    ]


def drugs(incomplete: str) -> list[str]:
    """Drugs of the library, as the first word of a protocol too."""
    return _beginning(_names("drugs"), incomplete)


def targets(incomplete: str) -> list[str]:
    """Targets of the library, after commas too."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _beginning(_names("targets"), last)]


def species(incomplete: str) -> list[str]:
    """Species that records may speak of."""
    from gaddum.records.species import Species

    return _beginning(get_args(Species), incomplete)


def _names(folder: str) -> list[str]:
    """Keys and synonyms, but for those of several words, which the shell would take for several arguments."""
    import yaml

    paths = [one for one in (files("gaddum") / "library" / folder).iterdir() if _is_yaml(one)]
    lines = re.findall(r"^synonyms: (.*)$", "\n".join(one.read_text("utf-8") for one in paths), re.MULTILINE)
    synonyms = (name for line in lines for name in yaml.safe_load(line))
    return sorted({*(one.name[:-5] for one in paths), *(name for name in synonyms if " " not in name)})


def studies_of(case: str) -> list[str]:
    """Ids of the studies of a case, by the names of their files."""
    folder: Any = Path(os.path.expanduser(case))
    if case in cases(""):
        folder = files("gaddum") / "library" / "cases" / case
    with suppress(OSError):
        return sorted(one.name[:-5] for one in (folder / "studies").iterdir() if _is_yaml(one))
    return []


def _is_yaml(path: Any) -> bool:
    return path.name.endswith(".yaml")


def _beginning(names: Any, incomplete: str) -> list[str]:
    """Names that begin so; the shells drop those that begin so in another case of letters."""
    return [name for name in names if name.startswith(incomplete)]
