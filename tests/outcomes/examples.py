"""An experiment, priors, and one example or several of every form of outcome."""

from typing import Any

from pydantic import TypeAdapter

from gaddum.outcomes.form import Table
from gaddum.outcomes.reduce import reduce_outcome
from gaddum.records.experiment import Experiment
from gaddum.records.outcome import Outcome
from gaddum.records.prior import Distribution

SOURCE = {"how": "assumption", "reason": "made up for a test"}
PRIORS: dict[str, Distribution] = {
    name: TypeAdapter(Distribution).validate_python(row)
    for name, row in {
        "arm_noise": {"family": "fixed", "value": 0.1},
        "n_unknown": {"family": "lognormal", "median": 9, "gsd": 1.3},
        "rule": {"family": "weights", "of": {"strict": 0.5, "lax": 0.5}},
        "correction": {"family": "weights", "of": {"none": 0.4, "Tukey": 0.4, "Bonferroni": 0.2}},
        "placebo_response": {"family": "beta", "a": 2, "b": 9},
        "retest_correlation": {"family": "beta", "a": 4, "b": 3},
        "standardised_effect": {"family": "normal", "mean": 0, "sd": 1.5},
    }.items()
}


def experiment(sizes: dict[str, Any], improvement: str = "increase", design: str = "parallel") -> Experiment:
    arms = {
        name: (n if isinstance(n, dict) else {"n": n})
        | ({} if name == "V" else {"manipulations": [{"kind": "other"}]})
        for name, n in sizes.items()
    }
    return Experiment.model_validate(
        {
            "id": "made-up",
            "protocol": {
                "subject": {"species": "rat", "paradigm": "none"},
                "arms": arms,
                "endpoints": {
                    "e": {
                        "name": "e",
                        "family": "immobility",
                        "test_time": "1 h",
                        "phase": "acute",
                        "improvement": improvement,
                    }
                },
                "design": design,
                "source": SOURCE,
            },
        }
    )


def outcome(**fields: Any) -> Outcome:
    return TypeAdapter(Outcome).validate_python({"endpoint": "e", "source": SOURCE} | fields)


def reduced(
    sizes: dict[str, Any], *, improvement: str = "increase", design: str = "parallel", **fields: Any
) -> Table:
    table = reduce_outcome(experiment(sizes, improvement, design), outcome(**fields), PRIORS)
    assert table is not None
    return table


KVA = {"K": 9, "V": 8, "KA": 10}
ROLES = {"K": "K", "V": "V", "KA": "KA"}
FORMS: dict[str, dict[str, Any]] = {
    "means": {
        "form": "means",
        "arms": {
            "K": {"mean": 3.0, "spread": 1.0, "spread_kind": "SD", "n": 9},
            "V": {"mean": 1.5, "spread": 1.2, "spread_kind": "SD", "n": 8},
        },
    },
    "means of three": {
        "form": "means",
        "arms": {
            "K": {"mean": 3.0, "spread": 0.3, "spread_kind": "SEM", "n": 9},
            "V": {"mean": 1.5, "spread": 0.4, "spread_kind": "unclear", "n": 8},
            "KA": {"mean": 1.6, "spread": 0.4, "spread_kind": "SEM", "n": 10},
        },
    },
    "difference": {"form": "difference", "contrast": ["K", "V"], "value": 0.8, "ci": [0.1, 1.5]},
    "responders": {"form": "responders", "criterion": "half", "counts": {"K": {"responders": 5, "n": 9}}},
    "responders of three": {
        "form": "responders",
        "criterion": "half",
        "counts": {
            "K": {"responders": 5, "n": 9},
            "KA": {"responders": 1, "n": 10},
            "V": {"responders": 1, "n": 8},
        },
    },
    "retest": {
        "form": "responders",
        "criterion": "half",
        "counts": {"K": {"responders": 7, "n": 9}},
        "retest": {"arm": "KA", "among_responders_of": "K", "responders": 0, "n": 7},
    },
    "t": {"form": "test", "statistic": "t", "value": 2.4, "contrast": ["K", "V"], "better": "first"},
    "F": {
        "form": "test",
        "statistic": "F",
        "value": 6.1,
        "df": 15,
        "contrast": ["K", "V"],
        "better": "second",
    },
    "d": {
        "form": "test",
        "statistic": "d",
        "value": 0.9,
        "contrast": ["K", "V"],
        "better": "first",
        "paired": True,
    },
    "interaction": {
        "form": "interaction",
        "statistic": "F",
        "value": 5.0,
        "arms": ["K", "V", "KA", "A"],
    },
    "means of four": {
        "form": "means",
        "arms": {
            name: {"mean": mean, "spread": 1.0, "spread_kind": "SD", "n": 8}
            for name, mean in (("V", 0.0), ("K", 1.0), ("KA", 0.1), ("A", 0.2))
        },
    },
    "p": {"form": "p-value", "p": 0.003, "contrast": ["K", "V"], "better": "first"},
    "p below": {"form": "p-threshold", "significant": True, "contrast": ["K", "V"], "better": "first"},
    "p above": {"form": "p-threshold", "significant": False, "contrast": ["K", "V"]},
    "abolished": {"form": "verdict", "verdict": "abolished", "roles": ROLES, "agonist_effect_present": True},
    "not abolished": {
        "form": "verdict",
        "verdict": "not abolished",
        "roles": ROLES,
        "agonist_effect_present": True,
    },
    "partial": {"form": "verdict", "verdict": "partial", "roles": ROLES, "agonist_effect_present": True},
    "enhanced": {"form": "verdict", "verdict": "enhanced", "roles": ROLES, "agonist_effect_present": True},
    "no agonist effect": {
        "form": "verdict",
        "verdict": "abolished",
        "roles": ROLES,
        "agonist_effect_present": False,
    },
    "effective": {"form": "verdict", "verdict": "effective", "roles": {"K": "K", "V": "V"}},
    "not effective": {"form": "verdict", "verdict": "not effective", "roles": {"K": "K", "V": "V"}},
    "no difference": {"form": "verdict", "verdict": "no difference", "roles": {"K": "K", "V": "V"}},
    "mimics": {"form": "verdict", "verdict": "mimics", "roles": {"X": "KA", "V": "V", "K": "K"}},
    "does not mimic": {
        "form": "verdict",
        "verdict": "does not mimic",
        "roles": {"X": "KA", "V": "V", "K": "K"},
    },
    "occludes": {"form": "verdict", "verdict": "occludes", "roles": {"X": "K", "V": "V", "KX": "KA"}},
}
