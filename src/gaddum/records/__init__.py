"""Records: what was published or declared, as frozen pydantic models. No arrays, no JAX.

A number without a source does not load, and unknown is a value. YAML, spreadsheets (`interop`) and the command
line become records; `parameters` and `exposure` are the first to turn them into numbers with a spread.
"""
