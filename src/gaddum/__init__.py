"""gaddum weighs rival accounts of which receptors carry a drug's effect.

This is the public interface. A name is loaded from its module when it is first used, so that importing gaddum
stays quick.
"""

from importlib import import_module
from typing import Any

from gaddum._version import __version__

_HOMES = {
    "adjudicate": "gaddum.infer.adjudicate",
    "audit": "gaddum.infer.audit",
    "band": "gaddum.simulate.occupancy",
    "benchmarks": "gaddum.simulate.benchmarks",
    "check_case": "gaddum.records.check",
    "dose_for": "gaddum.simulate.reach",
    "export_studies": "gaddum.interop.export",
    "fit_operational": "gaddum.infer.bench",
    "fit_schild": "gaddum.infer.bench",
    "human_equivalent_dose": "gaddum.simulate.equivalence",
    "import_studies": "gaddum.interop.studies",
    "lay_out": "gaddum.simulate.layout",
    "load_case": "gaddum.records.ledger",
    "load_library": "gaddum.records.library",
    "make_responses": "gaddum.infer.responses",
    "monotone_gates": "gaddum.records.gate",
    "occupancy": "gaddum.simulate.occupancy",
    "parse_doses": "gaddum.records.shorthand",
    "parse_gate": "gaddum.records.gate",
    "predict_events": "gaddum.simulate.events",
    "query_ledger": "gaddum.interop.query",
    "read_events": "gaddum.interop.events",
    "read_responses": "gaddum.infer.responses",
    "schild_regression": "gaddum.infer.bench",
    "selectivity": "gaddum.simulate.selectivity",
    "t_test_power": "gaddum.infer.power",
    "time_above": "gaddum.simulate.duration",
    "window_for": "gaddum.simulate.reach",
    "write_bibtex": "gaddum.interop.bibtex",
    "write_doses": "gaddum.records.shorthand",
    "write_events": "gaddum.interop.events",
}
"""Every public name and the module that defines it."""

__all__ = ["__version__", *_HOMES]  # pyright: ignore[reportUnsupportedDunderAll]  # pinned by tests/test_api.py


def __getattr__(name: str) -> Any:
    """Load a public name (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *_HOMES})
