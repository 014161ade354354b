"""The bundled ketamine case holds the record that its documentation says it holds."""

import re
from pathlib import Path

import pytest

from gaddum.records.blockade import blockades, is_blockade
from gaddum.records.check import check_records
from gaddum.records.experiment import ROB2, SYRCLE
from gaddum.records.ledger import bundled_cases, load_case
from gaddum.records.outcome import is_scored

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "ledger.md"

OPIOID_BLOCKADE = {
    "bonaventura2021",
    "diianni2024",
    "jiang2024",
    "klein2020",
    "krystal2006",
    "levinstein2023",
    "vcu_thesis6602",
    "williams2018",
    "williams2019",
    "yoon2019",
    "yost2022",
    "zhang_hashimoto2019",
}
"""Studies in which an opioid antagonist, or an antibody, met ketamine, an enantiomer or a metabolite."""


@pytest.fixture(scope="module")
def case():
    return load_case("ketamine")


@pytest.fixture(scope="module")
def studies(case):
    return {study.id: study for study in case.ledger.studies}


def outcomes(study):
    return [outcome for experiment in study.experiments for outcome in experiment.outcomes]


def table(heading):
    """Rows of the first table below a heading of the page, as lists of cells."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|\n ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"\s*\|\s*", row)] for row in rows[2:]]


def items():
    return {int(row[0]): [*row, "", ""][2:4] for row in table("The disagreements of the record")}


def named(cell):
    return {name for name in re.split(r",\s*", cell) if name}


def test_the_case_has_no_errors_and_no_warnings(case):
    assert [str(finding) for finding in check_records(case) if finding.level != "note"] == []


def test_the_ledger_holds_at_least_twenty_five_studies(studies):
    assert len(studies) >= 25


def test_at_least_twenty_studies_have_a_scored_outcome(studies):
    assert sum(any(is_scored(outcome) for outcome in outcomes(study)) for study in studies.values()) >= 20


def test_at_least_ten_studies_are_of_opioid_blockade(studies):
    assert len(OPIOID_BLOCKADE & studies.keys()) >= 10


def test_every_study_states_competing_interests_in_its_file(case, studies):
    for name in studies:
        text = (case.folder / "studies" / f"{name}.yaml").read_text(encoding="utf-8")
        assert re.search(r"^competing_interests: \S", text, re.MULTILINE), name


def test_no_study_that_is_held_back_is_in_the_ledger(studies):
    assert not [name for name in studies if name.startswith(("wulf", "rizzo"))]
    assert not [study.id for study in studies.values() if study.year >= 2025]


def test_no_study_known_from_memory_only_is_in_the_ledger(studies):
    assert not {"zhangf2021", "autry2011", "karmadep2_2025"} & studies.keys()


def test_the_page_has_a_row_for_every_disagreement():
    assert sorted(items()) == list(range(1, 19))


@pytest.mark.parametrize("item", range(1, 19))
def test_studies_named_for_a_disagreement_are_stored_as_the_page_says(studies, item):
    scored, told = (named(cell) for cell in items()[item])
    assert scored | told
    assert scored | told <= studies.keys()
    assert all(any(is_scored(outcome) for outcome in outcomes(studies[name])) for name in scored)
    assert all(any(not is_scored(outcome) for outcome in outcomes(studies[name])) for name in told)


def test_reports_on_the_same_patients_share_a_cohort(studies):
    assert studies["williams2018"].cohort == studies["williams2019"].cohort
    assert studies["lii2023"].cohort == studies["lii2024_posthoc"].cohort


@pytest.mark.parametrize("name", bundled_cases())
def test_whatever_is_not_scored_says_why(name):
    told = [one for _, _, one in load_case(name).ledger.outcomes() if not is_scored(one)]
    assert told
    assert [one for one in told if len(one.why or "") < 12] == []


def test_every_blockade_study_says_how_it_was_read_judged_and_engaged(case):
    for study, experiment in case.ledger.experiments():
        if study.id in OPIOID_BLOCKADE and blockades(case, experiment):
            assert study.read in ("measured", "abstract", "secondary"), study.id
            assert experiment.protocol.engagement is not None, (study.id, experiment.id)
            human = experiment.protocol.subject.species == "human"
            items = (ROB2[0], ROB2[3], ROB2[4]) if human else (SYRCLE[0], SYRCLE[6], SYRCLE[8])
            assert set(items) <= study.risk_of_bias.keys(), study.id


def test_session_means_of_the_imaging_study_are_those_of_a_paired_t(studies):
    """With the correlation that the two sessions have in males, the printed t comes back."""
    males = next(one for one in studies["diianni2024"].experiments if one.id == "males")
    arms = males.outcomes[0].arms
    spread = arms["K"].spread ** 2 + arms["KA"].spread ** 2 - 2 * 0.58 * arms["K"].spread * arms["KA"].spread
    assert (arms["K"].mean - arms["KA"].mean) / (spread / 9) ** 0.5 == pytest.approx(3.99, abs=0.03)
    assert {arm.n for arm in arms.values()} == {9} and males.protocol.is_paired()


def test_antagonists_alone_are_arms_wherever_they_were_run(case):
    alone = {
        study.id
        for study, experiment in case.ledger.experiments()
        for one in blockades(case, experiment)
        if one.alone is not None
    }
    assert {"diianni2024", "jiang2024", "krystal2006", "vcu_thesis6602"} <= alone
    assert not {"klein2020", "zhang_hashimoto2019", "williams2018"} & alone


def test_a_blockade_study_is_one_by_its_arms_or_by_what_its_record_says_of_engagement(case, studies):
    found = {name for name, study in studies.items() if is_blockade(case, study)}
    assert OPIOID_BLOCKADE <= found  # some without any dose
    assert not {"murrough2013", "zhang2014", "nagele2021_n2o"} & found


def test_only_what_was_read_whole_counts_as_read_in_full(case, studies):
    read = {study.id for study in studies.values() if is_blockade(case, study) and study.read == "measured"}
    assert read == {"diianni2024"}
    assert studies["williams2018"].read == "secondary"  # counts quoted by another text


def test_studies_of_shared_authors_name_one_laboratory(studies):
    shared = [
        ("bonaventura2021", "diianni2024", "levinstein2023"),
        ("shirayama2018", "yang2015", "zhang2014"),
    ]
    for names in shared:
        labs = {studies[name].lab for name in names}
        assert len(labs) == 1 and None not in labs


def test_all_positions_of_the_letter_are_claims(case):
    names = {claim.id for claim in case.case.claims}
    assert {f"L{number}" for number in range(1, 15)} | {"P-a", "P-b", "P-c", "P-d"} == names


def test_every_claim_says_what_would_test_it(case):
    assert all(len(claim.would_test or "") > 30 for claim in case.case.claims)


def test_only_the_claim_about_an_experiment_never_run_asks_nothing(case):
    silent = [one.id for one in case.case.claims if one.proposition is None and not one.asks]
    assert silent == ["L13"]
