"""Verdict: what holds over all declared settings, and what it rests on; `adjudicate` runs the whole chain.

It takes the fits that `weigh` made: `propositions` and `claims` ask, `averaging` and `verdict` answer in words,
`loo_pit`, `timeline` and `contributions` say how far to trust that, `document` collects it for the surface.
"""

from gaddum.extras import required

required("jax", "Weighing a case")
