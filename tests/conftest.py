"""Shared test settings: double precision, compiled functions kept, shapes and types checked at run time."""

import jax
import pytest
from jaxtyping import install_import_hook

jax.config.update("jax_enable_x64", True)

# The pytest option `--jaxtyping-packages` cannot say that an int will do for a float (PEP 484), hence the hook.
install_import_hook(
    ["gaddum.mechanism", "gaddum.simulate"],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)


def pytest_configure(config: pytest.Config) -> None:
    """Keep compiled functions among pytest's files: much of a run is compiling, and most of it is as it was."""
    if config.cache is not None:
        jax.config.update("jax_compilation_cache_dir", str(config.cache.mkdir("jax")))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
