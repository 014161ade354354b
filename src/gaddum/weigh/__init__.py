"""Weigh: the likelihood of a case, its fits, and the comparison of hypotheses in one setting.

It takes effects from `response`, tables from `outcomes` and draws from `sampling`. `likelihood` is the one compiled
density, `fitted` holds all fits of a case, `compare` turns them into probabilities, `predictive` says what they
foretell. `verdict` asks the same over many settings.
"""
