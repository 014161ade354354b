"""Bundled cases become rows, anchors and parameters that belong together."""

import numpy as np
import pytest

from gaddum.records.vocabulary import FEATURES
from gaddum.response.assemble import assemble


def test_every_anchor_is_the_row_of_its_reading(case) -> None:
    rows = {(r.study, r.experiment, r.endpoint, r.arm): r.row for r in case.assembly.readings}
    for anchor in case.loaded.case.anchors:
        row = rows[anchor.study, anchor.experiment, anchor.endpoint, anchor.arm]
        assert case.assembly.anchors[anchor.stratum, anchor.phase] == row >= 0


def test_an_anchor_is_its_own_anchor(case) -> None:
    for row in case.assembly.anchors.values():
        assert case.assembly.rows.anchor_row[row] == row


def test_every_row_is_anchored_in_its_stratum_and_phase(case) -> None:
    for reading in case.assembly.readings:
        if reading.row >= 0:
            anchor = case.assembly.anchors[reading.stratum, reading.phase]
            assert case.assembly.rows.anchor_row[reading.row] == anchor


def test_a_plain_vehicle_has_no_row(case) -> None:
    for reading in case.assembly.readings:
        protocol = next(
            e.protocol
            for e in case.loaded.ledger.study(reading.study).experiments
            if e.id == reading.experiment
        )
        arm = protocol.arms[reading.arm]
        plain = not (arm.doses or arm.manipulations or arm.expectancy)
        assert (reading.row == -1) == plain


@pytest.mark.slow
def test_arms_of_the_same_content_share_a_row(morphine) -> None:
    rows = {
        morphine.reading(*key).row
        for key in (("matthes_1996", "K", "latency"), ("sora_1997", "K", "hot_plate"))
    }
    assert len(rows) == 1


@pytest.mark.slow
def test_a_knocked_out_vehicle_keeps_a_row_without_ligands(morphine) -> None:
    row = morphine.reading("rescue_2010", "V", "latency").row
    assert row >= 0 and morphine.assembly.ligand_names[row] == ()


def test_a_racemate_arrives_as_both_enantiomers(ketamine) -> None:
    row = ketamine.reading("zhang_hashimoto2019", "K", "hours_3").row
    assert {"S-ketamine", "R-ketamine"} <= set(ketamine.assembly.ligand_names[row])


def test_blocks_hold_acute_readings_first(case) -> None:
    first = 0
    phases = {r.row: r.phase for r in case.assembly.readings}
    for block in case.assembly.rows.blocks:
        rows = range(first, first + len(block.before))
        assert [phases[row] == "sustained" for row in rows] == [i >= block.acute for i in range(len(rows))]
        first = rows.stop
    assert first == case.assembly.rows.expectancy.size


def test_rows_share_a_course_where_their_drugs_at_a_target_are_the_same(ketamine) -> None:
    alone, blocked = (ketamine.reading("klein2020", arm, "firing").row for arm in ("K", "KA_ctap"))
    first = 0
    for block in ketamine.assembly.rows.blocks:
        if first <= alone < first + len(block.before):
            nmdar, mu = (block.sites[name].course for name in ("NMDAR", "MOR"))
            assert nmdar[alone - first] == nmdar[blocked - first]
            assert mu[alone - first] != mu[blocked - first]
            return
        first += len(block.before)
    raise AssertionError("no block holds the row")


def test_arms_of_the_same_dose_share_a_series_of_it(ketamine) -> None:
    blocks = ketamine.assembly.rows.blocks
    series = sum(len(block.doses.place) for block in blocks)
    assert series < sum(block.sites["MOR"].series.size for block in blocks)


def test_constants_of_kinetics_are_the_calculators_own(ketamine) -> None:
    names = {one.name for one in ketamine.assembly.parameters}
    assert {"clearance of S-ketamine in human", "central volume of R-ketamine in mouse"} <= names
    used = {ketamine.assembly.parameters[place].name for place in ketamine.assembly.rows.chains.used}
    assert {name for name in names if name.startswith(("central volume", "clearance"))} <= used


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preparation", "shifted"), [("behaving", True), ("imaging", True), ("slice", False)]
)
def test_the_shift_between_glass_and_brain_holds_in_living_subjects_only(
    record, preparation: str, shifted: bool
) -> None:
    rows = {r.row for r in record.assembly.readings if r.stratum.endswith(preparation) and r.arm == "K"}
    found, first = set(), 0
    for block in record.assembly.rows.blocks:
        site, of_block = block.sites["NMDAR"], range(first, first + len(block.before))
        for row in rows.intersection(of_block):
            found |= set(site.shift[site.course_of_pair == site.course[row - first]] >= 0)
        first = of_block.stop
    assert found == {shifted}


def test_quadrature_spans_the_time_to_the_test(case) -> None:
    assembly, first = case.assembly, 0
    for block in assembly.rows.blocks:
        rows, nodes = block.before.shape
        times = assembly.times[first : first + rows]
        first += rows
        np.testing.assert_allclose(block.weights.sum(axis=1), times[:, -1])
        np.testing.assert_allclose(block.width.sum(axis=1), times[:, -1])
        np.testing.assert_allclose(times[:, :nodes], times[:, -1:] - block.before)


def test_parameters_are_indexed_by_name(case) -> None:
    assembly = case.assembly
    assert [assembly.index[p.name] for p in assembly.parameters] == list(range(assembly.dimension))
    assert all(np.isfinite(p.nodes).all() and np.all(np.diff(p.nodes) >= 0) for p in assembly.parameters)


def test_every_feature_has_a_level_at_rest(case) -> None:
    assert {name.split(".")[1] for name in case.assembly.features} <= set(FEATURES)


def test_a_missing_prior_row_is_named(ketamine) -> None:
    loaded = ketamine.loaded
    priors = tuple(p for p in loaded.case.priors if p.name != "effect_site")
    short = loaded.__class__(
        loaded.case.model_copy(update={"priors": priors}), loaded.library, loaded.ledger, loaded.folder
    )
    with pytest.raises(ValueError, match="must have a row 'effect_site'"):
        assemble(short)
