"""Requests: command line, query string and keywords of Python are encodings of the same request."""

import inspect
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, fields
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

import gaddum
from gaddum.surface.cli import COMMANDS, app
from gaddum.surface.occupancy import command as occupancy_command
from gaddum.surface.occupancy.request import OccupancyRequest
from gaddum.surface.request import Request


def request_of(verb: str) -> type[Request]:
    """The request that the module of a command declares for it."""
    named = vars(import_module(COMMANDS[verb])).values()
    kinds = [one for one in named if isinstance(one, type) and issubclass(one, Request)]
    (found,) = [one for one in kinds if getattr(one, "verb", None) == verb]
    return found


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
) | st.sampled_from(["--", "-1 h", "--draws", "-v", "", "a=b&c;d", "50% of 2 + 2", "it's"])
"""What an operating system can pass on."""


def values(hint: Any) -> st.SearchStrategy:
    """What may stand in a field, within the limits that its option declares."""
    kind, said = get_args(hint)
    kinds = {
        str: TEXT,
        Path: TEXT.map(Path),
        bool: st.booleans(),
        int: st.integers(said.min, said.max),
        float: st.floats(said.min, said.max, allow_nan=False),
        tuple[str, ...]: st.lists(TEXT, min_size=1, max_size=3).map(tuple),
        type(None): st.none(),
    }
    parts = [kind] if kind in kinds else get_args(kind)
    return st.one_of(
        *(st.sampled_from(get_args(one)) if get_origin(one) is Literal else kinds[one] for one in parts)
    )


def requests(kind: type[Request]) -> st.SearchStrategy[Request]:
    hints = get_type_hints(kind, include_extras=True)
    every = {one.name: values(hints[one.name]) for one in fields(kind)}
    needed = {one.name: every.pop(one.name) for one in fields(kind) if one.default is MISSING}
    return st.fixed_dictionaries(needed, optional=every).map(lambda said: kind(**said))


def of_every_command(test: Callable[..., None]) -> Callable[..., None]:
    """Try a property on requests of every command."""
    tried = settings(deadline=None, max_examples=25)(given(st.data())(test))
    return pytest.mark.parametrize("verb", COMMANDS)(tried)


@of_every_command
def test_the_command_of_a_request_says_it_again(verb: str, data: st.DataObject):
    asked = data.draw(requests(request_of(verb)))
    assert type(asked).from_command(shlex.split(asked.command())) == asked


@of_every_command
def test_the_query_of_a_request_says_it_again(verb: str, data: st.DataObject):
    asked = data.draw(requests(request_of(verb)))
    assert type(asked).from_query(asked.query()) == asked


@of_every_command
def test_the_keywords_of_a_request_say_it_again(verb: str, data: st.DataObject):
    asked = data.draw(requests(request_of(verb)))
    assert type(asked)(**vars(asked)) == asked


@of_every_command
def test_a_request_is_frozen_and_equal_requests_are_one_key(verb: str, data: st.DataObject):
    asked = data.draw(requests(request_of(verb)))
    assert len({asked, type(asked).from_query(asked.query())}) == 1
    with pytest.raises(FrozenInstanceError):
        setattr(asked, fields(asked)[0].name, "other")


def test_the_command_line_has_no_command_without_a_request():
    def verbs(group: Any, before: tuple[str, ...] = ()) -> list[str]:
        return [
            verb
            for name, one in group.commands.items()
            for verb in (verbs(one, (name,)) if hasattr(one, "commands") else [" ".join((*before, name))])
        ]

    assert sorted(verbs(typer.main.get_command(app))) == sorted(COMMANDS)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("protocols=naltrexone+50+mg+po&drows=64", "Did you mean 'draws'"),
        ("protocols=naltrexone+50+mg+po&draws=1", "--draws"),
        ("protocols=naltrexone+50+mg+po&draws=many", "--draws"),
        ("draws=64", "PROTOCOL"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused_with_what_is_wrong(query: str, said: str):
    with pytest.raises(ValueError, match=said):
        OccupancyRequest.from_query(query)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gaddum", "simulate", "naltrexone 50 mg po"], "gaddum occupancy"),
        (["gaddum", "occupancy", "naltrexone 50 mg po", "--drows", "64"], "drows"),
        (["gaddum", "occupancy"], "PROTOCOL"),
    ],
)
def test_a_command_that_cannot_be_read_is_refused_with_what_is_wrong(words: list[str], said: str):
    with pytest.raises(ValueError, match=said):
        OccupancyRequest.from_command(words)


@pytest.mark.parametrize("said", [{"draws": 1}, {"draws": 100_001}, {"seed": -1}, {"above": 1.5}])
def test_limits_hold_in_python_too(said: dict[str, Any]):
    with pytest.raises(ValueError, match=next(iter(said))):
        OccupancyRequest(("naltrexone 50 mg po",), **said)


def test_words_that_an_option_takes_are_the_only_ones_in_python_too():
    with pytest.raises(ValueError, match="form must be one of csv, xlsx, bibtex; got 'doc'"):
        request_of("ledger export")("ketamine", form="doc")  # pyright: ignore[reportCallIssue]


def test_a_query_reads_as_a_person_would_write_it():
    text = "protocols=ketamine+0.5+mg/kg+iv+over+40+min&targets=NMDAR,MOR&at=40+min&at=4+h"
    asked = OccupancyRequest.from_query(text)
    assert asked == OccupancyRequest(
        ("ketamine 0.5 mg/kg iv over 40 min",), targets="NMDAR,MOR", at=("40 min", "4 h")
    )
    assert asked.query().startswith(text)


