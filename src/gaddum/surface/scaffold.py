"""Scaffold: the folder of a new case, and the file of a new study.

A new case about a drug of the library is accepted by `gaddum check` before anything is filled in: its example study
holds a narrative outcome only, so nothing in it is scored. A new study, drug or target is not:
the check lists what is still to be filled in.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from gaddum.records.case import Case
from gaddum.records.library import Library, load_library
from gaddum.records.prior import Prior
from gaddum.records.prior_table import missing_priors
from gaddum.records.vocabulary import MODES
from gaddum.records.yaml import parse_document, read_record, to_record
from gaddum.surface.files import asset, permitted, write_atomically


def scaffold_case(
    name: str,
    folder: Path,
    *,
    drug: str | None = None,
    targets: Sequence[str] = (),
    studies: Mapping[str, str] | None = None,
) -> Path:
    """Make the folder of a new case; an existing one only gets files of drugs and targets that it does not have.

    Parameters
    ----------
    name : str
        Name of the case and its folder.
    folder : Path
        Where to make it.
    drug : str, optional
        The drug in question, that of the same name where not given. One that the library does not have gets a file to
        fill in.
    targets : sequence of str
        Targets of the rival accounts; by default those that the drug binds. Those that the library does not have get
        files to fill in.
    studies : mapping of str to str, optional
        YAML text of its studies by id; an example where not given.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(
            f"A case's name must be lower-case letters, digits, - and _, and start with a letter or digit; "
            f"got {name!r}."
        )
    library = load_library()
    if drug is None and library.drug_key(name) not in library.drugs:
        raise ValueError(f"A new case must have its drug; got none. Give --drug NAME. {_LISTS}")
    chosen = library.drug_key(drug or name)
    named = tuple(dict.fromkeys(map(library.target_key, targets))) or _bound(library, chosen)
    own = _own_files(library, chosen, named)
    target = folder / name
    if target.exists():
        return _add_files(target, own)
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
    try:
        (draft / "studies").mkdir()
        (draft / "case.yaml").write_text(_case(name, chosen, named, library), encoding="utf-8")
        if studies is None:
            studies = {"example": _filled("example", year=str(date.today().year), drug=chosen)}
        for key, text in ({f"studies/{key}.yaml": text for key, text in studies.items()} | own).items():
            (draft / key).parent.mkdir(exist_ok=True)
            (draft / key).write_text(text, encoding="utf-8")
        draft.chmod(permitted(0o777))
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return target


_LISTS = "`gaddum drugs` and `gaddum targets` list what the library has."


def _own_files(library: Library, drug: str, targets: Sequence[str]) -> dict[str, str]:
    """Text of the files of a drug and of targets that the library does not have, by their places in the case."""
    found = {}
    for name in targets:
        if name not in library.targets:
            found[f"targets/{_file_name(name)}.yaml"] = _filled("target", target=name)
    if drug not in library.drugs:
        bonds = "".join(_filled("affinity", target=name) for name in targets or [""])
        found[f"drugs/{_file_name(drug)}.yaml"] = _filled("drug", drug=drug, affinities=bonds.rstrip("\n"))
    return found


def _file_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9(][\w ()+,'-]{0,59}", name):
        raise ValueError(
            f"A drug or target of your own must be named in letters, digits, blanks and ()+,'-; got {name!r}. {_LISTS}"
        )
    return name


def _add_files(case: Path, own: Mapping[str, str]) -> Path:
    """Put files into a case that is there; none of its own is touched."""
    there = [key for key in own if (case / key).exists()]
    if there or not own or not (case / "case.yaml").is_file():
        raise ValueError(
            f"A new case must not overwrite anything; {case / (there[0] if there else '')} exists. Choose another name "
            "or folder, or a drug or target that neither the library nor the case has."
        )
    for key, text in own.items():
        (case / key).parent.mkdir(exist_ok=True)
        write_atomically(case / key, text)
    return case


def _bound(library: Library, drug: str) -> tuple[str, ...]:
    """Targets that a drug of the library binds, in the library's order."""
    if drug not in library.drugs:
        return ()
    bound = {one.target for part, _ in library.species(drug) for one in part.affinities}
    return tuple(name for name in library.targets if name in bound)


def _case(name: str, drug: str, targets: Sequence[str], library: Library) -> str:
    """Text of case.yaml: one account a target, and the rows of the prior table that these need."""
    accounts = "".join(
        _filled("account", target=one, feature=_feature(library, drug, one), name=_account_name(one))
        for one in targets
    )
    text = _filled("case", name=name, drug=drug, accounts=accounts, priors="  []")
    rows = missing_priors(to_record(parse_document(text), Case), ())
    return text.replace("  []", "".join(f"  - {_in_a_line(row)}\n" for row in rows))


def _in_a_line(row: Prior) -> str:
    """A record as YAML in one line: JSON but for the quotes around its keys."""
    text = json.dumps(row.model_dump(exclude_none=True), ensure_ascii=False)
    return re.sub(r'"(\w+)":', r"\1:", text)


def _account_name(target: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", target.casefold()).strip("-") or "target"


def _feature(library: Library, drug: str, target: str) -> str:
    """Feature of a target by which a drug may act there: what it does, or else the first that the target has."""
    features = library.targets[target].features if target in library.targets else ("agonism",)
    parts = library.species(drug) if drug in library.drugs else ()
    modes = [MODES[one.mode] for part, _ in parts for one in part.affinities if one.target == target]
    if any(mode.blocks for mode in modes) and not any(mode.activates for mode in modes):
        return "block" if "block" in features else "engagement"
    return features[0]


def to_fill_in(case: Path) -> Iterator[str]:
    """Say which drugs and targets are a case's own, and where a name of the library may have been meant."""
    library = load_library()
    for kind, known in (("drugs", library.drugs), ("targets", library.targets)):
        for path in sorted(case.glob(f"{kind}/*.yaml")):
            near = get_close_matches(path.stem, known, n=1, cutoff=0.85)
            meant = f" Or did you mean {near[0]!r}?" if near else ""
            yield f"The library does not have {path.stem}: fill in {path}.{meant}"


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
