"""Exposure: doses -> unbound concentrations over time, of a drug and of its metabolites.

The first link of the chain. It takes records and the parameters drawn from them; closed forms (`chains`,
`dose_series`, `linear`) serve linear kinetics, `saturable` the rest. It gives `engagement` the
concentrations at the receptor, and `response` those of all arms of a case at once (`chains`, `dose_series`).
"""
