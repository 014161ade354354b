"""A small case on disk, made of placeholders, for tests to spoil."""

import copy
import json
from pathlib import Path

import pytest
import yaml

from gaddum.records.prior_table import default_priors

SOURCE = {"how": "assumption", "reason": "made for the test"}


def quantity(value, unit):
    return {"value": value, "unit": unit, "source": copy.deepcopy(SOURCE)}


def a_target(name="TEST-R", features=("tone", "agonism", "engagement")):
    return {
        "name": name,
        "full_name": "test receptor",
        "family": "test",
        "features": list(features),
        "source": copy.deepcopy(SOURCE),
    }


def a_drug(name="testine", mode="agonist", target="TEST-R"):
    affinity = {"target": target, "mode": mode, "k_i": quantity(10, "nM")}
    return {"name": name, "molar_mass": quantity(300, "g/mol"), "affinities": [affinity]}


def an_experiment():
    return {
        "id": "first",
        "protocol": {
            "source": copy.deepcopy(SOURCE),
            "subject": {"species": "rat", "paradigm": "test"},
            "arms": {
                "V": {"n": 8},
                "K": {"n": 8, "doses": [{"drug": "testine", "amount": "10 mg/kg", "route": "ip"}]},
                "KA": {
                    "n": 8,
                    "doses": [
                        {"drug": "testine", "amount": "10 mg/kg", "route": "ip"},
                        {"drug": "blockone", "amount": "1 mg/kg", "route": "ip", "time": "-30 min"},
                    ],
                },
            },
            "endpoints": {
                "score": {
                    "name": "score",
                    "family": "score",
                    "test_time": "1 h",
                    "phase": "acute",
                    "improvement": "increase",
                }
            },
        },
        "outcomes": [
            {
                "form": "means",
                "endpoint": "score",
                "source": copy.deepcopy(SOURCE),
                "arms": {
                    "V": {"mean": 10.0, "spread": 2.0, "spread_kind": "SD", "n": 8},
                    "K": {"mean": 12.0, "spread": 2.0, "spread_kind": "SD", "n": 8},
                },
            },
            {
                "form": "verdict",
                "endpoint": "score",
                "source": copy.deepcopy(SOURCE),
                "verdict": "abolished",
                "roles": {"K": "K", "V": "V", "KA": "KA"},
                "agonist_effect_present": True,
            },
        ],
    }


def a_study(name="one_2001", cohort="one"):
    return {
        "id": name,
        "title": "Test",
        "year": 2001,
        "cohort": cohort,
        "source": copy.deepcopy(SOURCE),
        "experiments": [an_experiment()],
    }


def a_case():
    return {
        "name": "test",
        "title": "Test",
        "question": "Which?",
        "test_drug": "testine",
        "effect": "effect",
        "hypotheses": [
            {"name": "nothing", "title": "None", "gate": "0", "says": "nothing"},
            {"name": "direct", "title": "Direct", "gate": "TEST-R.agonism", "says": "direct"},
        ],
        "anchors": [
            {
                "stratum": "rat, unstated, behaving",
                "phase": "acute",
                "study": "one_2001",
                "experiment": "first",
                "endpoint": "score",
                "arm": "K",
            }
        ],
        "priors": [row.model_dump(exclude_none=True) for _, rows in default_priors() for row in rows],
    }


def as_yaml(content):
    """YAML text without anchors, however the content shares its parts."""
    return yaml.safe_dump(json.loads(json.dumps(content)), sort_keys=False)


class CaseFolder:
    """Contents of a case folder, to be changed and then written."""

    source = SOURCE
    quantity = staticmethod(quantity)
    a_drug = staticmethod(a_drug)
    a_target = staticmethod(a_target)
    a_study = staticmethod(a_study)

    def __init__(self, path: Path):
        self.path = path
        self.case = a_case()
        self.studies = {"one_2001": a_study()}
        self.drugs = {"testine": a_drug(), "blockone": a_drug("blockone", "competitive antagonist")}
        self.targets = {"TEST-R": a_target()}

    @property
    def experiment(self):
        return self.studies["one_2001"]["experiments"][0]

    def write(self) -> Path:
        self.path.mkdir(exist_ok=True)
        (self.path / "case.yaml").write_text(as_yaml(self.case))
        for kind in ("studies", "drugs", "targets"):
            (self.path / kind).mkdir(exist_ok=True)
            for name, content in getattr(self, kind).items():
                (self.path / kind / f"{name}.yaml").write_text(as_yaml(content))
        return self.path


@pytest.fixture
def folder(tmp_path):
    """A clean case folder, not yet written."""
    return CaseFolder(tmp_path / "test")
