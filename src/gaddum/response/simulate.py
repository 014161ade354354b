"""Simulate: dosing protocols -> concentrations, engagement and, by a case's accounts, acute and sustained states.

The calculator's own chain (`engagement_courses`) is read at the nodes of Gauss-Legendre intervals that follow doses and
readings; an account's gate turns features into drive, and the two states follow it by their integrating factor, over
the whole course at once. Draws are those of the case's prior, or of a fit of the case.
"""

from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.engagement.binding import UNTOUCHED, Bond
from gaddum.engagement.layout import Layout, lay_out, laying_out
from gaddum.engagement.occupancy import curve_times, read_times
from gaddum.notebook import SHOWN, html_of
from gaddum.parameter_registry import Assumption
from gaddum.parameters import Parameter, declared_parameter
from gaddum.records.dose import Dose
from gaddum.records.ledger import LoadedCase
from gaddum.records.library import Library, load_library
from gaddum.records.shorthand import write_doses
from gaddum.records.vocabulary import UNNAMED_MODE, at_rest
from gaddum.response.accounts import AccountSelection, read_accounts
from gaddum.response.protocol_course import ProtocolCourse, in_blocks

POINTS = 61
"""Most times of a curve: what acts at the test is followed anew for each of them."""


class States(NamedTuple):
    """What an account's drive does to behaviour, above its level without drugs; [protocols, times, draws] each."""

    acute: Float[np.ndarray, "protocols times draws"]
    """Drive behind a first-order effect site, as a fraction of full drive."""
    sustained: Float[np.ndarray, "protocols times draws"]
    """What drive builds up and time takes away, as a fraction of the most there can be."""


class Simulation(NamedTuple):
    """Protocols followed on common draws; [protocols, times, draws] each."""

    protocols: tuple[str, ...]
    times: Float[np.ndarray, " times"]
    """Hours from the test drug."""
    concentrations: dict[str, Float[np.ndarray, "protocols times draws"]]
    """Unbound brain concentration of every ligand (nM)."""
    features: dict[str, Float[np.ndarray, "protocols times draws"]]
    """Levels of features such as ``NMDAR.block``, fractions."""
    states: dict[str, States]
    """By account, where a case or a run is given."""
    drawn_from: str
    """Whence the draws: a prior or a posterior."""
    assumptions: tuple[Assumption, ...]
    parameters: tuple[Parameter, ...]

    def __repr__(self) -> str:
        draws = next(iter(self.concentrations.values())).shape[-1]
        what = shorten(", ".join([*self.features, *(f"states of {name}" for name in self.states)]), SHOWN)
        return (
            f"<Simulation of {shorten('; '.join(self.protocols), SHOWN)}: {what} at {self.times.size} times, {draws} "
            f"draws from the {self.drawn_from}>"
        )

    _repr_html_ = html_of


@laying_out
def simulate(
    protocols: str | Sequence[str | Dose | Sequence[Dose]],
    *,
    case: str | Path | LoadedCase | None = None,
    run: str | Path | None = None,
    hypotheses: str | Sequence[str] | None = None,
    population: str | None = None,
    times: Sequence[float | str] | Float[np.ndarray, " times"] | None = None,
    seed: int = 0,
    **setting: Any,
) -> Simulation:
    """Simulate dosing protocols: pharmacokinetics, receptor engagement and, by a case's accounts, behaviour.

    Parameters
    ----------
    protocols : str or sequence of str or of sequences of Dose
        Doses in shorthand or as records, one entry a protocol; all are followed on the same draws and clock.
    case : str, Path or LoadedCase
        Whose accounts are simulated, by their prior. Without it concentrations and engagement are.
    run : str or Path
        Folder that ``gaddum adjudicate --out`` wrote: accounts are simulated by their posterior in it.
    hypotheses : str or sequence of str
        Accounts, as the case names them; all by default, of a run the most probable. ``NAME@induction`` or
        ``@expression`` says when phased inputs act: with the drug, or at the test; where it is not said, at both.
    population : str
        Whose dependence holds, as the case names its populations; by default that of a new one.
    species, weight, preparation, tone, manipulations
        Who gets the doses, as in `occupancy`. The tone is the case's where none is given.
    targets : str or sequence of str
        Keys of the library, beside those of the accounts; by default these, or else every target that a dosed drug or
        its metabolites bind.
    times : sequence of float or str
        Hours from the test drug, or text such as ``"30 min"``; by default a grid from the first dose on.
    draws : int
        Draws of all parameters; of a run at most as many as it holds.
    seed : int
        Seed of the draws.
    library : Library
        Drugs and targets; the case's, or else the bundled ones, by default.

    Returns
    -------
    Simulation
        Draws of everything at `times`.

    Raises
    ------
    ValueError
        Where a protocol, account, drug, target or number is not to be had; says what must hold.

    Examples
    --------
    >>> found = simulate("ketamine 0.5 mg/kg iv over 40 min", times=["40 min"], targets=["NMDAR"], draws=64)
    >>> found.features["NMDAR.block"].shape
    (1, 1, 64)
    """
    asked = read_accounts(case, run, hypotheses, population)
    layouts = [lay_out(one, seed=seed, **asked.setting(**setting)) for one in _each(protocols)]
    return follow(layouts, common_times(layouts) if times is None else read_times(times), asked, seed=seed)


