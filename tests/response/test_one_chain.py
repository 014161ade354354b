"""Calculator and case are one chain: at all medians they say the same of every arm of both bundled cases.

The calculator follows each arm's doses by itself and knows nothing of a case but the tone that its priors declare; the
case computes its features from its own arrays. A hundred structures are followed by the pieces of which `engage` is one
compiled evaluation; one arm goes through `engage` itself.
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.engagement.binding import bound
from gaddum.engagement.engagement_courses import engage
from gaddum.engagement.features import OF_BOUND
from gaddum.engagement.layout import Layout, lay_out
from gaddum.exposure.concentrations import concentrations
from gaddum.exposure.curves import LOG_FLOOR, ligands
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.records.ledger import Ledger, LoadedCase, load_case
from gaddum.records.protocol import Arm, Subject
from gaddum.response.assemble import ArmReading, Assembly, assemble
from gaddum.response.response import account, respond

EXACT = 1e-6
"""Of features and of unbound concentrations relative to K, at all medians, in double precision."""


class Arms(NamedTuple):
    loaded: LoadedCase
    assembly: Assembly
    features: list[np.ndarray]
    """Per feature [rows, nodes], at all medians."""
    rows: list[tuple[int, ArmReading, Subject, Arm]]
    """Distinct rows with doses or manipulations, one reading each."""


def medians_of(name: str) -> Arms:
    loaded = load_case(name)
    assembly = assemble(loaded)
    given = account(loaded.case.hypotheses[0], assembly)
    found = jax.jit(lambda z: respond(assembly, z, given).features)(jnp.zeros((assembly.dimension, 1)))
    rows = {}
    for reading in assembly.readings:
        if reading.row >= 0:
            study = loaded.ledger.study(reading.study)
            protocol = next(e.protocol for e in study.experiments if e.id == reading.experiment)
            rows.setdefault(reading.row, (reading.row, reading, protocol.subject, protocol.arms[reading.arm]))
    return Arms(
        loaded, assembly, [np.asarray(one)[..., 0] for one in found], [rows[row] for row in sorted(rows)]
    )


@pytest.fixture(scope="module", params=["ketamine", "morphine"])
def arms(request: pytest.FixtureRequest) -> Arms:
    return medians_of(request.param)


def calculator(arms: Arms, subject: Subject, arm: Arm, targets: list[str]) -> Layout | None:
    """The arm as the calculator lays it out, at all medians; None where nothing that binds a target is given."""
    library = arms.loaded.library
    doses = tuple(dose for dose in arm.doses if any(one.affinities for one, _ in library.species(dose.drug)))
    if not doses:
        return None
    weight = None if subject.weight is None else f"{subject.weight.value} {subject.weight.unit}"
    layout = lay_out(
        doses,
        species=subject.species,
        targets=targets,
        weight=weight,
        preparation=subject.preparation,
        tone=arms.loaded.case.endogenous_tone(),
        manipulations=arm.manipulations,
        draws=2,
        library=library,
    )
    centre = np.array([one.nodes[Z_GRID.size // 2] for one in layout.parameters]).reshape(-1, 1)
    return layout._replace(theta=np.repeat(centre, 2, axis=1))


@pytest.mark.slow
def test_calculator_and_case_agree_on_every_feature_of_every_arm(arms) -> None:
    named = [(place, *name.split(".")) for place, name in enumerate(arms.assembly.features)]
    targets = list(dict.fromkeys(target for _, target, _ in named if target in arms.loaded.library.targets))
    compared, worst = 0, (0.0, "")
    for row, reading, subject, arm in arms.rows:
        layout = calculator(arms, subject, arm, targets)
        if layout is None:
            continue
        times = arms.assembly.times[row]
        levels = concentrations(layout.plan, layout.theta, times)
        for place, target, feature in named:
            if feature in OF_BOUND and target in targets:
                held = bound(layout.bonds[target], levels, jnp.exp(layout.theta), {}, layout.rests[target])
                said = np.asarray(getattr(held, OF_BOUND[feature]))[:, 0]
                gap = np.abs(said - arms.features[place][row]).max()
                worst = max(
                    worst, (gap, f"{reading.study}/{reading.experiment}/{reading.arm} {target}.{feature}")
                )
                compared += times.size
    assert compared > 500
    assert worst[0] < EXACT, worst


@pytest.mark.slow
def test_calculator_and_case_agree_on_every_unbound_concentration(arms) -> None:
    named = [name.split(".")[0] for name in arms.assembly.features]
    library = arms.loaded.library
    targets = [target for target in dict.fromkeys(named) if target in library.targets]
    compared, worst = 0, (0.0, "")
    for row, reading, subject, arm in arms.rows:
        layout = calculator(arms, subject, arm, targets)
        if layout is None:
            continue
        times = arms.assembly.times[row]
        said = np.asarray(concentrations(layout.plan, layout.theta, times))[:, :, 0]
        wanted = {one.drug for one in layout.plan.ligands}
        held = ligands(layout.doses, subject, library, times, wanted=wanted, assumptions=set())
        by_way = {(one.drug, one.parent): np.exp(one.log_nodes[:, Z_GRID.size // 2]) for one in held}
        for one, level in zip(layout.plan.ligands, said, strict=True):
            there = level > np.exp(LOG_FLOOR + 1)
            gap = np.abs(by_way[one.drug, one.parent][there] / level[there] - 1).max(initial=0.0)
            worst = max(worst, (gap, f"{reading.study}/{reading.experiment}/{reading.arm} {one.drug}"))
            compared += int(there.sum())
    assert compared > 500
    assert worst[0] < EXACT, worst


@pytest.mark.parametrize("arms", ["ketamine"], indirect=True)
def test_the_arm_that_two_registries_disagreed_on_is_the_same_by_the_command(arms) -> None:
    where = ("zhang_hashimoto2019", "behaviour", "KA")
    row, _, subject, arm = next(
        one for one in arms.rows if (one[1].study, one[1].experiment, one[1].arm) == where
    )
    layout = calculator(arms, subject, arm, ["MOR", "KOR"])
    assert layout is not None
    found = engage(layout, arms.assembly.times[row]).bound
    for target in ("MOR", "KOR"):
        said = arms.features[arms.assembly.features.index(f"{target}.tone")][row]
        np.testing.assert_allclose(found[target].tone[:, 0], said, atol=EXACT)


def test_a_rat_is_not_weighed_with_the_number_of_people() -> None:
    """Naltrexone's in-vivo shift is 1 in people, and 1 or 14.6 in rodents, in whatever order the studies come."""
    loaded = load_case("ketamine")
    forth = ("williams2018", "zhang_hashimoto2019")
    for order in (forth, forth[::-1]):
        studies = tuple(loaded.ledger.study(name) for name in order)
        assembly = assemble(dataclasses.replace(loaded, ledger=Ledger(studies)))
        texts = {one.name: one.distribution for one in assembly.parameters}
        assert texts["in-vivo shift of naltrexone at MOR in human"] == "1 1 (GSD 1.5)"
        assert "14.6" in texts["in-vivo shift of naltrexone at MOR in rodents"]


def test_enantiomers_share_the_ratio_that_their_racemate_gave_and_nothing_else() -> None:
    names = [one.name for one in assemble(load_case("ketamine")).parameters]
    assert names.count("in-vivo shift of ketamine at NMDAR") == 1
    assert {f"efficacy of {one} at MOR" for one in ("R-ketamine", "R-norketamine", "S-norketamine")} <= set(
        names
    )
