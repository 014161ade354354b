import pytest

from gaddum.records.drug_quantities import quantities
from gaddum.records.finding import RecordError
from gaddum.records.library import load_library
from gaddum.records.protocol import Subject


def findings_of(folder):
    with pytest.raises(RecordError) as caught:
        load_library(folder.write())
    return [f"{finding.where}: {finding.message}" for finding in caught.value.findings]


def test_the_bundled_library_loads():
    library = load_library()
    for name, drug in library.drugs.items():
        assert library.drug(name) is drug
        assert sum(fraction for _, fraction in library.species(name)) == pytest.approx(1)


def test_every_uncertain_number_of_the_bundled_library_has_a_spread():
    exact = ("molar_mass", "salt_factor")
    bare = [
        (name, path)
        for name, drug in load_library().drugs.items()
        for path, quantity, _ in quantities(drug)
        if quantity.spread is None and path[0] not in exact and path[-1] != "reference_weight"
    ]
    assert bare == []


def test_shifts_by_species_are_checked_for_their_unit(folder):
    folder.drugs["testine"]["affinities"][0]["in_vivo_shift"] = {"rat": folder.quantity(2, "nM")}
    assert "affinities[0].in_vivo_shift.rat[0].unit" in findings_of(folder)[0]


def test_a_case_adds_drugs_and_targets(folder):
    library = load_library(folder.write())
    assert library.drug("testine").name == "testine"
    assert library.target("TEST-R").features == ("tone", "agonism", "engagement")
    assert "testine" not in load_library().drugs


def test_unknown_keys_list_the_near_ones(folder):
    library = load_library(folder.write())
    with pytest.raises(ValueError, match="got 'testin'. Did you mean 'testine'"):
        library.drug("testin")
    with pytest.raises(ValueError, match="Did you mean 'TEST-R'"):
        library.target("TEST_R")


def test_a_synonym_leads_to_the_drug(folder):
    folder.drugs["testine"]["synonyms"] = ["Trade Name", "6'-T-1"]
    library = load_library(folder.write())
    with pytest.raises(ValueError, match="Did you mean 'testine'"):
        library.drug("trade name")
    written = ["testine", "Testine", "TRADE\u00a0name", "6\u2032-T\u20111"]
    assert [library.drug_name(name) for name in written] == ["testine"] * 4


def test_a_synonym_of_two_drugs_names_neither(folder):
    folder.drugs["testine"]["synonyms"] = folder.drugs["blockone"]["synonyms"] = ["T1"]
    with pytest.raises(ValueError, match="must be a key of the library; got 'T1'"):
        load_library(folder.write()).drug_name("T1")


def test_a_near_name_is_suggested_and_not_taken(folder):
    library = load_library(folder.write())
    with pytest.raises(ValueError, match="Did you mean 'testine'"):
        library.drug_name("testin")
    with pytest.raises(ValueError, match="Did you mean 'TEST-R'"):
        library.target_name("TEST_R")


def test_a_target_is_known_in_any_case(folder):
    assert load_library(folder.write()).target_name("test-r") == "TEST-R"


def test_a_record_names_its_species_in_any_case_and_number():
    written = ["rat", "Rat", "RATS", "guinea-pigs"]
    assert [Subject(species=one, paradigm="none").species for one in written] == ["rat"] * 3 + ["guinea pig"]


def test_cyclic_metabolism_is_refused_once(folder):
    def formed(name):
        return {"rat": [{"drug": name, "fraction": folder.quantity(0.5, "1")}]}

    folder.drugs["testine"]["metabolites"] = formed("blockone")
    folder.drugs["blockone"]["metabolites"] = formed("testine")
    (message,) = findings_of(folder)
    assert "must not lead back to its start" in message and " -> " in message


def test_a_drug_that_is_its_own_metabolite_is_refused(folder):
    folder.drugs["testine"]["metabolites"] = {
        "rat": [{"drug": "testine", "fraction": folder.quantity(0.5, "1")}]
    }
    assert "testine -> testine in rat" in findings_of(folder)[0]


def test_a_return_in_another_species_is_no_cycle(folder):
    formed = [{"drug": "blockone", "fraction": folder.quantity(0.5, "1")}]
    back = [{"drug": "testine", "fraction": folder.quantity(0.5, "1")}]
    folder.drugs["testine"]["metabolites"] = {"rat": formed}
    folder.drugs["blockone"]["metabolites"] = {"mouse": back}
    load_library(folder.write())


