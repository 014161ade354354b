"""What bash offers when the tab key is pressed after a beginning."""

import os
import shutil
import subprocess
import sys

import pytest

from gaddum.records.library import load_library
from gaddum.surface import completion

BASH = shutil.which("bash")
SCRIPT = """
source <(_GADDUM_COMPLETE=source_bash gaddum)
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
"$(complete -p gaddum | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" gaddum
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def offered(tmp_path_factory):
    """Asks bash's own completion of the installed script for a line that ends in a beginning."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "gaddum"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gaddum.surface.cli "$@"\n')
    program.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def ask(*line: str) -> list[str]:
        command = [str(BASH), "-c", SCRIPT, "bash", "gaddum", *line]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
        assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
        return done.stdout.split("\n")[:-1]

    return ask


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "names"),
    [
        (["che"], {"check"}),
        (["check", "ketam"], {"ketamine"}),
        (["audit", "klein"], {"klein2020"}),
        (["ledger", "show", "morphine", "matthes"], {"matthes_1996"}),
        (["occupancy", "naltr"], {"naltrexone", "naltrindole"}),
        (["occupancy", "x", "--species", "ra"], {"rat", "rabbit"}),
        (["occupancy", "x", "--targets", "MOR,K"], {"MOR,KOR"}),
        (["new", "x", "--drug", "morphine-"], {"morphine-6-glucuronide"}),
        (["new", "x", "--drug", "esk"], {"esketamine"}),
        (["occupancy", "x", "--targets", "SERT,AD"], {"SERT,ADORA1", "SERT,ADORA2A"}),
    ],
)
def test_bash_completes_names_by_what_they_are_of(offered, line, names):
    found = set(offered(*line))
    assert names <= found and all(name.startswith(line[-1]) for name in found)


def test_studies_of_a_folder_are_offered_and_of_nothing_none(tmp_path):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine_2021.yaml").write_text("")

    class Context:
        def __init__(self, case):
            self.params = {"case": case}

    assert completion.studies(Context(str(tmp_path)), "mi") == ["mine_2021"]  # pyright: ignore[reportArgumentType]
    assert completion.studies(Context(str(tmp_path / "no")), "") == []  # pyright: ignore[reportArgumentType]


def test_names_offered_are_keys_of_the_library_and_synonyms_of_one_word():
    library = load_library()
    for offered, records in (
        (completion.drugs(""), library.drugs),
        (completion.targets(""), library.targets),
    ):
        synonyms = {name for one in records.values() for name in one.synonyms if " " not in name}
        assert set(offered) == {*records, *synonyms} and synonyms
