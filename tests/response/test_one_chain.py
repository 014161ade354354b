"""Calculator and case are one chain: they say the same of every arm of both bundled cases, whatever the constants.

The calculator follows each arm's doses by itself and knows nothing of a case but the tone that its priors declare; the
case computes its features from its own arrays. They are compared at all medians and at draws of all constants, which
have the same variates in both, by their names. A hundred structures are followed by the pieces of which `engage` is one
compiled evaluation; one arm goes through `engage` itself.
"""

import dataclasses
import zlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.engagement.binding import receptor_of
from gaddum.engagement.engagement_courses import engage
from gaddum.engagement.layout import Layout, lay_out
from gaddum.engagement.receptor import FEATURES
from gaddum.exposure.chains import responses_of
from gaddum.exposure.concentrations import concentrations
from gaddum.exposure.dose_series import levels
from gaddum.parameters import smooth_values
from gaddum.records.drug import Drug
from gaddum.records.fit import FittedConstant, KineticFit, SpreadOfLogs
from gaddum.records.ledger import Ledger, LoadedCase, load_case
from gaddum.records.protocol import Arm, Subject
from gaddum.records.target import Affinity
from gaddum.records.vocabulary import MODES
from gaddum.response.assemble import ArmReading, Assembly, assemble
from gaddum.response.feature_levels import case_receptor
from gaddum.response.response import account, respond
from reference.made_up import said

EXACT, CLOSE = 1e-6, 1e-5
"""Of features, and of unbound concentrations relative to their peak, at all medians and at any draw."""
DRAWS = 200


class Arms(NamedTuple):
    loaded: LoadedCase
    assembly: Assembly
    theta: jax.Array
    """Log parameters, [parameters, draws]."""
    features: list[np.ndarray]
    """Per feature [rows, nodes, draws], all medians first."""
    unbound: list[np.ndarray]
    """Unbound concentrations of each block's series, [series, nodes, draws]."""
    inner: list[jax.Array]
    """The same where slow binding is followed."""
    rows: list[tuple[int, ArmReading, Subject, Arm]]
    """Distinct rows with doses or manipulations, one reading each."""


def variates(names: list[str], draws: int) -> np.ndarray:
    """All medians, then draws that a constant's name seeds."""
    seeds = [zlib.crc32(name.encode()) for name in names]
    drawn = [np.random.default_rng(seed).standard_normal(draws) for seed in seeds]
    return np.column_stack([np.zeros(len(names)), np.array(drawn).reshape(len(names), draws)])


def followed(loaded: LoadedCase, draws: int, *, features: bool = True) -> Arms:
    assembly = assemble(loaded)
    given = account(loaded.case.hypotheses[0], assembly)
    z = variates([one.name for one in assembly.parameters], draws)
    found = jax.jit(lambda z: respond(assembly, z, given).features)(z) if features else []
    theta = smooth_values(assembly.parameters, z)
    responses = responses_of(assembly.rows.chains, theta)
    rows = {}
    for reading in assembly.readings:
        if reading.row >= 0:
            study = loaded.ledger.study(reading.study)
            protocol = next(e.protocol for e in study.experiments if e.id == reading.experiment)
            rows.setdefault(reading.row, (reading.row, reading, protocol.subject, protocol.arms[reading.arm]))
    return Arms(
        loaded,
        assembly,
        jnp.asarray(theta),
        [np.asarray(one) for one in found],
        [levels(block.doses, responses, theta) for block in assembly.rows.blocks],
        [jnp.asarray(levels(block.inner, responses, theta)) for block in assembly.rows.blocks],
        [rows[row] for row in sorted(rows)],
    )


@pytest.fixture(scope="module", params=["ketamine", "morphine", "ketamine, fitted"])
def arms(request: pytest.FixtureRequest) -> Arms:
    name, _, fitted = request.param.partition(", ")
    loaded = load_case(name)
    if fitted:
        fits = [made_up_fit("naltrexone", "human", ""), made_up_fit("S-ketamine", "mouse", "/kg")]
        loaded = dataclasses.replace(loaded, library=loaded.library.with_fits(fits))
    return followed(loaded, 20 if fitted else DRAWS)


