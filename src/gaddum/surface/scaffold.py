"""Scaffold: the folder of a new case, and the file of a new study.

A new case is accepted by `gaddum check` before anything is filled in: its example study holds a narrative outcome only,
so nothing in it is scored, and no number is made up. A new study is not: the check lists what is still to be filled in.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path

from gaddum.records.case import Case
from gaddum.records.library import Library, load_library
from gaddum.records.yaml import read_record
from gaddum.surface.files import write_atomically

_CASE = """\
# The question, the rival answers, and what is assumed. `gaddum schema case` prints the JSON Schema for your editor.
name: {name}
title: {name}, a new case
question: Which receptors carry the effect of {drug}?
test_drug: {drug}   # a key of the library, or of drugs/NAME.yaml in this folder
effect: the effect in question

# Sources that several fields share; refer to one as `source: key` or `source: {{use: key, locator: "Table 2"}}`.
# sources:
#   key: {{how: measured, doi: "..."}}

hypotheses:
  - name: nothing-specific
    title: Nothing specific acts
    gate: "0"
    says: The effect does not come from any of the named targets.
  # One entry per rival. A gate joins features (block, agonism, tone, reserve, engagement) of targets by & | ! ( ).
  # - name: one-target
  #   title: One target alone
  #   gate: "TARGET.feature"
  #   says: What the account claims, in a sentence that a referee would accept.

# One anchor for each stratum and phase that has a scored outcome: the arm with the test drug alone.
# anchors:
#   - {{stratum: "rat, stressed, behaving", phase: acute, study: ID, experiment: ID, endpoint: KEY, arm: K}}

# The prior table: one row per parameter, each with its reason.
# priors:
#   - {{name: ..., unit: "1", distribution: {{family: ...}}, reason: ...}}
"""

_STUDY = """\
# One published report per file; the file is named after its id. Overwrite or delete this example.
# `gaddum schema study` prints the JSON Schema for your editor.
id: example
title: Example, to be overwritten
year: {year}            # of publication
cohort: example       # reports on the same subjects share a cohort
source: paper
sources:
  paper:
    how: assumption   # or measured, abstract, secondary, derived (then give doi, pmid or cites)
    reason: Example made by `gaddum new`; replace by the report that was read.
experiments:
  - id: first
    protocol:
      source: paper
      subject:
        species: rat
        paradigm: name of the test or model
        # strain, sex, stress (stressed or unstressed), preparation (behaving, slice or imaging), weight
      arms:             # by role: V vehicle, K test drug, A antagonist, KA both
        V:
          n: null         # the number of subjects; null where the report does not say
        # K:
        #   n: ...
        #   doses: [{{drug: {drug}, amount: "... mg/kg", route: ip}}]   # the test drug is given at time 0
      endpoints:
        first:
          name: name of the readout
          family: family of the readout
          test_time: 0 h
          phase: acute
          improvement: increase
    outcomes:           # means, difference, responders, test, p-value, p-threshold, interaction, verdict, narrative
      - form: narrative
        endpoint: first
        text: Replace this by what the paper reports, in the form in which it reports it.
        why: It is an example.
        source: paper
"""


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

    Returns
    -------
    Path
        The new folder.
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
        (draft / "case.yaml").write_text(_CASE.format(name=name, drug=chosen), encoding="utf-8")
        given = (
            {"example": _STUDY.format(year=date.today().year, drug=chosen)} if studies is None else studies
        )
        for key, text in given.items():
            (draft / "studies" / f"{key}.yaml").write_text(text, encoding="utf-8")
        draft.chmod(0o777 & ~_umask())
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return target


def scaffold_study(name: str, case: Path) -> Path:
    """Write the file of a new study into the folder of a case; an existing one is never touched.

    Parameters
    ----------
    name : str
        Id of the study.
    case : Path
        The case's folder.

    Returns
    -------
    Path
        The new file, with blanks that `gaddum check` lists.
    """
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
    template = files("gaddum.surface") / "templates" / "study.yaml"
    target.parent.mkdir(exist_ok=True)
    text = template.read_text(encoding="utf-8").replace("@ID@", name).replace("@DRUG@", drug)
    write_atomically(target, text)
    return target


def _drug(library: Library, name: str, wanted: str | None) -> str:
    if wanted is not None:
        return library.drug_name(wanted)
    alike = [drug for drug in library.drugs if drug.casefold() == name]
    return next(iter([*alike, *sorted(library.drugs)]), "NAME")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
