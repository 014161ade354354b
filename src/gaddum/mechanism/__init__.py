"""The mechanism layer."""
