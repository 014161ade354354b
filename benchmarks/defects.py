"""Seeded defects: whether the tests that must catch a wrong sign, a lost factor or a biased draw do.

    python -m benchmarks.defects [ID ...] [--jobs 2] [--cache FOLDER]

`tests/defects.yaml` lists the defects. Each is put into a copy of `src/` of its own, and the tests named there are run
against that copy; the checkout is not touched. Before that all named tests must pass on a copy as it is, since a test
that fails without a defect proves nothing by failing with one. It takes minutes, so it is run by hand: before and
after the suite or the tree is rearranged. `tests/test_defects.py` checks at every run that the list is sound.

=======  ==========================================================================================
caught   a named test fails
MISSED   all of them pass
stale    the text to find is not there once: write the defect anew for the code as it is
broken   the tests could not be run, or did not end
=======  ==========================================================================================
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parent.parent
LIST = ROOT / "tests" / "defects.yaml"
LONGEST = 600.0
"""Time (s) after which a run of one defect's tests is given up."""
PLAIN = "plain"
"""Name of the copy as it is."""
_FAILED, _PASSED = 1, 0
"""Exit codes of pytest: tests failed, all passed. Any other means that they could not be run."""


class Defect(NamedTuple):
    """One change of the source that must not pass unnoticed."""

    id: str
    file: str
    """Path from the root, with forward slashes."""
    find: str
    """Text that occurs once in the file."""
    put: str
    """What stands in its place."""
    wrong: str
    """What is then wrong, for a pharmacologist."""
    caught_by: tuple[str, ...]
    """Tests of which one at least must fail: ``tests/x/test_y.py::test_function``, or a file."""


class Found(NamedTuple):
    """What came of one defect."""

    word: str
    seconds: float
    said: str
    """End of what the tests printed."""


def read_defects() -> tuple[Defect, ...]:
    """The list, in its order."""
    rows = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return tuple(Defect(**row | {"caught_by": tuple(row["caught_by"])}) for row in rows)


def main() -> int:
    """Run the defects that are named, or all of them; 1 if one is not caught."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("ids", nargs="*", metavar="ID", help="defects to try; all by default")
    parser.add_argument("--jobs", type=int, default=1, help="defects tried at a time")
    parser.add_argument("--cache", type=Path, help="folder that keeps compiled functions for another run")
    given = parser.parse_args()
    defects = {one.id: one for one in read_defects()}
    unknown = [name for name in given.ids if name not in defects]
    if unknown or given.jobs < 1:
        parser.error(
            f"defects must be of {LIST.name} and jobs 1 or more; got {', '.join(unknown) or given.jobs}"
        )
    chosen = [defects[name] for name in given.ids] or list(defects.values())
    with tempfile.TemporaryDirectory(prefix="gaddum-defects-") as folder:
        work = Path(folder).resolve()
        return run(chosen, given.jobs, work, (given.cache or work / "cache").resolve())


def run(defects: list[Defect], jobs: int, work: Path, cache: Path) -> int:
    """Try defects and print what came of each as it is known; 1 if one is not caught."""
    began = time.perf_counter()
    plain = work / PLAIN
    shutil.copytree(ROOT / "src", plain / "src")
    where = subprocess.run(
        [sys.executable, "-c", "import gaddum; print(gaddum.__file__)"],
        env=os.environ | {"PYTHONPATH": str(plain / "src")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if not where.startswith(str(plain)):
        raise RuntimeError(f"Tests must import the copy {plain}; they would import {where.strip()}.")
    tests = tuple(dict.fromkeys(test for one in defects for test in one.caught_by))
    print(f"{len(tests)} tests on the source as it is ...", flush=True)
    before = try_tests(tests, plain, cache)
    if before.word != "MISSED":
        print(before.said)
        print("The named tests must pass without a defect; they do not. Mend them, or install the package.")
        return 1
    print(f"passed ({before.seconds:.0f} s)", flush=True)
    words: dict[str, str] = {}

    def report(one: Defect) -> None:
        found = try_defect(one, plain, work, cache)
        words[one.id] = found.word
        place = f"[{len(words)}/{len(defects)}]"
        print(f"{place:>8} {found.word:<7} {one.id:<40} {found.seconds:6.1f} s  {one.file}", flush=True)
        if found.word == "broken":
            print(found.said, flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(report, defects))
    counts = {word: list(words.values()).count(word) for word in ("caught", "MISSED", "stale", "broken")}
    processor = sum(os.times()[:4])
    print(
        ", ".join(f"{count} {word}" for word, count in counts.items() if count or word == "caught")
        + f"; {time.perf_counter() - began:.0f} s, of a processor {processor:.0f} s"
    )
    return int(counts["caught"] < len(defects))


def try_defect(defect: Defect, plain: Path, work: Path, cache: Path) -> Found:
    """Put a defect into a copy of its own and run its tests against that."""
    copy = Path(tempfile.mkdtemp(prefix="copy-", dir=work))
    try:
        shutil.copytree(plain / "src", copy / "src")
        file = copy / defect.file
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        if text.count(defect.find) != 1:
            return Found("stale", 0.0, "")
        # What was compiled of the file may have its size and, to the second, its time.
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
            compiled.unlink()
        file.write_text(text.replace(defect.find, defect.put), encoding="utf-8")
        return try_tests(defect.caught_by, copy, cache)
    finally:
        shutil.rmtree(copy)


def try_tests(tests: tuple[str, ...], copy: Path, cache: Path) -> Found:
    """Run tests of the checkout against a copy of the source until one fails; functions compiled before are kept."""
    began = time.perf_counter()
    environment = os.environ | {
        "PYTHONPATH": str(copy / "src"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(copy / "hypothesis"),
    }
    options = ["-x", "-q", "-o", f"cache_dir={cache}"]
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST if copy.name != PLAIN else None,
        )
    except subprocess.TimeoutExpired:
        return Found("broken", time.perf_counter() - began, f"no end within {LONGEST:g} s")
    word = {_FAILED: "caught", _PASSED: "MISSED"}.get(ran.returncode, "broken")
    return Found(word, time.perf_counter() - began, "\n".join((ran.stdout + ran.stderr).splitlines()[-30:]))


if __name__ == "__main__":
    sys.exit(main())
