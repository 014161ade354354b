"""Accelerator: how the command line sets JAX up. The library itself leaves JAX's settings alone."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Look for cyclic garbage seldom while a command imports, traces and compiles.

    All that makes objects that stay; searching them at Python's usual pace took a sixth of a short command and a
    quarter of the time of a trace. Arrays are freed by their reference counts as ever. What is left at the end is not
    searched again.
    """
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*usual)
