"""Ruler: what the chain says of the bundled cases, recorded and compared."""
