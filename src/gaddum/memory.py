"""Memory: give back what compilation leaves behind."""

import ctypes


def give_back() -> None:
    """Return freed memory to the system, where the C library can.

    Compiling a large function leaves a gigabyte of freed pages with glibc, which would count to the end of a run.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return  # another C library; nothing is lost but room
