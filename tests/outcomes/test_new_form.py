"""A form of outcome that nobody has built in is added by two files and one line, and runs from YAML to an answer."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gaddum

RECORD = '''
"""Rank sum: the U of Mann and Whitney."""

from collections.abc import Iterator
from typing import Literal

from gaddum.records.base import in_unit
from gaddum.records.outcome.base import ArmName, Doubt, ReportedOutcome
from gaddum.records.protocol import Protocol


class RankSum(ReportedOutcome):
    """U of the first arm against the second."""

    form: Literal["rank-sum"]
    u: float = in_unit("1", ge=0)
    ranked: tuple[ArmName, ArmName]

    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        first, second = (protocol.arms[name].n for name in self.ranked)
        if first and second and self.u > first * second:
            yield Doubt(("u",), f"U should be at most {first * second}; got {self.u:g}.")
'''

LIKELIHOOD = '''
"""A U as a normal reading of the probit of the chance that one subject does better than another."""

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm

from gaddum.outcomes.design import contrast_error
from gaddum.outcomes.form import Table, difference_of
from gaddum.outcomes.noncentral_t import GRID, effect_logpdf
from gaddum.outcomes.statistic import is_pair, judged


def _effect(experiment, outcome):
    n = {name: experiment.protocol.arms[name].n for name in outcome.ranked}
    share = outcome.u / (n[outcome.ranked[0]] * n[outcome.ranked[1]])
    return np.sqrt(2) * ndtri(share), contrast_error(n, outcome.ranked, False)


def table(experiment, outcome, priors):
    effect, error = _effect(experiment, outcome)
    return Table((difference_of(*outcome.ranked),), effect_logpdf(effect, error**2, np.inf, GRID))


def compared(experiment, outcome, first, second):
    if not is_pair(outcome.ranked, first, second):
        return None
    effect, error = _effect(experiment, outcome)
    return judged(2 * norm.sf(abs(effect) / error), (effect > 0) == (outcome.ranked[0] == first))
'''

ASKED = """
import dataclasses, json, sys
from pathlib import Path
import jax, numpy as np
import gaddum
from gaddum.interop.export import sheet_of_ledger
from gaddum.interop.studies import studies_of
from gaddum.records.check import check_records
from gaddum.records.ledger import Ledger
from gaddum.referee.audit import audit
from gaddum.response.assemble import assemble
from gaddum.response.response import account
from gaddum.weigh.likelihood import build_problem, log_likelihood, setting
from tests.weigh.test_two_by_two import case, study

def loaded(u):
    text, _, _ = study(blocked=150).partition("      - form")
    text = text.replace("doses: [", "n: 10, doses: [")
    for ranked in ("[K, V]", "[K, KA]"):
        value = 85 if ranked == "[K, V]" else u
        text += f"      - {{form: rank-sum, endpoint: hours_3, u: {value}, ranked: {ranked}, source: "
        text += "{how: abstract, cites: a made-up paper}}\\n"
    return dataclasses.replace(case(blocked=150), ledger=Ledger.parse([text]))

def odds(one):
    assembly = assemble(one)
    problem = build_problem(one, assembly)
    z = np.random.default_rng(0).standard_normal((assembly.dimension, 500))
    function = jax.jit(log_likelihood(problem))
    logs = [
        np.asarray(function(z, setting(problem, account(h, assembly, phase="both"))))
        for name in ("nmdar-permissive-opioid", "nmdar")
        for h in one.case.hypotheses if h.name == name
    ]
    return float(np.logaddexp.reduce(logs[0]) - np.logaddexp.reduce(logs[1]))

good, over = loaded(85), loaded(300)
(blockade,) = audit(good, draws=32).studies[0].experiments[0].blockades
print(json.dumps({
    "home": gaddum.__file__,
    "errors": [str(f) for f in check_records(good) if f.level == "error"],
    "doubts": [f.message for f in check_records(over)],
    "columns": [c for c in sheet_of_ledger(good.ledger).columns if c in ("u", "ranked 0", "ranked 1")],
    "same": Ledger(studies_of(sheet_of_ledger(good.ledger))).studies == good.ledger.studies,
    "effect": blockade.agonist_effect,
    "answers": [a.answer for a in blockade.answers],
    "log odds": [odds(good), odds(loaded(50))],
}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    """What a copy of gaddum with one form more says."""
    root, tests = tmp_path_factory.mktemp("grown"), Path(__file__).parents[1]
    package = root / "gaddum"
    shutil.copytree(Path(gaddum.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "records" / "outcome" / "rank_sum.py").write_text(RECORD, encoding="utf-8")
    (package / "outcomes" / "rank_sum.py").write_text(LIKELIHOOD, encoding="utf-8")
    registry = package / "records" / "outcome" / "__init__.py"
    lines = registry.read_text(encoding="utf-8").splitlines()
    lines.insert(lines.index("FORMS = (") + 1, '    "rank-sum",')
    registry.write_text("\n".join(lines), encoding="utf-8")
    path = os.pathsep.join(map(str, (root, tests.parent, tests)))
    ran = subprocess.run(
        [sys.executable, "-c", ASKED],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        cwd=root,
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout.splitlines()[-1])
    assert Path(said["home"]).parent == package
    return said


def test_a_new_form_is_checked_by_its_record(found):
    assert found["errors"] == []
    assert any("U should be at most 100; got 300." in message for message in found["doubts"])


def test_a_new_form_has_columns_and_comes_back_from_them(found):
    assert found["columns"] == ["u", "ranked 0", "ranked 1"]
    assert found["same"]


def test_a_new_form_is_read_by_the_audit(found):
    assert found["effect"] is True
    assert found["answers"] == ["weakened"]


def test_a_new_form_moves_the_accounts(found):
    abolished, spared = found["log odds"]
    assert abolished > spared + 0.5
