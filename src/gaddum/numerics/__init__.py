"""Numerics: quadrature, splines, recurrences, gathers and a solver of small stiff systems. No pharmacology.

The lowest rung of the chain: it takes arrays and gives arrays, and imports nothing of gaddum. Loops that are
compiled live here, so that the formulas above can be written once, with operators.
"""
