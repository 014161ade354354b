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


def collect_seldom() -> None:
    """Look for cyclic garbage seldom, for a command that compiles much.

    A traced program is very many objects that stay; searching them at Python's usual pace took a quarter of the time of
    a trace. Holds to the end of the process.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@contextmanager
def uncollected() -> Iterator[None]:
    """Put the search for cyclic garbage off for a short command.

    Imports and tracing make many objects that stay; searching them again and again took a sixth of the time of a short
    command. Arrays are freed by their reference counts as ever. What is left is frozen, or the search would only come
    later, and again at exit.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
