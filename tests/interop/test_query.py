"""SQL over a ledger: it finds what the records say, and reads nothing else."""

import os
import signal
import threading

import pytest

from gaddum import load_case, query_ledger
from gaddum.interop import query as interop_query
from gaddum.interop.tables import TABLES, ledger_tables
from gaddum.records.experiment import Study
from gaddum.records.ledger import Ledger
from gaddum.records.outcome import is_scored


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return load_case("morphine").ledger


@pytest.fixture(scope="module")
def ketamine() -> Ledger:
    return load_case("ketamine").ledger


@pytest.fixture(scope="module")
def letter(ketamine) -> Ledger:
    return ketamine.select(("klein2020", "williams2018", "jiang2024", "preskorn2008_traxoprodil", "lii2023"))


def test_every_study_experiment_arm_and_outcome_is_a_row(ledger):
    protocols = [experiment.protocol for _, experiment in ledger.experiments()]
    counts = {
        "studies": len(ledger),
        "experiments": len(protocols),
        "arms": sum(len(one.arms) for one in protocols),
        "doses": sum(len(arm.doses) for one in protocols for arm in one.arms.values()),
        "outcomes": len(list(ledger.outcomes())),
    }
    found = {name: query_ledger(ledger, f"SELECT count(*) FROM {name}").rows[0][0] for name in counts}
    assert found == counts


def test_scored_outcomes_are_those_of_the_likelihood(letter):
    expected = sum(is_scored(outcome) for *_, outcome in letter.outcomes())
    assert query_ledger(letter, "SELECT count(*) FROM outcomes WHERE scored").rows == [(expected,)]


def test_arms_join_on_what_was_reported_of_them(letter):
    sql = """SELECT role, arm, responders, outcome_arms.n, doses
        FROM outcome_arms JOIN arms USING (study, experiment, arm)
        WHERE study = 'williams2018' AND role LIKE 'ret%' ORDER BY role"""
    ketamine = "ketamine 0.5 mg/kg iv over 40 min"
    assert query_ledger(letter, sql).rows == [
        ("retest", "KA", 0, 7, f"naltrexone 50 mg po at -45 min as salt + {ketamine}"),
        ("retested", "K", None, None, ketamine),
    ]


def test_arms_of_an_interaction_have_the_roles_that_it_gives_them(ketamine):
    found = [
        (study.id, experiment.id, number, outcome)
        for study, experiment in ketamine.experiments()
        for number, outcome in enumerate(experiment.outcomes, 1)
        if outcome.form == "interaction"
    ]
    assert found
    sql = """SELECT study, experiment, outcome, role, arm
        FROM outcome_arms JOIN outcomes USING (study, experiment, outcome) WHERE form = 'interaction'"""
    rows = set(query_ledger(ketamine, sql).rows)
    for study, experiment, number, outcome in found:
        drug, vehicle, both, antagonist = outcome.arms
        roles = {"K": drug, "V": vehicle, "KA": both, "A": antagonist}
        assert {(study, experiment, number, role, arm) for role, arm in roles.items()} <= rows


def test_times_and_amounts_are_in_one_unit(letter):
    sql = """SELECT amount_value, amount_unit, time_h FROM doses
        WHERE study = 'klein2020' AND arm = 'KA_ctap' ORDER BY time_h"""
    assert query_ledger(letter, sql).rows == [(1000.0, "nM", -0.25), (20000.0, "nM", 0.0)]


def test_a_difference_has_its_limits(letter):
    sql = "SELECT value, ci_low, ci_high, ci_level FROM outcomes WHERE form = 'difference'"
    assert query_ledger(letter, sql).rows == [(1.058, 0.554, 1.513, 0.8)]


def test_a_manipulation_says_what_it_leaves(letter):
    sql = "SELECT DISTINCT kind, target, tone FROM manipulations WHERE study = 'jiang2024'"
    assert query_ledger(letter, sql).rows == [("antibody", "MOR", 0.1)]


def test_every_source_has_its_field(letter):
    sql = "SELECT doi FROM sources WHERE study = 'klein2020' AND field = 'experiments[0].outcomes[0].source'"
    assert query_ledger(letter, sql).rows == [("10.1073/pnas.1916570117",)]


def test_rows_have_the_columns_of_their_table(letter):
    for name, rows in ledger_tables(letter).items():
        assert rows and {len(row) for row in rows} == {len(TABLES[name])}


