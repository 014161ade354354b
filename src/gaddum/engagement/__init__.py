"""Engagement: unbound concentrations -> receptors occupied, blocked and activated.

It takes concentrations from `exposure` and affinities from the records. `receptor` has the formulas, `occupancy`
a protocol's courses, `effective_dose` and `equivalence` the inverse questions, `scorecard` how well published
occupancies are predicted. It knows no case; `response` and `referee` stand on it.
"""
