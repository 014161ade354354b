"""Memory: give back what compilation leaves behind, and bound what strangers' files may take."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def give_back() -> None:
    """Return freed memory to the system, where the C library can.

    Compiling a large function leaves a gigabyte of freed pages with glibc, which would count to the end of a run.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return  # another C library; nothing is lost but room


@contextmanager
def within_memory(most: int) -> Iterator[None]:
    """Let the process grow by no more than so many bytes of addresses; what asks for more gets a MemoryError."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):  # no such limit on this system
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + most
    resource.setrlimit(
        resource.RLIMIT_AS, (limit if soft == resource.RLIM_INFINITY else min(soft, limit), hard)
    )
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
