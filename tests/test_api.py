import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import gaddum

PUBLIC = [
    "MeasuredNumber",
    "__version__",
    "adjudicate",
    "antagonist_constant",
    "audit",
    "band",
    "benchmarks",
    "binding_constant",
    "check_case",
    "compare",
    "dose_for",
    "doses_from_events",
    "events_from_doses",
    "export_studies",
    "fit_kinetics",
    "fit_operational",
    "fit_schild",
    "gate_of",
    "human_equivalent_dose",
    "import_studies",
    "lay_out",
    "live",
    "load_case",
    "load_library",
    "make_responses",
    "monotone_gates",
    "occupancy",
    "parse_doses",
    "parse_gate",
    "plot",
    "power",
    "predict",
    "predict_events",
    "query_ledger",
    "read_events",
    "read_responses",
    "read_result",
    "schild_regression",
    "selectivity",
    "simulate",
    "t_test_power",
    "time_above",
    "update",
    "window_for",
    "write_bibtex",
    "write_doses",
    "write_events",
]


def test_public_names_are_these_and_sorted():
    assert gaddum.__all__ == PUBLIC == sorted(PUBLIC)


def test_type_checkers_find_every_public_name_where_it_is_defined():
    stub = Path(gaddum.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    found = {name: home for home, name in re.findall(r"^from (\S+) import (\w+) as \2$", stub, re.M)}
    assert sorted(found) == sorted(gaddum.__all__)
    assert [
        name
        for name, home in found.items()
        if getattr(import_module(home), name) is not getattr(gaddum, name)
    ] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_loads(name: str):
    assert getattr(gaddum, name) is getattr(gaddum, name)
    assert name in dir(gaddum)


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "__version__"])
def test_public_name_is_documented_and_listed_where_it_is_defined(name: str):
    public = getattr(gaddum, name)
    assert public.__doc__
    assert public.__name__ == name


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        gaddum.nothing  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]


def test_importing_gaddum_loads_no_heavy_library():
    heavy = ["altair", "jax", "numpy", "pint", "pydantic", "scipy", "xarray", "yaml"]
    code = f"import sys, gaddum; print([name for name in {heavy} if name in sys.modules])"
    assert _run(code) == "[]"


def test_the_calculator_needs_no_library_of_the_weighing():
    """Slow binding, tone and infusions included; what is blocked cannot be imported by any of its modules."""
    blocked = ["altair", "jax", "jaxlib", "pint", "scipy", "xarray"]
    protocol = (
        "naltrexone 50 mg po at -45 min + buprenorphine 2 mg sl at 1 h + ketamine 0.5 mg/kg iv over 40 min"
    )
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked})); import gaddum; "
        f"found = gaddum.occupancy({protocol!r}, times=['4 h'], tone={{'MOR': 0.3}}, draws=64); "
        "print(sorted(found.targets))"
    )
    assert _run(code) == "['DOR', 'KOR', 'MOR', 'NMDAR']"


def _run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
