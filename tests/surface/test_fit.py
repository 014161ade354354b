"""The command `gaddum fit`: from a table of one's own to an occupancy that uses what was learnt."""

import json
from pathlib import Path

import numpy as np
import pytest

from gaddum.records.finding import RecordError
from gaddum.records.fit import read_fit
from gaddum.records.library import load_library
from gaddum.surface.cli import main

HEAD = "curve,paper,species,doses,drug,site,time (h),value (ng/mL),n,source\n"


def table(papers: dict[str, tuple[float, float]]) -> str:
    """Lorazepam by vein in a body of one compartment, a paper a volume (L) and a half-life (h)."""
    rows = [
        f"{paper},{paper},human,lorazepam 2 mg iv,lorazepam,venous,{time},"
        f"{2000 / volume * 0.5 ** (time / half) * off:.4g},8,{paper}"
        for paper, (volume, half) in papers.items()
        for time, off in zip((0.5, 2, 6, 12, 24), (1.1, 0.9, 1.05, 1.1, 0.95), strict=True)
    ]
    return HEAD + "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fits")
    (folder / "theirs.csv").write_text(table({"Smith 2001": (85.0, 12.0), "Jones 2004": (110.0, 15.0)}))
    given = ["fit", "lorazepam", "--curves", str(folder / "theirs.csv"), "--only-mine", "--skip-left-out"]
    assert main([*given, "--out", str(folder)]) == 0
    return folder


def test_a_fit_is_kept_with_its_page_and_read_back(folder: Path) -> None:
    fit = read_fit(folder / "fits" / "lorazepam-human.yaml")
    assert set(fit.papers) == {"Smith 2001", "Jones 2004"}
    volume = next(one for one in fit.constants if one.name.startswith("central volume"))
    assert 70 < volume.median * (70 if volume.unit.endswith("/kg") else 1) < 130
    page = (folder / "fits" / "lorazepam-human.html").read_text()
    assert "Smith 2001" in page
    assert 'src="http' not in page and 'href="http' not in page


def test_an_occupancy_uses_a_fit(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def levels(*more: str) -> np.ndarray:
        assert main(["occupancy", "lorazepam 2 mg iv", "--at", "6 h", "--json", *more]) == 0
        found = json.loads(capsys.readouterr().out)["protocols"][0]["concentrations"]["lorazepam"]
        return np.array([found[key][0] for key in ("median", "lower", "upper")])

    capsys.readouterr()
    plain, fitted = levels(), levels("--fit", str(folder / "fits" / "lorazepam-human.yaml"))
    assert not np.allclose(plain, fitted)
    assert fitted[1] < fitted[0] < fitted[2]


def test_what_two_fits_say_of_one_constant_is_refused(folder: Path) -> None:
    fit = read_fit(folder / "fits" / "lorazepam-human.yaml")
    other = fit.model_copy(update={"drug": "another"})
    with pytest.raises(ValueError, match="must be of one fit"):
        load_library().with_fits([fit, other])


def test_a_drug_without_a_curve_is_refused_with_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "CTAP"]) == 2
    assert "A fit needs concentrations in plasma" in capsys.readouterr().err


def test_two_fits_of_one_drug_in_a_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    kept = (folder / "fits" / "lorazepam-human.yaml").read_text()
    (tmp_path / "fits").mkdir()
    for name in ("lorazepam-human.yaml", "mine.yaml"):
        (tmp_path / "fits" / name).write_text(kept)
    with pytest.raises(
        RecordError, match=r"one fit of a drug in a species; that of lorazepam in human is also in"
    ):
        load_library(tmp_path)
