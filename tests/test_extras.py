"""Extras: what the base install leaves out says which command brings it, and nothing else is asked for."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gaddum.extras import EXTRAS, required

ROOT = Path(__file__).parent.parent


def declared() -> dict[str, set[str]]:
    """Extras of pyproject.toml and the packages that each brings."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    return {extra: {re.split("[>[]", one)[0] for one in packages} for extra, packages in extras.items()}


@pytest.mark.parametrize("module", EXTRAS)
def test_the_extra_that_is_named_brings_the_module(module: str):
    assert module in declared()[EXTRAS[module]]


def test_a_missing_module_is_one_sentence_with_the_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ImportError) as caught:
        required("duckdb", "A query")
    assert (
        str(caught.value)
        == "A query needs duckdb, which is not installed. Run `pip install 'gaddum[ledger]'`."
    )


def test_a_module_that_is_installed_and_broken_raises_its_own_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "duckdb.py").write_text("import nothing_of_that_name\n", encoding="utf-8")
    monkeypatch.delitem(sys.modules, "duckdb", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"):
        required("duckdb", "A query")


def test_weighing_without_jax_names_the_extra_and_exits_with_2(tmp_path: Path):
    (tmp_path / "jax.py").write_text("raise ModuleNotFoundError(name=__name__)\n", encoding="utf-8")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from gaddum.surface.cli import main\n"
        "sys.exit(main(['adjudicate', 'morphine']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 2 and "pip install 'gaddum[weigh]'" in ran.stderr
