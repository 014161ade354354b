from pathlib import Path

import pytest

from gaddum.records.finding import RecordError
from gaddum.records.ledger import Ledger, bundled_cases, load_case


def two_studies(folder):
    second = folder.a_study("two_2005", cohort="two")
    second["year"] = 2005
    folder.studies["two_2005"] = second
    return load_case(folder.write())


@pytest.mark.parametrize("name", bundled_cases())
def test_bundled_cases_load_and_round_trip(name):
    loaded = load_case(name)
    assert loaded.case.name == name
    assert Ledger.parse(loaded.ledger.dump().values()) == loaded.ledger


def test_a_case_is_read_from_a_folder(folder):
    loaded = load_case(str(folder.write()))
    assert loaded.case.test_drug == "testine"
    assert loaded.folder == Path(folder.path)
    assert [study.id for study in loaded.ledger.studies] == ["one_2001"]
    assert "testine" in loaded.library.drugs


def test_dumping_and_parsing_a_ledger_gives_an_equal_ledger(folder):
    ledger = two_studies(folder).ledger
    texts = ledger.dump()
    assert list(texts) == ["one_2001", "two_2005"]
    assert Ledger.parse(texts.values()) == ledger


def test_until_is_inclusive(folder):
    ledger = two_studies(folder).ledger
    assert [study.id for study in ledger.until(2001).studies] == ["one_2001"]
    assert len(ledger.until(2005)) == 2
    assert len(ledger.until(1999)) == 0


def test_selection_knows_only_studies_of_the_ledger(folder):
    ledger = two_studies(folder).ledger
    assert [study.id for study in ledger.select(["two_2005", "two_2005"]).studies] == ["two_2005"]
    with pytest.raises(ValueError, match="got 'two_2006'. Did you mean 'two_2005'"):
        ledger.select(["two_2006"])


def test_outcomes_come_with_their_study_and_experiment(folder):
    rows = [
        (study.id, experiment.id, outcome.form)
        for study, experiment, outcome in two_studies(folder).ledger.outcomes()
    ]
    forms = [("first", "means"), ("first", "verdict")]
    assert rows == [("one_2001", *form) for form in forms] + [("two_2005", *form) for form in forms]


def test_a_ledger_does_not_depend_on_the_order_of_files(folder):
    studies = two_studies(folder).ledger.studies
    assert Ledger(studies[::-1]) == Ledger(studies)


def test_a_study_is_in_a_ledger_once(folder):
    studies = load_case(folder.write()).ledger.studies
    with pytest.raises(ValueError, match="once; got one_2001"):
        Ledger(studies * 2)


def test_no_studies_are_legal(folder):
    folder.studies, folder.case["anchors"] = {}, []
    assert len(load_case(folder.write()).ledger) == 0


def test_a_folder_without_studies_or_library_is_legal(folder):
    (folder.write() / "studies" / "one_2001.yaml").unlink()
    for name in ("studies",):
        (folder.path / name).rmdir()
    assert len(load_case(folder.path).ledger) == 0


def test_an_unknown_case_lists_bundled_names():
    with pytest.raises(ValueError, match="bundled name or a folder.*which is neither"):
        load_case("no-such-case")


def test_a_folder_without_a_case_is_refused(tmp_path):
    with pytest.raises(ValueError, match="without case.yaml"):
        load_case(tmp_path)


def test_all_files_are_read_before_complaining(folder):
    del folder.case["title"]
    del folder.studies["one_2001"]["cohort"]
    del folder.drugs["testine"]["molar_mass"]
    with pytest.raises(RecordError) as caught:
        load_case(folder.write())
    assert [finding.where for finding in caught.value.findings] == ["title", "cohort", "molar_mass"]


def test_a_duplicate_study_id_is_found(folder):
    folder.studies["other"] = folder.a_study("one_2001")
    with pytest.raises(RecordError, match="got 'one_2001' in other.yaml"):
        load_case(folder.write())


def test_drugs_of_doses_are_called_by_the_librarys_keys_however_the_files_call_them(folder):
    folder.drugs["testine"]["synonyms"] = ["T\u20111"]
    plain = load_case(folder.write())
    for arm in folder.studies["one_2001"]["experiments"][0]["protocol"]["arms"].values():
        for dose in arm.get("doses", ()):
            dose["drug"] = {"testine": "t-1"}.get(dose["drug"], dose["drug"].upper())
    folder.case["test_drug"] = "Testine"
    again = load_case(folder.write())
    assert (again.ledger, again.case.test_drug) == (plain.ledger, "testine")


def test_a_drug_that_the_library_does_not_know_keeps_its_name(folder):
    arm = folder.studies["one_2001"]["experiments"][0]["protocol"]["arms"]["K"]
    arm["doses"][0]["drug"] = "testinol"
    loaded = load_case(folder.write())
    assert loaded.ledger.studies[0].experiments[0].protocol.arms["K"].doses[0].drug == "testinol"


@pytest.mark.parametrize(("said", "counts"), [({}, "salt"), ({"salt": "base"}, "base")])
def test_a_dose_under_the_name_of_a_salt_counts_the_salt_unless_it_says_otherwise(folder, said, counts):
    arm = folder.studies["one_2001"]["experiments"][0]["protocol"]["arms"]["K"]
    arm["doses"][0] |= {"drug": "ketamine hydrochloride"} | said
    loaded = load_case(folder.write())
    dose = loaded.ledger.studies[0].experiments[0].protocol.arms["K"].doses[0]
    assert (dose.drug, dose.salt) == ("ketamine", counts)
