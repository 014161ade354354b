"""Calculator and case against one independent system of differential equations, dose to receptor, at all medians.

Arms were chosen for what they have that others lack: an infusion with two metabolites in turn, a first pass, a depot of
weeks, a racemate given by another way than its antagonist, series of doses, a bath, an antibody, a knock-out, and two
sites of one receptor; and, which a case does not follow and the calculator does, slow binding, with kinetics lent by
another species in one arm.
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.engagement.engagement_courses import engage
from gaddum.engagement.layout import Layout, lay_out
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.records.ledger import Ledger, LoadedCase, load_case
from gaddum.records.library import load_library
from gaddum.records.prior import LogNormal
from gaddum.records.protocol import Arm, Subject
from gaddum.records.shorthand import parse_doses
from gaddum.records.species import Species
from gaddum.response.assemble import Assembly, assemble
from gaddum.response.response import account, respond
from reference.receptors import Answer, answer

FEATURE = 1e-9
"""Of any fraction of receptors at equilibrium; what is left is the solver's, some 1e-11."""
LEVEL = 1e-7
"""Of a concentration, relative; what is left is the solver's, some 1e-10, but 2e-8 far below the peak of a bolus."""
FAINT = 1e-9
"""Fraction of a ligand's peak below which its concentration is not compared."""
SLOW = 1e-4
"""Of any fraction of receptors with slow binding, integrated by quadrature from edge to edge; 2e-5 is seen."""
NAMED = {"block": "blocked", "agonism": "activated", "tone": "tone"}
"""Features of a case by the calculator's names."""
ARMS = {
    "ketamine": (
        ("yoon2019", "series", "KA"),
        ("williams2018", "crossover", "KA"),
        ("klein2020", "behaviour", "KA"),
        ("klein2020", "slices", "KX_apv"),
        ("zhang_hashimoto2019", "behaviour", "KA"),
        ("zanos2016", "metabolite", "X"),
        ("jiang2024", "antibody", "KA"),
        ("zarate2006_memantine", "trial", "X"),
        ("sanacora2014_lanicemine", "trial", "X_100"),
    ),
    "morphine": (
        ("varshneya_2019", "tail_withdrawal", "KA"),
        ("rescue_2010", "knockout", "K"),
        ("brain_res_1990", "tail_flick", "KA"),
    ),
}


class Case(NamedTuple):
    """A bundled case at all medians."""

    loaded: LoadedCase
    assembly: Assembly
    features: list[np.ndarray]
    """[rows, nodes] each."""

    def arm(self, where: tuple[str, str, str]) -> tuple[list[int], Subject, Arm]:
        study, experiment, name = where
        rows = {
            one.row
            for one in self.assembly.readings
            if (one.study, one.experiment, one.arm) == where and one.row >= 0
        }
        (protocol,) = (
            one.protocol for one in self.loaded.ledger.study(study).experiments if one.id == experiment
        )
        return sorted(rows), protocol.subject, protocol.arms[name]

    @property
    def tone(self) -> LogNormal:
        (found,) = (one for one in self.loaded.case.priors if one.name == "endogenous_tone")
        assert isinstance(found.distribution, LogNormal)
        return found.distribution


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    found = {}
    for name, arms in ARMS.items():
        whole = load_case(name)
        studies = tuple(whole.ledger.study(study) for study in dict.fromkeys(study for study, *_ in arms))
        loaded = dataclasses.replace(whole, ledger=Ledger(studies))
        assembly = assemble(loaded)
        given = account(loaded.case.hypotheses[0], assembly)
        compiled = jax.jit(lambda z, of=assembly, given=given: respond(of, z, given).features)
        features = compiled(jnp.zeros((assembly.dimension, 1)))
        found[name] = Case(loaded, assembly, [np.asarray(one)[..., 0] for one in features])
    return found