def made_up_fit(drug: str, species: Any, per: str) -> KineticFit:
    """Kinetics in which volume and clearance go together."""
    spread = SpreadOfLogs(median=0.3, lower=0.1, upper=0.5, prior=0.3)
    volume = FittedConstant(
        name=f"central volume of {drug} in {species}",
        unit=f"L{per}",
        median=20 if not per else 2.5,
        typical=1.2,
        loadings=(0.4,),
    )
    clearance = FittedConstant(
        name=f"clearance of {drug} in {species}",
        unit=f"L/h{per}",
        median=150 if not per else 4.0,
        typical=1.2,
        loadings=(0.3, 0.2),
    )
    return KineticFit(
        drug=drug, species=species, curves=("one",), papers=("one",), digest="0", constants=(volume, clearance),
        between={}, common=spread, residual=spread, r_hat=1.0, ess=1000.0, seed=0, version="0",
    )  # fmt: skip


def calculator(
    arms: Arms, reading: ArmReading, subject: Subject, arm: Arm, targets: list[str]
) -> Layout | None:
    """The arm as the calculator lays it out, at the same draws; None where nothing that binds a target is given."""
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
    where = f"{reading.study}/{reading.experiment}/{reading.arm}"
    names = [one.name.replace("this arm", where) for one in layout.parameters]
    assert set(names) <= set(arms.assembly.index)
    return layout._replace(theta=smooth_values(layout.parameters, variates(names, arms.theta.shape[-1] - 1)))


class Worst:
    """Greatest difference at all medians and at draws, and where."""

    def __init__(self) -> None:
        self.medians, self.draws, self.compared = (0.0, ""), (0.0, ""), 0

    def add(self, gap: np.ndarray, where: str) -> None:
        assert np.isfinite(gap).all()
        self.medians = max(self.medians, (float(gap[:, 0].max()), where))
        self.draws = max(self.draws, (float(gap[:, 1:].max()), where))
        self.compared += gap.shape[0]

    def check(self) -> None:
        assert self.compared > 500
        assert self.medians[0] < EXACT, self.medians
        assert self.draws[0] < CLOSE, self.draws


@pytest.mark.slow
def test_calculator_and_case_agree_on_every_feature_of_every_arm(arms) -> None:
    named = [(place, *name.split(".")) for place, name in enumerate(arms.assembly.features)]
    targets = list(dict.fromkeys(target for _, target, _ in named if target in arms.loaded.library.targets))
    worst = Worst()
    for row, reading, subject, arm in arms.rows:
        layout = calculator(arms, reading, subject, arm, targets)
        if layout is None:
            continue
        times, every = np.unique(arms.assembly.times[row], return_inverse=True)
        said = concentrations(layout.plan, layout.theta, times)
        for place, target, feature in named:
            if feature != "reserve" and target in targets:
                rest = layout.rests[target]
                mine = receptor_of(layout.bonds[target], said, np.exp(layout.theta), rest=rest)
                level = np.asarray(FEATURES[feature](mine))[every]
                where = f"{reading.study}/{reading.experiment}/{reading.arm} {target}.{feature}"
                worst.add(np.abs(level - arms.features[place][row]), where)
    worst.check()


@pytest.mark.slow
def test_calculator_and_case_agree_on_every_unbound_concentration(arms) -> None:
    """By target and K, so that what a ligand's series add up to is compared."""
    named = [name.split(".")[0] for name in arms.assembly.features]
    targets = [target for target in dict.fromkeys(named) if target in arms.loaded.library.targets]
    worst, first = Worst(), {}
    for number, block in enumerate(arms.assembly.rows.blocks):
        start = len(first)
        first |= {start + row: (number, row) for row in range(len(block.before))}
    for row, reading, subject, arm in arms.rows:
        layout = calculator(arms, reading, subject, arm, targets)
        if layout is None:
            continue
        number, place = first[row]
        block, unbound = arms.assembly.rows.blocks[number], arms.unbound[number]
        times = arms.assembly.times[row, : unbound.shape[1]]
        said = np.asarray(concentrations(layout.plan, layout.theta, times))
        for target in targets:
            site = block.sites[target]
            mine = np.flatnonzero(site.course_of_pair == site.course[place])
            ours, theirs = {}, {}
            for pair in mine:
                name = arms.assembly.parameters[site.k[pair]].name
                ours[name] = ours.get(name, 0.0) + unbound[site.series[pair]]
            for bond in layout.bonds[target]:
                name = layout.parameters[bond.k_i].name
                theirs[name] = theirs.get(name, 0.0) + said[bond.ligand]
            assert ours.keys() == theirs.keys()
            for name, level in theirs.items():
                gap = np.abs(ours[name] - level) / level.max(axis=0)
                worst.add(gap, f"{reading.study}/{reading.experiment}/{reading.arm} {name}")
    worst.check()


