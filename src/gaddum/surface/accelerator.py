"""Accelerator: how the command line sets JAX up. The library itself leaves JAX's settings alone."""

import os
from pathlib import Path


def configure_jax(*, workers: int = 2) -> None:
    """Set precision, device count and compilation cache; to be called before a command first uses JAX.

    Parameters
    ----------
    workers : int
        Number of host devices.
    """
    import jax

    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gaddum" / "jax"
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_num_cpu_devices", workers)
    jax.config.update("jax_compilation_cache_dir", str(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_raise_persistent_cache_errors", False)
