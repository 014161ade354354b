"""Prediction: what a study will show by a stored run, before anyone runs it.

`stored_run` reads what an adjudication left; `study_draws` follows a study through every account by those draws, with
nothing refitted; what stands on these two (`blockade_chances`, `predict`, and whatever weighs a new study) is
plain arithmetic on draws. A study may be new to the case, and may dose other drugs of the library.
"""