def test_columns_are_filled_by_some_bundled_record(ketamine, ledger):
    tables = ledger_tables(Ledger((*ketamine.studies, *ledger.studies)))
    empty = {
        f"{name}.{column.name}"
        for name, columns in TABLES.items()
        for place, column in enumerate(columns)
        if all(row[place] is None for row in tables[name])
    }
    assert empty <= {"arms.subset_of", "doses.interval_h", "experiments.washout", "outcomes.sd"}


def test_an_unknown_table_lists_the_tables(ledger):
    with pytest.raises(
        ValueError, match=r"(?s)nope does not exist.*outcome_arms\(study, experiment, outcome, role"
    ):
        query_ledger(ledger, "SELECT * FROM nope")


def test_an_unknown_column_lists_those_of_the_tables_named(ledger):
    with pytest.raises(ValueError, match=r'"nope" not found') as caught:
        query_ledger(ledger, "SELECT nope FROM studies")
    assert "studies(study, year" in str(caught.value) and "arms(" not in str(caught.value)


def test_a_syntax_error_points_at_its_place(ledger):
    with pytest.raises(ValueError, match=r"syntax error at or near.*\nLINE 1"):
        query_ledger(ledger, "SELECT study FROM FROM studies")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        "FROM glob('{folder}/*')",
        "SELECT * FROM read_csv('https://example.org/x.csv')",
        "COPY studies TO '{folder}/out.csv'",
        "ATTACH '{folder}/out.db' AS other",
        "CREATE TABLE mine (x INTEGER)",
        "DELETE FROM studies",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "SELECT 1; DROP TABLE studies",
        "SELECT getenv('HOME')",
        "SELECT * FROM here",
        "",
    ],
)
def test_nothing_but_the_ledger_can_be_read_and_nothing_written(ledger, sql, tmp_path):
    here = tmp_path / "secret.csv"
    here.write_text("secret\n1\n")
    with pytest.raises(ValueError):
        query_ledger(ledger, sql.format(file=here, folder=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_a_statement_cannot_change_settings_by_the_way(ledger):
    with pytest.raises(ValueError, match="one SELECT"):
        query_ledger(ledger, "PRAGMA enable_external_access = true")


def test_too_long_an_answer_is_refused(ledger):
    with pytest.raises(ValueError, match="at most 100,000 rows"):
        query_ledger(ledger, "FROM range(100001)")


def test_an_empty_ledger_has_empty_tables():
    assert query_ledger(Ledger(), "SELECT * FROM arms").rows == []


def test_a_list_of_a_billion_is_refused_before_it_is_made(ledger):
    with pytest.raises(ValueError, match="at most 100,000 rows|within 1 GB of memory"):
        query_ledger(ledger, "SELECT unnest(range(1, 1000000000))")


def test_a_query_that_does_not_end_is_stopped(ledger, monkeypatch):
    monkeypatch.setattr(interop_query, "MAX_SECONDS", 0.5)
    with pytest.raises(ValueError, match=r"must end within 0.5 s"):
        query_ledger(ledger, "SELECT count(*) FROM range(100000000) a, range(100000000) b")


def test_an_interrupt_of_the_user_stops_a_query_as_an_interrupt(ledger):
    soon = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    soon.start()
    with pytest.raises(KeyboardInterrupt):
        query_ledger(ledger, "SELECT count(*) FROM range(100000000) a, range(100000000) b")


def test_a_cell_without_end_is_refused(ledger):
    with pytest.raises(ValueError, match="at most 100,000 characters"):
        query_ledger(ledger, "SELECT repeat('x', 1000000)")


def test_an_hour_that_is_not_known_is_null_and_its_text_says_so(ledger):
    study = ledger.studies[0].model_dump(mode="json", exclude_none=True)
    (name,) = list(study["experiments"][0]["protocol"]["endpoints"])[:1]
    study["experiments"][0]["protocol"]["endpoints"][name] |= {"test_time": "1 h or 24 h", "phase": "unknown"}
    changed = Ledger((Study.model_validate(study),))
    sql = "SELECT test_time, test_time_h, phase FROM endpoints WHERE endpoint = '" + name + "' LIMIT 1"
    assert query_ledger(changed, sql).rows == [("1 h or 24 h", None, "unknown")]
