"""Concentration-response: affinity and efficacy from curves of the organ bath, with their errors.

It takes tables of responses; `formulas` are those of the organ bath, `global_fit` gives pA2, Schild slopes and
operational parameters, `binding_constants` K_i from an IC50. It stands beside the chain; what it finds enters the
library by hand, with its source.
"""
