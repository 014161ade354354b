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


def load_letter(studies: tuple[str, ...] = STUDIES) -> LoadedCase:
    """The ketamine case with the letter's studies, or some of them, and the accounts of mu, NMDA and an unnamed target.

    What few studies give compiles in less time than what all of them give.
    """
    loaded = load_case("ketamine")
    case = loaded.case.model_copy(
        update={
            "hypotheses": tuple(h for h in loaded.case.hypotheses if h.name in HYPOTHESES),
            "anchors": tuple(a for a in loaded.case.anchors if a.study in studies),
            "unnamed_targets": tuple(u for u in loaded.case.unnamed_targets if u.name == "Unnamed"),
            "claims": tuple(c for c in loaded.case.claims if set(c.studies) <= set(studies)),
        }
    )
    kept = tuple(study for study in loaded.ledger.studies if study.id in studies)
    return dataclasses.replace(loaded, case=case, ledger=Ledger(kept))
