"""The house rules that no other tool checks."""

import importlib.metadata
import inspect
import re
import subprocess
import sys
import tomllib
import typing
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
import yaml
from pydantic.fields import FieldInfo

import gaddum
import gaddum.records
from gaddum.records.base import Record

ROOT = Path(__file__).parent.parent

ADDRESSES = re.compile(
    r"://[^\s\"'>)]*(pypi|pythonhosted|npmjs|debian)|file:/{2,}|--(extra-)?index-url|--find-links|^registry\s*=",
    re.M,
)
"""What would tie the project to one registry or one machine."""


@cache
def tracked() -> tuple[Path, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())


def record_classes() -> list[type[Record]]:
    modules = [
        import_module(found.name) for found in walk_packages(gaddum.records.__path__, "gaddum.records.")
    ]
    found = {
        one
        for module in modules
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, Record) and one is not Record
    }
    return sorted(found, key=lambda one: (one.__module__, one.__name__))


def holds_float(annotation: typing.Any) -> bool:
    return annotation is float or any(holds_float(part) for part in typing.get_args(annotation))


def unit_of(field: FieldInfo) -> object:
    extra = field.json_schema_extra
    return extra.get("unit") if isinstance(extra, dict) else None


def test_every_float_field_of_every_record_declares_its_unit():
    silent = [
        f"{record.__module__}.{record.__name__}.{name}"
        for record in record_classes()
        for name, field in record.model_fields.items()
        if holds_float(field.annotation) and not isinstance(unit_of(field), str)
    ]
    assert silent == []


def test_some_records_have_float_fields():
    floats = [field for record in record_classes() for field in record.model_fields.values()]
    assert sum(holds_float(field.annotation) for field in floats) > 20


def test_no_tracked_file_holds_the_address_of_a_registry():
    texts = {
        path: path.read_bytes().decode("utf-8", "ignore") for path in tracked() if path != Path(__file__)
    }
    assert [str(path.relative_to(ROOT)) for path, text in texts.items() if ADDRESSES.search(text)] == []


LOCKS = ("requirements.lock", "requirements-dev.lock")
ENTRY = re.compile(
    r"(?P<name>[a-z0-9-]+)(\[[a-z,]+\])?==(?P<version>[0-9][0-9a-z.]*)(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n"
)


def locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {entry["name"]: entry["version"] for entry in ENTRY.finditer(text)}


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_names_versions_and_hashes_only(name: str):
    assert locked(name)
    assert ENTRY.sub("", (ROOT / name).read_text(encoding="utf-8")) == ""


def test_tests_run_with_the_versions_of_a_run():
    run, dev = (locked(name) for name in LOCKS)
    assert {name: dev.get(name) for name in run} == run
    assert len(run) < len(dev)


def test_locks_pin_what_a_run_needs_and_what_builds_gaddum():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = declared["project"]["dependencies"] + declared["dependency-groups"]["build"]
    assert set(declared["build-system"]["requires"]) <= set(wanted)
    names = {re.split(r"[^a-z0-9-]", requirement)[0] for requirement in wanted}
    assert names - locked("requirements.lock").keys() == set()


def test_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert gaddum.__version__ == importlib.metadata.version("gaddum") == str(citation["version"])
    assert f"\n## {gaddum.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_readme_shows_the_two_commands_on_its_first_screen():
    first_screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:40])
    assert "make run" in first_screen and "make test" in first_screen


def test_links_between_documents_lead_somewhere():
    pages = [path for path in tracked() if path.suffix == ".md"]
    dead = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if ".gen." not in link and not (page.parent / link).exists()  # these the build of the pages makes
    ]
    assert dead == []


def test_help_loads_no_heavy_library():
    code = (
        "import sys\n"
        "from gaddum.surface.cli import main\n"
        "code = main(['--help'])\n"
        "heavy = ['altair', 'jax', 'numpy', 'pint', 'pydantic', 'rich', 'scipy', 'xarray', 'yaml']\n"
        "sys.stderr.write(repr((code, [name for name in heavy if name in sys.modules])))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "adjudicate" in ran.stdout or "check" in ran.stdout
    assert ran.stderr == "(0, [])"