def _each(protocols: str | Sequence[str | Dose | Sequence[Dose]]) -> list[str | Sequence[Dose]]:
    """Protocols one by one; doses that stand alone are one protocol."""
    if isinstance(protocols, str):
        return [protocols]
    doses = [one for one in protocols if isinstance(one, Dose)]
    each = [one for one in protocols if not isinstance(one, Dose)]
    if (doses and each) or not (doses or each):
        raise ValueError(
            f"Protocols must be at least one, each in shorthand or as doses; got {len(each)} protocols and "
            f"{len(doses)} doses. Put the doses of a protocol into one sequence."
        )
    return [doses] if doses else each


def common_times(layouts: Sequence[Layout], *, until: float | None = None) -> Float[np.ndarray, " times"]:
    """Times of the curves of protocols side by side (h), denser after each dose of any."""
    every = tuple(dose for layout in layouts for dose in layout.doses)
    return curve_times(layouts[0]._replace(doses=every), until=until, points=POINTS)


def follow(
    layouts: Sequence[Layout],
    times: Sequence[float] | Float[np.ndarray, " times"],
    asked: AccountSelection,
    *,
    seed: int = 0,
) -> Simulation:
    """Follow protocols that are laid out with as many draws each, at given times (h)."""
    times = np.asarray(times, float)
    endless = [dose for layout in layouts for dose in layout.doses if dose.steady_state]
    if endless and asked.simulated:
        raise ValueError(
            f"States of an account need a first dose; got {write_doses(endless[:1])!r}. Write the doses that lead to "
            "the steady state, such as `at -30 d every 24 h x 31`."
        )
    layouts = [_with_unnamed(layout, asked, seed) for layout in layouts]
    draws = layouts[0].theta.shape[1]
    own = asked.parameters
    values = asked.values(list(own.values()), draws, seed)
    library = asked.library or load_library()
    courses, found = [], []
    for layout in layouts:
        theta = layout.theta if asked.run is None else asked.values(layout.parameters, draws, seed)
        features = dict.fromkeys([*asked.features, *_features(layout, library)])
        course = ProtocolCourse(
            layout.plan,
            tuple(layout.bonds.items()),
            tuple(layout.rests.items()),
            tuple(times.tolist()),
            tuple(name for name in features),
            asked.simulated,
            tuple(own),
        )
        courses.append(course)
        found.append(in_blocks(course, theta, values))
    ligands = dict.fromkeys(one.drug for course in courses for one in course.plan.ligands)
    features = tuple(dict.fromkeys(name for course in courses for name in course.features))
    shape = (len(layouts), times.size, draws)
    levels = {name: np.zeros(shape) for name in ligands}
    read = {name: np.full(shape, at_rest(name)) for name in features}
    states = {one.name: States(np.zeros(shape), np.zeros(shape)) for one in asked.simulated}
    for place, (course, one) in enumerate(zip(courses, found, strict=True)):
        for ligand, level in zip(course.plan.ligands, one.levels, strict=True):
            levels[ligand.drug][place] += level
        for name, level in zip(course.features, one.features, strict=True):
            read[name][place] = level
        for number, account in enumerate(asked.simulated):
            states[account.name].acute[place], states[account.name].sustained[place] = one.states[:, number]
    every = {one.name: one for one in (*own.values(), *(x for layout in layouts for x in layout.parameters))}
    return Simulation(
        tuple(write_doses(layout.doses) for layout in layouts),
        times,
        levels,
        read,
        states,
        asked.drawn_from,
        tuple(sorted({one for layout in layouts for one in layout.assumptions})),
        tuple(every.values()),
    )


def _features(layout: Layout, library: Library) -> list[str]:
    """Features of the targets that are followed, as the library declares them."""
    return [
        f"{name}.{feature}"
        for name in layout.bonds
        if name in library.targets
        for feature in dict.fromkeys(["engagement", *library.targets[name].features])
        if feature != "reserve"
    ]


def _with_unnamed(layout: Layout, asked: AccountSelection, seed: int) -> Layout:
    """Add what binds the targets that a case supposes and nobody has named."""
    if asked.loaded is None:
        return layout
    case, parameters = asked.loaded.case, list(layout.parameters)
    priors = {one.name: one for one in case.priors}
    bonds, rests = dict(layout.bonds), dict(layout.rests)
    for target in case.unnamed_targets:
        if not any(name.partition(".")[0] == target.name for name in asked.features):
            continue
        found = []
        for place, ligand in enumerate(layout.plan.ligands):
            if ligand.drug in target.ligands:
                constant = declared_parameter(priors[target.ligands[ligand.drug]])
                known = [one.name for one in parameters]
                if constant.name not in known:
                    parameters.append(constant)
                k_i = [one.name for one in parameters].index(constant.name)
                found.append(Bond(place, UNNAMED_MODE, k_i, -1, -1, -1, -1))
        bonds[target.name], rests[target.name] = tuple(found), UNTOUCHED
    more = asked.values(parameters[len(layout.parameters) :], layout.theta.shape[1], seed)
    return layout._replace(
        bonds=bonds, rests=rests, parameters=tuple(parameters), theta=np.concatenate([layout.theta, more])
    )
