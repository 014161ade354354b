"""gaddum weighs rival accounts of which receptors carry a drug's effect.

This is the public interface. A name is loaded from its module when it is first used, so that importing gaddum
stays quick.
"""

from importlib import import_module
from typing import Any

from gaddum._version import __version__ as __version__

_HOMES = {
    "MeasuredNumber": "gaddum.concentration_response.binding_constants",
    "adjudicate": "gaddum.verdict.adjudicate",
    "antagonist_constant": "gaddum.concentration_response.binding_constants",
    "audit": "gaddum.referee.audit",
    "band": "gaddum.engagement.occupancy",
    "benchmarks": "gaddum.engagement.scorecard",
    "binding_constant": "gaddum.concentration_response.binding_constants",
    "check_case": "gaddum.weigh.readiness",
    "compare": "gaddum.run_comparison",
    "dose_for": "gaddum.engagement.effective_dose",
    "doses_from_events": "gaddum.interop.doses",
    "events_from_doses": "gaddum.interop.doses",
    "export_studies": "gaddum.interop.export",
    "fit_kinetics": "gaddum.population.drug_fit",
    "fit_operational": "gaddum.concentration_response.global_fit",
    "fit_schild": "gaddum.concentration_response.global_fit",
    "gate_of": "gaddum.records.gate",
    "human_equivalent_dose": "gaddum.engagement.equivalence",
    "import_studies": "gaddum.interop.studies",
    "lay_out": "gaddum.engagement.layout",
    "live": "gaddum.engagement.live",
    "load_case": "gaddum.records.ledger",
    "load_library": "gaddum.records.library",
    "make_responses": "gaddum.concentration_response.responses",
    "monotone_gates": "gaddum.records.gate",
    "occupancy": "gaddum.engagement.occupancy",
    "parse_doses": "gaddum.records.shorthand",
    "parse_gate": "gaddum.records.gate",
    "plot": "gaddum.surface.plot",
    "power": "gaddum.outcomes.planned_test",
    "predict": "gaddum.prediction.predict",
    "predict_events": "gaddum.exposure.event_prediction",
    "query_ledger": "gaddum.interop.query",
    "read_events": "gaddum.interop.event_tables",
    "read_responses": "gaddum.concentration_response.responses",
    "read_result": "gaddum.result_reader",
    "schild_regression": "gaddum.concentration_response.global_fit",
    "selectivity": "gaddum.engagement.selectivity",
    "simulate": "gaddum.response.simulate",
    "t_test_power": "gaddum.outcomes.power",
    "time_above": "gaddum.engagement.duration",
    "update": "gaddum.prediction.update",
    "window_for": "gaddum.engagement.effective_dose",
    "write_bibtex": "gaddum.interop.bibtex",
    "write_doses": "gaddum.records.shorthand",
    "write_events": "gaddum.interop.event_tables",
}
"""Every public name and the module that defines it."""

__all__ = sorted(["__version__", *_HOMES])  # pyright: ignore[reportUnsupportedDunderAll]  # pinned by tests/test_api.py


def __getattr__(name: str) -> Any:
    """Load a public name (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *_HOMES})
