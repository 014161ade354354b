"""Shared test settings: double precision, and no silent rank promotion."""

import jax

jax.config.update("jax_enable_x64", True)
