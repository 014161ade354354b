"""Results: whatever they hold is written and read again; what earlier versions wrote is read too."""

import json
import math
import re
import typing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

from gaddum import read_result, results
from gaddum.records.manifest import Manifest
from gaddum.results import AdjudicationResult
from gaddum.surface.cli import main

STORED = Path(__file__).parent / "surface" / "document.json"
FINITE = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = {
    bool: st.booleans(),
    float: st.floats(),
    int: st.integers(-(2**53), 2**53),
    str: st.text(),
    type(None): st.none(),
}


@pytest.fixture(scope="module")
def stored():
    return read_result(STORED)


@pytest.fixture(scope="module")
def schema():
    return AdjudicationResult.model_json_schema(mode="serialization")


def written(result, folder):
    path = folder / "result.json"
    path.write_text(result.to_json(), encoding="utf-8")
    return path


def any_of(kind):
    """Any value of a field's type, numbers that are infinite or NaN included."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return any_of(parts[0])
    if origin is typing.Literal:
        return st.sampled_from(parts)
    if origin is tuple:
        return st.lists(any_of(parts[0]), min_size=1, max_size=2).map(tuple)
    if origin is dict:
        value = (
            st.none() | FINITE | st.text() | st.booleans() if "Json" in str(parts[1]) else any_of(parts[1])
        )
        return st.dictionaries(st.text(), value, max_size=2)
    if parts:
        return st.one_of(*map(any_of, parts))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        hints = typing.get_type_hints(kind, include_extras=True)
        fields = {name: any_of(hints[name]) for name in kind.model_fields}
        return st.builds(kind, **fields)
    if isinstance(kind, type) and issubclass(kind, tuple):
        return st.builds(kind)
    return PLAIN[kind]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_result_is_read_as_it_was_written(tmp_path_factory, data):
    made = data.draw(any_of(AdjudicationResult))
    assert read_result(written(made, tmp_path_factory.mktemp("any"))) == made


def test_document_of_the_first_schema_keeps_its_numbers(stored):
    old = json.loads(STORED.read_text(encoding="utf-8"))
    for row, was in zip(stored.hypotheses, old["hypotheses"], strict=True):
        assert (row.log_ml, row.absolute.log_bf, row.prior) == (
            was["log_ml"],
            was["absolute"]["log_bf"],
            was["prior"],
        )
        assert [one.log_ml for one in row.variants.values()] == [one["log_ml"] for one in was["variants"]]
    assert stored.yardstick == old["yardstick"]["log_ml"]
    assert stored.flagged == old["selection"]["flagged"]
    assert [row.pit for row in stored.held_out] == [row["pit"] for row in old["held_out"]["outcomes"]]
    for row, was in zip(stored.forest, old["forest"], strict=True):
        assert (row.observed and row.observed.median) == (was["observed"] and was["observed"]["effect"])
        assert (row.second is None) == (was["second"] is None)


def test_upgraded_document_is_written_in_the_present_schema(stored, tmp_path):
    path = written(stored, tmp_path)
    assert json.loads(path.read_text(encoding="utf-8"))["schema_version"] == 2
    assert read_result(tmp_path) == read_result(path) == stored


@pytest.mark.parametrize("text", ['{"schema_version": 3, "hypotheses": []}', '{"case": "ketamine"}', "[]"])
def test_what_is_no_known_result_is_refused(text, tmp_path):
    (tmp_path / "result.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="A result must be of an adjudication, of schema 1 or 2"):
        read_result(tmp_path)


def test_number_that_the_sampler_could_not_give_is_null_in_json(stored, tmp_path):
    first, *others = stored.hypotheses
    failed = first.model_validate(first.model_dump() | {"r_hat": math.inf, "log_ml_mcse": math.nan})
    made = stored.model_copy(update={"hypotheses": (failed, *others)})
    row = json.loads(made.to_json())["hypotheses"][0]
    assert row["r_hat"] is None and row["log_ml_mcse"] is None
    assert math.isnan(read_result(written(made, tmp_path)).hypotheses[0].r_hat)


def test_results_are_frozen_and_closed(stored):
    with pytest.raises(ValidationError):
        stored.seed = 1
    with pytest.raises(ValidationError, match="unheard_of"):
        AdjudicationResult.model_validate(stored.model_dump() | {"unheard_of": 1})


def test_a_run_may_say_more_of_itself(stored, tmp_path):
    more = stored.with_manifest(command="gaddum adjudicate exampleamine", run_id="made up")
    assert more.manifest.command == "gaddum adjudicate exampleamine"
    assert read_result(written(more, tmp_path)).manifest.model_extra == {"run_id": "made up"}
    assert isinstance(more.manifest, Manifest) and stored.manifest.model_extra == {}


def test_every_number_of_the_schema_says_its_unit(schema):
    silent = []

    def look(where, part):
        if isinstance(part, dict):
            kinds = part.get("type")
            if "number" in (kinds if isinstance(kinds, list) else [kinds]) and "unit" not in part:
                silent.append(where)
            for key, one in part.items():
                look(f"{where}.{key}", one)
        elif isinstance(part, list):
            for one in part:
                look(where, one)

    look("", schema)
    assert silent == []


def test_schema_of_the_command_admits_what_is_written(stored, capsys):
    assert main(["schema", "result"]) == 0
    shown = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(shown)
    assert list(Draft202012Validator(shown).iter_errors(json.loads(stored.to_json()))) == []


def test_results_hold_no_arrays_and_print_nothing():
    text = Path(str(results.__file__)).read_text(encoding="utf-8")
    assert not re.search(r"\b(numpy|jax|xarray|print)\b", text)
