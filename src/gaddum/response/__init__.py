"""Response: a hypothesis at work, from the receptors of a case to the effect that is read.

It takes a case, the dose series of `exposure` and the constants of `engagement`: `assemble` lays the record out as
arrays, `feature_levels` says what a gate sees, `gate_activity`, `circuit` and `behaviour` what follows, `response`
does it all for a batch of draws. It gives `weigh` the effect in every arm at every reading.
"""
