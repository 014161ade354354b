"""The surface layer."""
