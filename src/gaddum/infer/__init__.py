"""The infer layer."""
