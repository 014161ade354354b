"""The chain from draws to effects on the bundled cases."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.numerics.normal_grid import Z_GRID
from gaddum.records.gate import parse_gate
from gaddum.response.response import account, prior_table, respond, values


def specific(case) -> list:
    return [h for h in case.loaded.case.hypotheses if not parse_gate(h.gate).is_constant]


def feature(case, response, name: str) -> np.ndarray:
    return np.asarray(response.features[case.assembly.features.index(name)])


def test_levels_but_agonism_stay_between_0_and_1(case) -> None:
    response = case.run(case.draws(5), case.account(specific(case)[0].name))
    for name, levels in zip(case.assembly.features, response.features, strict=True):
        assert np.all(np.asarray(levels) >= 0)
        assert name.endswith(".agonism") or np.all(np.asarray(levels) <= 1)


def test_agonism_is_occupancy_times_efficacy(ketamine) -> None:
    z, index = ketamine.draws(5), ketamine.assembly.index
    theta = np.asarray(values(prior_table(ketamine.assembly), jnp.asarray(z)))
    efficacy = np.exp(theta[index["efficacy of DAMGO at MOR"]])
    agonism = feature(ketamine, ketamine.run(z, ketamine.account("mor-agonism")), "MOR.agonism")
    row = ketamine.reading("klein2020", "X", "anhedonia").row
    assert np.all(agonism[row] / efficacy <= 1)


def test_agonism_stays_below_1(ketamine) -> None:
    z = ketamine.draws(5)
    z[ketamine.assembly.index["efficacy of DAMGO at MOR"]] = 2.0
    response = ketamine.run(z, ketamine.account("mor-agonism"))
    assert np.all(feature(ketamine, response, "MOR.agonism") <= 1)


def test_states_and_effects_are_finite(case) -> None:
    for hypothesis in case.loaded.case.hypotheses:
        response = case.run(case.draws(5), account(hypothesis, case.assembly))
        assert np.isfinite(response.state).all() and np.isfinite(response.effect).all()


@pytest.mark.parametrize(
    ("study", "alone", "blocked", "endpoint"),
    [
        ("klein2020", "K", "KA", "firing"),
        ("klein2020", "K", "KA_ctap", "firing"),
        ("zhang_hashimoto2019", "K", "KA", "hours_3"),
        ("yoon2019", "K", "KA", "hours_4"),
    ],
)
def test_an_antagonist_lowers_mu_tone(ketamine, study: str, alone: str, blocked: str, endpoint: str) -> None:
    response = ketamine.run(ketamine.draws(5), ketamine.account("nmdar"))
    tone = feature(ketamine, response, "MOR.tone")
    row = ketamine.reading(study, blocked, endpoint).row
    np.testing.assert_array_equal(tone[ketamine.reading(study, alone, endpoint).row], 1.0)
    assert np.all(tone[row, :-1] <= 1) and np.all(tone[row, :-1].min(axis=0) < 1)


def test_an_antagonist_leaves_nmdar_block_alone(ketamine) -> None:
    block = feature(ketamine, ketamine.run(ketamine.draws(5), ketamine.account("nmdar")), "NMDAR.block")
    alone, blocked = (ketamine.reading("klein2020", arm, "firing").row for arm in ("K", "KA_ctap"))
    np.testing.assert_allclose(block[blocked], block[alone], rtol=1e-12)


def test_gate_matched_effect_at_the_anchor_is_the_reference_effect(case) -> None:
    z, rows = case.draws(5), case.assembly.rows
    theta = np.asarray(values(prior_table(case.assembly), jnp.asarray(z)))
    plain = [
        (row, stratum)
        for (stratum, _), row in case.assembly.anchors.items()
        if rows.expectancy[row] == 0 and not rows.own[row].any()
    ]
    for hypothesis in specific(case):
        # nothing forms a metabolite in a slice, so an account that rests on one has no reference effect there
        metabolite = "Metabolite" in hypothesis.gate
        acting = [row for row, stratum in plain if not (metabolite and stratum.endswith("slice"))]
        assert acting
        effect = np.asarray(case.run(z, account(hypothesis, case.assembly)).effect)
        np.testing.assert_allclose(effect[acting], np.exp(theta[rows.anchor_effect[acting]]), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_form_between_the_two_keeps_a_power_of_the_reference(morphine, share: float) -> None:
    z, rows = morphine.draws(5), morphine.assembly.rows
    theta = np.asarray(values(prior_table(morphine.assembly), jnp.asarray(z)))
    response = morphine.run(z, morphine.account("mor")._replace(absolute=np.asarray(share)))
    plain = [
        row
        for row in morphine.assembly.anchors.values()
        if rows.expectancy[row] == 0 and not rows.own[row].any()
    ]
    reference = np.exp(theta[rows.anchor_effect[plain]])
    expected = reference * np.asarray(response.state)[plain] ** share
    np.testing.assert_allclose(np.asarray(response.effect)[plain], expected, rtol=1e-12)


def test_nothing_specific_leaves_only_own_effects_and_expectancy(case) -> None:
    rows = case.assembly.rows
    effect = np.asarray(case.run(case.draws(5), case.account("nothing-specific")).effect)
    bare = (rows.expectancy == 0) & ~rows.own.any(axis=1)
    np.testing.assert_array_equal(effect[bare], 0.0)


def knocked_out(case, target: str) -> np.ndarray:
    """Rows in which a target is missing."""
    sites = [block.sites[target] for block in case.assembly.rows.blocks]
    return np.flatnonzero(np.concatenate([np.isin(site.course, site.available.course) for site in sites]))


@pytest.mark.slow
def test_a_knock_out_abolishes_agonism(morphine) -> None:
    gone = knocked_out(morphine, "MOR")
    assert gone.size
    z = morphine.draws(5)
    for name, place in morphine.assembly.index.items():
        if name.startswith("receptors left"):
            z[place] = -4.0  # a ten-thousandth of an SD of 0.01
    response = morphine.run(z, morphine.account("mor", absolute=True))
    np.testing.assert_allclose(np.asarray(response.state)[gone], 0.0, atol=1e-5)


@pytest.mark.slow
def test_what_a_null_allele_leaves_varies_with_its_spread(morphine) -> None:
    gone = knocked_out(morphine, "MOR")
    states = []
    for left in (-1.0, 1.0):
        z = np.zeros((morphine.assembly.dimension, 1))
        for name, place in morphine.assembly.index.items():
            if name.startswith("receptors left"):
                z[place] = left
        states.append(np.asarray(morphine.run(z, morphine.account("mor", absolute=True)).state)[gone])
    assert (states[1] > states[0]).any() and (states[1] >= states[0]).all()


@pytest.mark.slow
def test_a_knock_out_leaves_other_targets(morphine) -> None:
    gone = [row for row in knocked_out(morphine, "MOR") if "morphine" in morphine.assembly.ligand_names[row]]
    response = morphine.run(morphine.draws(5), morphine.account("kor", absolute=True))
    assert np.all(np.asarray(response.state)[gone] > 0)


def test_a_held_feature_has_its_level_everywhere(ketamine) -> None:
    given = ketamine.account("nmdar-permissive-opioid", hold={"MOR.tone": 0.25})
    response = ketamine.run(ketamine.draws(5), given)
    np.testing.assert_array_equal(feature(ketamine, response, "MOR.tone"), 0.25)


def test_holding_the_only_input_at_0_leaves_no_effect(ketamine) -> None:
    response = ketamine.run(ketamine.draws(5), ketamine.account("nmdar", hold={"NMDAR.block": 0.0}))
    np.testing.assert_allclose(response.state, 0.0, atol=1e-15)


@pytest.mark.slow
def test_draws_do_not_depend_on_their_batch(case) -> None:
    given, z = account(specific(case)[-1], case.assembly), case.draws(5)
    together = case.run(z, given)
    apart = [case.run(z[:, i : i + 1], given) for i in range(5)]
    for name in ("state", "effect"):
        one_by_one = np.concatenate([getattr(response, name) for response in apart], axis=-1)
        np.testing.assert_allclose(getattr(together, name), one_by_one, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("batch", [500, 1000, 1025, 4096])
def test_compiled_parameters_are_those_of_a_straight_table_for_any_number_of_draws(batch):
    # XLA 0.10.2 miscompiled a fused product of matrices here, from about 1,000 draws on.
    slopes = np.array([0.4, 0.7, 1e-9, 1.0])[:, None]
    z = np.clip(np.random.default_rng(0).standard_normal((4, batch)), -4, 4)
    found = np.asarray(jax.jit(values)(slopes * Z_GRID, z))
    np.testing.assert_allclose(found, slopes * z, atol=1e-12)


@pytest.mark.slow
def test_single_precision_changes_effects_by_far_less_than_quadrature_does(case) -> None:
    single = jax.jit(lambda z, given: respond(case.assembly, z, given, single=True).effect)
    blocks = np.split(
        case.draws(20), 4, axis=1
    )  # of as many draws as other tests have, which compiled for them
    for hypothesis in specific(case):
        given = account(hypothesis, case.assembly)
        exact = np.concatenate([np.asarray(case.run(z, given).effect) for z in blocks], axis=1)
        fast = np.concatenate([np.asarray(single(z, given)) for z in blocks], axis=1)
        np.testing.assert_allclose(fast, exact, atol=2e-5 * max(1.0, np.abs(exact).max()))


def test_own_effects_count_as_an_account_says(ketamine) -> None:
    z, rows = ketamine.draws(5), ketamine.assembly.rows
    (plain,) = (h for h in ketamine.loaded.case.hypotheses if h.name == "nothing-specific")
    theta = np.asarray(values(prior_table(ketamine.assembly), jnp.asarray(z)))
    full, half = (
        np.asarray(
            ketamine.run(z, account(plain.model_copy(update={"own_effect": m}), ketamine.assembly)).effect
        )
        for m in (1.0, 0.5)
    )
    np.testing.assert_allclose(full - half, 0.5 * rows.own @ theta[rows.own_index], atol=1e-12)


@pytest.mark.parametrize("variate", [-2.0, 0.0, 2.0])
def test_half_of_a_feature_with_spare_receptors_drives_as_the_operational_model_says(
    ketamine, variate: float
) -> None:
    """At a steady level the acute state is the drive, but for how far the effect site has filled."""
    z, index = ketamine.draws(5), ketamine.assembly.index
    rows = ketamine.assembly.rows
    z[rows.reserve["NMDAR.block"]] = variate
    theta = np.asarray(values(prior_table(ketamine.assembly), jnp.asarray(z)))
    tau, depth = np.exp(theta[rows.reserve["NMDAR.block"]]), np.exp(theta[index["circuit.depth"]])
    half, full = (
        np.asarray(ketamine.run(z, ketamine.account("nmdar", hold={"NMDAR.block": level})).state)
        for level in (0.5, 1.0)
    )
    needed = (1 + tau) * 0.5 / (1 + tau * 0.5)
    acute = [row for (_, phase), row in ketamine.assembly.anchors.items() if phase == "acute"]
    assert acute
    expected = np.expm1(-depth * needed) / np.expm1(-depth) * full[acute]
    np.testing.assert_allclose(half[acute], expected, rtol=1e-9)


def wide(case, gate: str):
    """The gate of a hypothesis replaced."""
    return case.loaded.case.hypotheses[0].model_copy(update={"gate": gate})


@pytest.mark.slow
@pytest.mark.parametrize(
    "narrow", ["MOR.agonism", "MOR.agonism & KOR.agonism", "MOR.agonism | NMDAR.reserve"]
)
def test_inputs_that_make_no_difference_change_nothing(morphine, narrow: str) -> None:
    """A gate of many inputs is computed by another branch than one of few."""
    z = morphine.draws(5)
    few = morphine.run(z, account(wide(morphine, narrow), morphine.assembly, absolute=True)).state
    given = account(wide(morphine, narrow), morphine.assembly, absolute=True)
    padded = given._replace(used=np.asarray(len(given.inputs), np.int32))
    np.testing.assert_allclose(morphine.run(z, padded).state, few, rtol=1e-12, atol=1e-15)


@pytest.mark.slow
def test_a_gate_of_five_inputs_with_four_held_on_is_a_gate_of_one(morphine) -> None:
    z, (first, *others) = morphine.draws(5), morphine.assembly.features
    five = account(
        wide(morphine, " & ".join([first, *others])), morphine.assembly, hold=dict.fromkeys(others, 1.0)
    )
    one = account(wide(morphine, first), morphine.assembly)
    assert five.inputs.size == 5
    np.testing.assert_allclose(morphine.run(z, five).state, morphine.run(z, one).state, rtol=1e-12)


@pytest.fixture(scope="module")
def summed(ketamine):
    """Sum of all effects at draws and an account, and its gradient, each compiled once for all accounts."""

    def total(z, given):
        return respond(ketamine.assembly, z, given).effect.sum()

    once = {"xla_backend_optimization_level": 0}  # compiles in less time, for three draws
    return jax.jit(total, compiler_options=once), jax.jit(jax.grad(total), compiler_options=once)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nmdar", "nmdar-permissive-opioid", "opioid-release"])
def test_gradient_is_that_of_the_effect(ketamine, summed, name: str) -> None:
    z, given = jnp.asarray(ketamine.draws(3)), ketamine.account(name, absolute=True)
    direction = np.random.default_rng(2).standard_normal(z.shape)
    total, gradient = summed
    ahead, behind = (float(total(z + h * direction, given)) for h in (1e-5, -1e-5))
    slope = float(jnp.vdot(gradient(z, given), direction))
    assert slope == pytest.approx((ahead - behind) / 2e-5, rel=1e-6, abs=1e-7)