class InPython(NamedTuple):
    """How a public function is asked what a command is asked."""

    name: str
    renamed: dict[str, str] = {}
    """Fields of the request that the function calls otherwise."""
    unsaid: str = ""
    """Fields that it does not take: how a file is read, and what other functions answer."""
    more: str = ""
    """Keywords that no command line could give, or that change no answer."""


TABLES = "drug unit route subjects separator decimal"
PYTHON = {
    "adjudicate": InPython("adjudicate", {}, "", "workers executor settings progress checkpoints"),
    "audit": InPython("audit", {"what": "study"}, "", "progress"),
    "benchmarks": InPython("benchmarks", {"ids": "which"}, "", "library progress"),
    "check": InPython("check_case", {"case": "loaded"}),
    "compare": InPython("compare"),
    "events": InPython("predict_events", {}, "separator decimal"),
    "ledger export": InPython("export_studies", {"case": "ledger", "form": "path"}),
    "ledger import": InPython("import_studies", {"table": "path"}, "out drug keep_good separator decimal"),
    "ledger query": InPython("query_ledger", {"case": "ledger"}),
    "occupancy": InPython(
        "occupancy",
        {"protocols": "protocol", "at": "times"},
        f"{TABLES} until above reach vary human_equivalent fit case",
        "manipulations library",
    ),
    "power": InPython("power", {}, "what run"),
    "update": InPython("update", {}, "", "settings"),
    "simulate": InPython("simulate", {"at": "times"}, f"{TABLES} until fit", "manipulations library"),
}


@pytest.mark.parametrize("verb", PYTHON)
def test_a_verb_takes_in_python_what_its_request_declares(verb: str):
    said = PYTHON[verb]
    named = {one.name for one in fields(request_of(verb))}
    given = inspect.signature(getattr(gaddum, said.name)).parameters
    assert {*said.renamed, *said.unsaid.split()} <= named
    wanted = {said.renamed.get(one, one) for one in named - {*said.unsaid.split()}}
    assert set(given) == {*wanted, *said.more.split()}


@pytest.mark.parametrize("verb", PYTHON)
def test_a_verb_has_the_same_defaults_in_python(verb: str):
    """None stands for what else is said, such as the species of an arm; an argument must be given."""
    said = PYTHON[verb]
    given = inspect.signature(getattr(gaddum, said.name)).parameters
    defaults = {
        said.renamed.get(one.name, one.name): one.default
        for one in fields(request_of(verb))
        if one.name not in said.unsaid.split() and one.default not in (None, MISSING, ())
    }
    assert {name: given[name].default for name in defaults} == defaults


@pytest.mark.parametrize("name", ["occupancy", "simulate", "live"])
def test_a_verb_shows_the_keywords_that_lay_a_protocol_out(name: str):
    shown = inspect.signature(getattr(gaddum, name)).parameters
    laid = inspect.signature(gaddum.lay_out).parameters
    assert {"species", "weight", "tone", "draws", "seed", "library"} <= set(laid) - {"protocol"} <= set(shown)
    assert all(shown[one].default == laid[one].default for one in laid if one != "protocol")
    assert not any(one.kind is one.VAR_KEYWORD for one in shown.values())


def test_three_encodings_give_the_same_numbers(monkeypatch):
    monkeypatch.setattr("gaddum.surface.accelerator.configure_jax", lambda **given: None)
    said = {"species": "rat", "weight": "300 g", "draws": 64, "seed": 3}
    asked = OccupancyRequest(("naltrexone 1 mg/kg sc",), targets="MOR", at=("2 h",), **said)
    encoded = (
        OccupancyRequest.from_query(asked.query()),
        OccupancyRequest.from_command(shlex.split(asked.command())),
    )
    told = [occupancy_command.run(one)["targets"]["MOR"]["median"] for one in encoded]
    python = gaddum.occupancy("naltrexone 1 mg/kg sc", targets=["MOR"], times=["2 h"], **said)
    assert told[0] == told[1] == np.median(python.targets["MOR"].occupied, axis=-1).tolist()


TOY = '''
"""The command `gaddum potentise`: what is left after so many dilutions."""

from dataclasses import dataclass
from typing import Annotated

import typer

from gaddum.surface.request import Request, asking


@dataclass(frozen=True)
class PotentiseRequest(Request):
    verb = "potentise"
    amount: Annotated[float, typer.Argument(help="Amount (mg).")]
    times: Annotated[int, typer.Option(min=0, help="Dilutions by 100.")] = 30


@asking
def potentise(asked: PotentiseRequest) -> None:
    """Dilute again and again."""
    typer.echo(run(asked))


def run(asked: PotentiseRequest) -> float:
    return asked.amount / 100**asked.times
'''


def test_a_command_is_added_by_one_file_and_one_line(tmp_path: Path):
    package = tmp_path / "gaddum"
    shutil.copytree(
        Path(gaddum.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "library")
    )
    (package / "surface" / "potentise.py").write_text(TOY, encoding="utf-8")
    text = (package / "surface" / "cli.py").read_text(encoding="utf-8")
    before, commands, after = text.partition("COMMANDS = {\n")
    line = '    "potentise": "gaddum.surface.potentise",\n'
    (package / "surface" / "cli.py").write_text(before + commands + line + after, encoding="utf-8")
    code = (
        "import sys; from gaddum.surface.cli import main; main(['--help']); main(['potentise', '5', '--times', '1']); "
        "from gaddum.surface.potentise import PotentiseRequest as Asked, run; "
        "print(run(Asked.from_query('amount=5&times=1')), run(Asked(5.0, times=1)), Asked(5.0).command())"
    )
    run = {"cwd": tmp_path, "env": {"PYTHONPATH": str(tmp_path)}, "text": True, "check": True}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, **run).stdout
    assert "potentise   Dilute again and again." in said
    assert said.splitlines()[-2:] == ["0.05", "0.05 0.05 gaddum potentise 5.0 --times 30"]
