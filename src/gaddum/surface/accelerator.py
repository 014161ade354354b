"""Accelerator: how the command line sets JAX up. The library itself leaves JAX's settings alone."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def configure_jax(*, workers: int = 2) -> None:
    """Set precision, device count and compilation cache; to be called before a command first uses JAX.

    JAX is not loaded for it, which would take longer than a short command: where it is not loaded yet, it reads these
    settings from the environment when it is.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gaddum" / "jax"
    settings = {
        "jax_enable_x64": True,
        "jax_num_cpu_devices": workers,
        "jax_compilation_cache_dir": str(cache),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_raise_persistent_cache_errors": False,
    }
    for name, value in settings.items():
        if "jax" in sys.modules:
            with suppress(RuntimeError):  # the number of devices is fixed once JAX has run
                sys.modules["jax"].config.update(name, value)
        else:
            os.environ[name.upper()] = str(value)


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


ADDRESS_SPACE = 75e9
"""Virtual memory (bytes) that an adjudication asks for: what draws its charts reserves 64 GiB, XLA a few. Little of it
is ever used, and either ends the process where it cannot have it."""


def require_address_space() -> None:
    """Refuse to start under a limit of virtual memory at which the process would end without a word to act on."""
    if os.name != "posix":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < ADDRESS_SPACE:
        raise ValueError(
            f"An adjudication needs {ADDRESS_SPACE / 1e9:.0f} GB of address space, though 1 to 3 GB of memory; the "
            f"limit is {limit / 1e9:.1f} GB. Lift it (`ulimit -v unlimited`); a control group can bound memory instead."
        )