def with_affinity(loaded: LoadedCase, name: str, target: str, **fields: Any) -> LoadedCase:
    """A case whose library says other things of how a drug binds one target."""
    old = loaded.library.drug(name)
    assert isinstance(old, Drug)
    found = tuple(
        Affinity.model_validate(one.model_dump() | fields) if one.target == target else one
        for one in old.affinities
    )
    drugs = loaded.library.drugs | {name: old.model_copy(update={"affinities": found})}
    return dataclasses.replace(loaded, library=dataclasses.replace(loaded.library, drugs=drugs))


SLOW = {"k_off": [said(0.15, "1/h", 1.5)]}
IRREVERSIBLE = {
    "mode": "irreversible antagonist",
    "k_i": None,
    "in_vivo_shift": None,
    "k_on": [said(0.03, "1/(nM h)", 1.5)],
}
OTHERWISE = {
    name: {"mode": name, "efficacy": [said(0.4, "1", 1.3)] if mode.activates else None}
    for name, mode in MODES.items()
    if mode.reversible
}
IN_PLASMA = {"ec50_plasma": {one: [said(2.0, "ng/mL", 1.5)] for one in ("human", "mouse")}}
OTHERWISE |= {
    "in plasma": IN_PLASMA,
    "slow in plasma": IN_PLASMA | SLOW,
    "in the brain": {"k_i": None, "k_in_vivo": {one: [said(9.0, "nM", 1.5)] for one in ("human", "mouse")}},
    "irreversible antagonist": IRREVERSIBLE,
    "slow antagonist": SLOW,
    "slow partial agonist": SLOW | OTHERWISE["partial agonist"],
    "slow channel blocker": SLOW | OTHERWISE["channel blocker"],
}


@pytest.mark.parametrize("fields", OTHERWISE.values(), ids=OTHERWISE)
def test_every_mode_is_the_same_in_calculator_and_case(fields) -> None:
    """With naltrexone's action at MOR replaced, beside endogenous tone and ketamine's own agonism there."""
    loaded = with_affinity(load_case("ketamine"), "naltrexone", "MOR", **fields)
    studies = tuple(loaded.ledger.study(one) for one in ("williams2018", "zhang_hashimoto2019"))
    arms = followed(dataclasses.replace(loaded, ledger=Ledger(studies)), 5, features=False)
    tolerance = 2e-3 if {"k_off", "k_on"} & {name for name, one in fields.items() if one} else CLOSE
    met = 0
    for row, reading, subject, arm in arms.rows:
        if not any(dose.drug == "naltrexone" for dose in arm.doses):
            continue
        layout = calculator(arms, reading, subject, arm, ["MOR"])
        assert layout is not None
        times, every = np.unique(arms.assembly.times[row], return_inverse=True)
        found = engage(layout, times).bound["MOR"]
        blocks = [len(block.stratum) for block in arms.assembly.rows.blocks]
        number = int(np.searchsorted(np.cumsum(blocks), row, side="right"))
        site = arms.assembly.rows.blocks[number].sites["MOR"]
        mine = case_receptor(site, arms.theta, jnp.asarray(arms.unbound[number]), arms.inner[number])
        place = site.course[row - sum(blocks[:number])]
        for feature, field in OF_BOUND.items():
            level = np.asarray(FEATURES[feature](mine))[place]
            said_ = getattr(found, field)[every][: level.shape[0]]
            np.testing.assert_allclose(level, said_, atol=tolerance, err_msg=f"{feature} {reading}")
        met += 1
    assert met > 2


OF_BOUND = {"block": "blocked", "agonism": "activated", "tone": "tone", "engagement": "occupied"}


def test_the_arm_that_two_registries_disagreed_on_is_the_same_by_the_command() -> None:
    arms = followed(load_case("ketamine"), 1)
    where = ("zhang_hashimoto2019", "behaviour", "KA")
    row, reading, subject, arm = next(
        one for one in arms.rows if (one[1].study, one[1].experiment, one[1].arm) == where
    )
    layout = calculator(arms, reading, subject, arm, ["MOR", "KOR"])
    assert layout is not None
    found = engage(layout, arms.assembly.times[row]).bound
    for target in ("MOR", "KOR"):
        said = arms.features[arms.assembly.features.index(f"{target}.tone")][row]
        np.testing.assert_allclose(found[target].tone, said, atol=CLOSE)


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
