"""The ruler finds a number that moved, one that is missing, and nothing where nothing moved."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.ruler.__main__ import main
from benchmarks.ruler.compare import TOLERANCES, Compared, compare
from benchmarks.ruler.gap import gaps
from benchmarks.ruler.recording import Key, Recording, read, result_path, write

from gaddum.result_reader import read_result
from gaddum.results import AdjudicationResult

ARM = ("study", "experiment", "KA")
TONE = Key(*ARM, "swim", "inference", "feature", "MOR.tone", "1 h")
LEFT = Key(*ARM, "swim", "calculator", "tone", "MOR", "1 h")
LEVEL = Key(*ARM, "swim", "inference", "concentration", "naltrexone", "1 h")
NUMBERS = {
    TONE: np.array([0.2, 0.1, 0.25, 0.6]),
    LEFT: np.array([0.2, 0.1, 0.25, 0.7]),
    LEVEL: np.array([50.0, 20.0, 51.0, 90.0]),
}
RESULT = read_result(Path(__file__).parent / "surface" / "document.json")


def recording(numbers: dict[Key, np.ndarray] | None = None, result: AdjudicationResult = RESULT) -> Recording:
    arms = {"/".join(ARM): {"dosed": "naltrexone", "refused": None}}
    return Recording(NUMBERS | (numbers or {}), arms, ("MOR",), result)


def beyond(after: Recording, **loosened: float) -> dict[str, Compared]:
    found = compare({"case": recording()}, {"case": after}, TOLERANCES | loosened)
    return {one.kind: one for one in found if one.failed}


def changed(table: str, **to: object) -> AdjudicationResult:
    """The result with the first row of a table changed."""
    first, *others = getattr(RESULT, table)
    return RESULT.model_copy(update={table: (first.model_copy(update=to), *others)})


def test_nothing_moves_between_a_recording_and_itself() -> None:
    assert beyond(recording()) == {}


def test_every_number_is_compared() -> None:
    found = compare({"case": recording()}, {"case": recording()}, TOLERANCES)
    assert sum(one.count for one in found if one.kind.startswith(("calculator", "inference"))) == 12


@pytest.mark.parametrize("column, group", [(0, "all medians"), (1, "quantiles"), (3, "quantiles")])
def test_a_moved_number_is_found_and_named(column: int, group: str) -> None:
    moved = NUMBERS[TONE].copy()
    moved[column] += 1e-6
    (found,) = beyond(recording({TONE: moved})).values()
    assert (found.kind, found.beyond) == (f"inference feature, {group}", 1)
    assert found.worst == pytest.approx(1e-6) and found.worst_key.startswith(f"case/{TONE} ")


def test_concentrations_are_compared_relatively() -> None:
    moved = recording({LEVEL: NUMBERS[LEVEL] * (1 + 1e-4)})
    found = beyond(moved, quantile=1e-3)
    assert list(found) == ["inference concentration, all medians"]
    assert found["inference concentration, all medians"].worst == pytest.approx(1e-4, rel=1e-3)
    assert beyond(moved, quantile=1e-3, concentration=1e-3) == {}


def test_a_number_that_became_none_is_found() -> None:
    assert list(beyond(recording({TONE: np.full(4, np.nan)}))) == [
        "inference feature, all medians",
        "inference feature, quantiles",
    ]


def test_a_key_on_one_side_only_is_found_on_either_side() -> None:
    extra = Key(*ARM, "swim", "inference", "feature", "KOR.tone", "1 h")
    more = recording({extra: np.ones(4)})
    for before, after, side in ((recording(), more, "after_only"), (more, recording(), "before_only")):
        found = [one for one in compare({"case": before}, {"case": after}, TOLERANCES) if one.failed]
        assert [len(getattr(one, side)) for one in found] == [1, 3]


def test_a_whole_case_that_is_missing_is_found() -> None:
    found = compare({"case": recording()}, {"other": recording()}, TOLERANCES)
    assert all(one.failed for one in found)


def test_log_evidence_is_measured_in_units_of_the_error_of_the_difference() -> None:
    moved = recording(result=changed("hypotheses", log_ml=RESULT.hypotheses[0].log_ml - 0.1))
    found = beyond(moved, document=np.inf)
    assert list(found) == ["log_evidence"]
    assert found["log_evidence"].worst == pytest.approx(np.sqrt(2))
    assert beyond(moved, document=np.inf, log_evidence=2.0) == {}


def test_another_word_is_found_however_loose_the_numbers() -> None:
    moved = recording(result=changed("propositions", verdict="contradicted"))
    assert list(beyond(moved, document=np.inf, answer=0.5)) == ["word"]


def test_results_must_agree_to_the_last_digit_but_for_what_made_them() -> None:
    assert beyond(recording(result=RESULT.with_manifest(python="3.12.1"))) == {}
    moved = changed("engagement", time_h=np.nextafter(RESULT.engagement[0].time_h, 9))
    (found,) = beyond(recording(result=moved)).values()
    assert (found.kind, found.worst_key) == ("document", "case/engagement.0.time_h")


def stored(folder: Path, one: Recording) -> str:
    write(folder, "case", one)
    assert one.result is not None
    result_path(folder, "case").parent.mkdir(parents=True)
    result_path(folder, "case").write_text(one.result.to_json(), encoding="utf-8")
    return str(folder)


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    (found,) = read(Path(stored(tmp_path, recording()))).values()
    assert (found.arms, found.targets, found.result) == recording()[1:]
    assert {key: row.tolist() for key, row in found.numbers.items()} == {
        key: row.tolist() for key, row in NUMBERS.items()
    }


def test_the_command_fails_where_something_moved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = stored(tmp_path / "before", recording())
    after = stored(tmp_path / "after", recording({TONE: NUMBERS[TONE] + 1e-3}))
    assert main(["compare", before, before]) == 0
    assert main(["compare", before, after]) == 1
    assert "inference feature, all medians, worst: case/study/experiment/KA" in capsys.readouterr().out
    assert main(["compare", before, after, "--tolerance", "feature=0.01", "quantile=0.01"]) == 0


def test_the_gap_is_between_calculator_and_inference_of_one_feature() -> None:
    (found,) = (gap for gap in gaps(recording()).found if gap.key == TONE)
    np.testing.assert_allclose(found.calculator, [0.2, 0.1, 0.25, 0.7])
    np.testing.assert_allclose(found.distances, [0, 0, 0, 0.1], atol=1e-12)
    assert gaps(recording()).left_out == {"the calculator has no such ligand": 1}