def spoil_target(folder):
    folder.drugs["testine"]["affinities"][0]["target"] = "TEST-Q"


def spoil_metabolite(folder):
    folder.drugs["testine"]["metabolites"] = {
        "rat": [{"drug": "blockon", "fraction": folder.quantity(0.5, "1")}]
    }


def spoil_part(folder):
    parts = [{"drug": "testine", "fraction": 0.5}, {"drug": "blocktwo", "fraction": 0.5}]
    folder.drugs["mix"] = {"kind": "mixture", "name": "mix", "parts": parts, "source": folder.source}


def spoil_file_name(folder):
    folder.drugs["other"] = folder.a_drug("another")


def spoil_unit(folder):
    folder.drugs["testine"]["molar_mass"]["unit"] = "mg/kg"


def spoil_fraction_unit(folder):
    folder.drugs["testine"]["f_u"] = {"rat": folder.quantity(0.5, "mg/kg")}


def spoil_disposition(folder):
    kinetics = {"sampling": "venous", "v_c": folder.quantity(200, "L"), "half_life": folder.quantity(4, "h")}
    folder.drugs["testine"]["disposition"] = {"human": kinetics}


def spoil_uniqueness(folder):
    bundled = sorted(load_library().targets)
    if not bundled:
        pytest.skip("the bundled library is empty")
    folder.targets[bundled[0]] = folder.a_target(bundled[0])


@pytest.mark.parametrize(
    ("spoil", "where", "message"),
    [
        (spoil_target, "affinities[0].target", "Did you mean 'TEST-R'"),
        (spoil_metabolite, "metabolites.rat[0].drug", "Did you mean 'blockone'"),
        (spoil_part, "parts[1].drug", "Did you mean 'blockone'"),
        (spoil_file_name, "name", "got 'another' in a file named 'other'"),
        (spoil_unit, "molar_mass.unit", "must be in units of g/mol"),
        (spoil_fraction_unit, "f_u.rat[0].unit", "A number must be"),
        (spoil_disposition, "disposition.human.v_c[0].unit", "must come with `reference_weight`"),
        (spoil_uniqueness, "name", "must be defined once"),
    ],
)
def test_files_that_disagree_are_refused(folder, spoil, where, message):
    spoil(folder)
    assert any(one.startswith(f"{where}: ") and message in one for one in findings_of(folder)), findings_of(
        folder
    )


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("mu", "MOR"), ("\u00b5", "MOR"), ("\u03bc-opioid receptor", "MOR"), ("MOP", "MOR"),
        ("Mu-Opioid Receptor", "MOR"),
        ("kappa", "KOR"), ("kop receptor", "KOR"), ("\u03b4", "DOR"), ("NMDA receptor", "NMDAR"), ("nmda", "NMDAR"),
        ("serotonin transporter", "SERT"), ("5-HT\u2082A receptor", "5-HT2A"), ("\u03b12A", "alpha2A"), ("DRD2", "D2"),
        ("Adenosine A2A receptor", "A2A"), ("a1 receptor", "A1"), ("benzodiazepine receptor", "GABAA-BZ"),
    ],
)  # fmt: skip
def test_a_target_is_known_by_its_synonyms(name, key):
    assert load_library().target_name(name) == key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ketamine hydrochloride", "ketamine"), ("Naltrexone HCl", "naltrexone"),
        ("esketamine hydrochloride", "S-ketamine"),
        ("morphine sulphate", "morphine"), ("MK-801 hydrogen maleate", "dizocilpine"),
        ("(+)-MK-801 maleate", "dizocilpine"), ("clonidine hydrochloride", "clonidine"),
    ],
)  # fmt: skip
def test_a_salt_is_its_drug_where_the_library_knows_what_it_weighs(name, key):
    assert load_library().drug_name(name) == key


@pytest.mark.parametrize(
    "name", ["morphine hydrochloride", "ketamine sulfate", "buprenorphine HCl", "HCl", "sulfate"]
)
def test_a_salt_of_unknown_weight_is_not_taken_for_its_drug(name):
    with pytest.raises(ValueError, match="must be a key of the library"):
        load_library().drug_name(name)
