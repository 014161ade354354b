"""Scaffold: the folder of a new case, and the file of a new study.

A new case is accepted by `gaddum check` before anything is filled in: its example study holds a narrative outcome only,
so nothing in it is scored, and no number is made up. A new study is not: the check lists what is still to be filled in.
"""

import re
import shutil
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from gaddum.records.case import Case
from gaddum.records.library import Library, load_library
from gaddum.records.yaml import read_record
from gaddum.surface.files import asset, permitted, write_atomically


def scaffold_case(
    name: str, folder: Path, *, drug: str | None = None, studies: Mapping[str, str] | None = None
) -> Path:
    """Make the folder of a new case; an existing one is never touched.

    Parameters
    ----------
    name : str
        Name of the case and its folder.
    folder : Path
        Where to make it.
    drug : str, optional
        The drug in question. Where not given: the drug named like the case, or else the library's first.
    studies : mapping of str to str, optional
        YAML text of its studies by id; an example where not given.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(
            f"A case's name must be lower-case letters, digits, - and _, and start with a letter or digit; "
            f"got {name!r}."
        )
    target = folder / name
    if target.exists():
        raise ValueError(
            f"A new case must not overwrite anything; {target} exists. Choose another name or folder."
        )
    chosen = _drug(load_library(), name, drug)
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
    try:
        (draft / "studies").mkdir()
        (draft / "case.yaml").write_text(_filled("case", name=name, drug=chosen), encoding="utf-8")
        if studies is None:
            studies = {"example": _filled("example", year=str(date.today().year), drug=chosen)}
        for key, text in studies.items():
            (draft / "studies" / f"{key}.yaml").write_text(text, encoding="utf-8")
        draft.chmod(permitted(0o777))
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return target


def scaffold_study(name: str, case: Path) -> Path:
    """Write the file of a new study into the folder of a case, with blanks that `gaddum check` lists."""
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise ValueError(
            f"A study's id must be lower-case letters, digits and _, such as klein_2020; got {name!r}."
        )
    if not (case / "case.yaml").is_file():
        raise ValueError(
            f"A study must go into a folder that holds case.yaml; got {str(case)!r}. Make one by `gaddum new NAME`; a "
            "bundled case is named by the path of its folder in your copy of the source."
        )
    target = case / "studies" / f"{name}.yaml"
    if target.exists():
        raise ValueError(f"A new study must not overwrite anything; {target} exists. Choose another id.")
    drug = read_record(case / "case.yaml", Case).test_drug
    target.parent.mkdir(exist_ok=True)
    write_atomically(target, _filled("study", id=name, drug=drug))
    return target


def _filled(kind: str, **blanks: str) -> str:
    """A template of `templates`, its blanks (such as @DRUG@) filled in."""
    text = asset(f"{kind}.yaml")
    for name, value in blanks.items():
        text = text.replace(f"@{name.upper()}@", value)
    return text


def _drug(library: Library, name: str, wanted: str | None) -> str:
    if wanted is not None:
        return library.drug_name(wanted)
    alike = [drug for drug in library.drugs if drug.casefold() == name]
    return next(iter([*alike, *sorted(library.drugs)]), "NAME")
