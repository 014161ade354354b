"""The side-by-side benchmark: one system, several simulators."""
