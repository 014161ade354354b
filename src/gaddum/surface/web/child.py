"""Child: a command of gaddum as a process of its own, with limits of memory and time.

The command is a list of words and passes no shell. On POSIX the process is nicer than the server and has bounds; where
the system knows none, as Windows, only the time that the server waits bounds it.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

_START = """
import sys
nice, memory, seconds = map(int, sys.argv[1:4])
try:
    import os, resource
    os.nice(nice)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except ImportError:
    pass
from gaddum.surface.cli import main
sys.exit(main(sys.argv[4:]))
"""


def start(
    words: Sequence[str],
    folder: Path,
    *,
    memory: float,
    seconds: float,
    nice: int = 10,
    out: int | IO[Any] = subprocess.PIPE,
    err: int | IO[Any] = subprocess.PIPE,
) -> "subprocess.Popen[str]":
    """Start a command in a process group of its own.

    Parameters
    ----------
    words : sequence of str
        The command, `gaddum` first.
    folder : Path
        Where it runs.
    memory : float
        Most that it may hold (bytes).
    seconds : float
        Most time of the processor (s).
    nice : int
        How far it stands back.
    out, err : int or file
        Where it prints.
    """
    bounds = [str(max(int(one), least)) for one, least in ((nice, 0), (memory, 0), (seconds, 1))]
    return subprocess.Popen(
        [sys.executable, "-c", _START, *bounds, *words[1:]],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )


def answer(words: Sequence[str], folder: Path) -> str:
    """What a command prints that reads a file of the user's; its last complaint is raised.

    Raises
    ------
    ValueError
        As the command says, or that it took too much.
    """
    process = start(words, folder, memory=READING_MEMORY, seconds=READING_TIME, nice=0)
    try:
        said, told = process.communicate(timeout=READING_TIME)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise ValueError(
            f"A file must be read within {READING_TIME:g} s; this took longer. Make it smaller."
        ) from None
    if process.returncode in (0, 1) and said:
        return said
    raise ValueError(
        told.strip().removeprefix("Error: ")[-MOST_TOLD:]
        or f"A file must be read with {READING_MEMORY / 1e9:g} GB; this needed more. Make it smaller."
    )


READING_MEMORY = 2e9
"""Most that reading a file of the user's may hold (bytes)."""
READING_TIME = 60.0
"""Longest that it may take (s)."""
MOST_TOLD = 2000
"""Characters of a complaint that are shown."""