def at_medians(layout: Layout) -> Layout:
    centre = np.array([one.nodes[Z_GRID.size // 2] for one in layout.parameters]).reshape(-1, 1)
    return layout._replace(theta=np.repeat(centre, 2, axis=1))


@pytest.mark.parametrize(("name", "where"), [(name, where) for name, arms in ARMS.items() for where in arms])
def test_arm_follows_its_differential_equations(
    cases: dict[str, Case], name: str, where: tuple[str, str, str]
) -> None:
    case = cases[name]
    library, assembly = case.loaded.library, case.assembly
    rows, subject, arm = case.arm(where)
    named = [tuple(one.split(".")) for one in assembly.features]
    targets = [one for one in dict.fromkeys(target for target, _ in named) if one in library.targets]
    toned = [one for one in targets if one != "NMDAR"]
    weight = None if subject.weight is None else subject.weight.value
    layout = at_medians(
        lay_out(
            arm.doses,
            species=subject.species,
            targets=targets,
            weight=None if weight is None else f"{weight} kg",
            preparation=subject.preparation,
            tone=dict.fromkeys(toned, case.tone),
            manipulations=arm.manipulations,
            draws=2,
            library=library,
        )
    )
    times = assembly.times[rows].ravel()
    truth = answer(
        arm.doses,
        times,
        species=subject.species,
        targets=targets,
        library=library,
        weight=weight,
        preparation=subject.preparation,
        tone=dict.fromkeys(toned, case.tone.median),
        manipulations=arm.manipulations,
    )
    compare_with_calculator(layout, times, truth, FEATURE)
    for (target, feature), levels in zip(named, case.features, strict=True):
        if feature in NAMED and target in targets:
            np.testing.assert_allclose(
                levels[rows].ravel(), getattr(truth.targets[target], feature), rtol=0, atol=FEATURE
            )


def compare_with_calculator(layout: Layout, times: np.ndarray, truth: Answer, tolerance: float) -> None:
    """Every concentration and every fraction that the calculator gives."""
    order = np.argsort(times, kind="stable")
    found = engage(layout, times[order])
    total: dict[tuple[str, str], np.ndarray] = {}
    for one, level in zip(layout.plan.ligands, found.levels, strict=True):
        key = (one.drug, one.parent)
        total[key] = total.get(key, 0.0) + level[:, 0]
    assert total.keys() <= truth.levels.keys()
    for key, level in total.items():
        wanted = truth.levels[key][order]
        seen = wanted > FAINT * wanted.max()
        assert seen.any(), key
        np.testing.assert_allclose(level[seen], wanted[seen], rtol=LEVEL, err_msg=str(key))
    for target, held in found.bound.items():
        for feature, name in NAMED.items():
            np.testing.assert_allclose(
                np.asarray(getattr(held, name))[:, 0],
                getattr(truth.targets[target], feature)[order],
                rtol=0,
                atol=tolerance,
                err_msg=f"{target}.{feature}",
            )


SLOW_ARMS = (
    ("human", "buprenorphine 8 mg sublingual"),
    ("human", "buprenorphine 0.3 mg iv over 1 min + naloxone 2 mg iv at 2 h"),
    (
        "human",
        "naltrexone 50 mg po at -1 h + buprenorphine 16 mg sublingual + buprenorphine 16 mg sublingual at 24 h",
    ),
    # All of whose kinetics of buprenorphine are people's, by allometry.
    ("rat", "buprenorphine 0.05 mg/kg iv + naltrexone 1 mg/kg sc at 1 h"),
)
"""As in the shorthand of `gaddum occupancy`."""


@pytest.mark.parametrize(("species", "protocol"), SLOW_ARMS)
def test_slow_binding_beside_fast_rivals_and_tone_follows_its_differential_equations(
    species: Species, protocol: str
) -> None:
    library, targets = load_library(), ["MOR", "KOR"]
    tone = {"MOR": 0.3, "KOR": 0.1}
    weight = {"human": 80.0, "rat": 0.25}[species]
    doses = parse_doses(protocol)
    times = np.concatenate([[-0.5, 0.02, 0.1, 0.3], np.linspace(0.5, 4, 15), np.linspace(5, 72, 31)])
    layout = at_medians(
        lay_out(
            doses,
            species=species,
            targets=targets,
            weight=f"{weight} kg",
            tone=tone,
            draws=2,
            library=library,
        )
    )
    truth = answer(doses, times, species=species, targets=targets, library=library, weight=weight, tone=tone)
    assert max(truth.targets["MOR"].by_ligand["buprenorphine", "buprenorphine"]) > 0.1
    compare_with_calculator(layout, times, truth, SLOW)
