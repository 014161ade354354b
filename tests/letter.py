"""The record that the letter speaks of: a small part of the bundled ketamine case, for tests of the machinery.

Tests that compare all gates, or evaluate thousands of draws, need few targets and few rows, and must not depend on
which studies the case gains.
"""

import dataclasses

from gaddum.records.ledger import Ledger, LoadedCase, load_case

STUDIES = (
    "klein2020",
    "williams2018",
    "williams2019",
    "yang2015",
    "yoon2019",
    "zhang2014",
    "zhang_hashimoto2019",
)
HYPOTHESES = (
    "nmdar",
    "mor-agonism",
    "nmdar-permissive-opioid",
    "opioid-release",
    "nmdar-or-mor",
    "independent-target",
    "independent-permissive-opioid",
    "nothing-specific",
)


def load_letter() -> LoadedCase:
    """The ketamine case with the letter's studies and the accounts of mu, NMDA and an unnamed target."""
    loaded = load_case("ketamine")
    case = loaded.case.model_copy(
        update={
            "hypotheses": tuple(h for h in loaded.case.hypotheses if h.name in HYPOTHESES),
            "anchors": tuple(a for a in loaded.case.anchors if a.study in STUDIES),
            "unnamed_targets": tuple(u for u in loaded.case.unnamed_targets if u.name == "Unnamed"),
            "claims": tuple(c for c in loaded.case.claims if set(c.studies) <= set(STUDIES)),
        }
    )
    studies = tuple(study for study in loaded.ledger.studies if study.id in STUDIES)
    return dataclasses.replace(loaded, case=case, ledger=Ledger(studies))
