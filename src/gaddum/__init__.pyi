"""Types of the public names, for type checkers; `_HOMES` in `__init__.py` loads them when they are first used."""

from gaddum._version import __version__ as __version__
from gaddum.concentration_response.binding_constants import MeasuredNumber as MeasuredNumber
from gaddum.concentration_response.binding_constants import antagonist_constant as antagonist_constant
from gaddum.concentration_response.binding_constants import binding_constant as binding_constant
from gaddum.concentration_response.global_fit import fit_operational as fit_operational
from gaddum.concentration_response.global_fit import fit_schild as fit_schild
from gaddum.concentration_response.global_fit import schild_regression as schild_regression
from gaddum.concentration_response.responses import make_responses as make_responses
from gaddum.concentration_response.responses import read_responses as read_responses
from gaddum.engagement.duration import time_above as time_above
from gaddum.engagement.effective_dose import dose_for as dose_for
from gaddum.engagement.effective_dose import window_for as window_for
from gaddum.engagement.equivalence import human_equivalent_dose as human_equivalent_dose
from gaddum.engagement.layout import lay_out as lay_out
from gaddum.engagement.live import live as live
from gaddum.engagement.occupancy import band as band
from gaddum.engagement.occupancy import occupancy as occupancy
from gaddum.engagement.scorecard import benchmarks as benchmarks
from gaddum.engagement.selectivity import selectivity as selectivity
from gaddum.exposure.event_prediction import predict_events as predict_events
from gaddum.interop.bibtex import write_bibtex as write_bibtex
from gaddum.interop.doses import doses_from_events as doses_from_events
from gaddum.interop.doses import events_from_doses as events_from_doses
from gaddum.interop.event_tables import read_events as read_events
from gaddum.interop.event_tables import write_events as write_events
from gaddum.interop.export import export_studies as export_studies
from gaddum.interop.query import query_ledger as query_ledger
from gaddum.interop.studies import import_studies as import_studies
from gaddum.outcomes.power import t_test_power as t_test_power
from gaddum.population.drug_fit import fit_kinetics as fit_kinetics
from gaddum.records.gate import gate_of as gate_of
from gaddum.records.gate import monotone_gates as monotone_gates
from gaddum.records.gate import parse_gate as parse_gate
from gaddum.records.ledger import load_case as load_case
from gaddum.records.library import load_library as load_library
from gaddum.records.shorthand import parse_doses as parse_doses
from gaddum.records.shorthand import write_doses as write_doses
from gaddum.referee.audit import audit as audit
from gaddum.response.simulate import simulate as simulate
from gaddum.result_reader import read_result as read_result
from gaddum.surface.plot import plot as plot
from gaddum.verdict.adjudicate import adjudicate as adjudicate
from gaddum.weigh.readiness import check_case as check_case

__all__: list[str]
