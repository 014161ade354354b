"""The lines that install the gaddum of a result again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gaddum import __version__
from gaddum.surface.origin import install_lines

HERE = Path(__file__).parent


def test_the_commit_of_a_checkout_is_named():
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HERE, capture_output=True, text=True)
    if head.returncode:
        pytest.skip("not a git checkout")
    clone, checkout, install = install_lines(__version__, "weigh")
    assert clone == f"# in a clone of gaddum {__version__}"
    assert checkout.startswith(f"git checkout {head.stdout.strip()}")
    assert install == "pip install '.[weigh]'"


def test_a_result_of_another_version_gets_no_commit():
    assert install_lines("0.0.1") == ["# in a clone of gaddum 0.0.1", "pip install ."]


@pytest.mark.parametrize(
    ("url", "lines"),
    [
        (
            "https://example.org/gaddum.git",
            ["pip install 'gaddum[weigh] @ git+https://example.org/gaddum.git@0a1b2c'"],
        ),
        (
            "file:/srv/gaddum",  # a folder of one machine
            [f"# in a clone of gaddum {__version__}", "git checkout 0a1b2c", "pip install '.[weigh]'"],
        ),
    ],
)
def test_address_and_commit_are_those_that_pip_noted(url: str, lines: list[str], tmp_path: Path):
    noted = tmp_path / "gaddum-0.dist-info"
    noted.mkdir()
    (noted / "METADATA").write_text("Metadata-Version: 2.1\nName: gaddum\nVersion: 0\n", encoding="utf-8")
    text = json.dumps({"url": url, "vcs_info": {"vcs": "git", "commit_id": "0a1b2c"}})
    (noted / "direct_url.json").write_text(text, encoding="utf-8")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from gaddum.surface.origin import install_lines\n"
        f"print(*install_lines({__version__!r}, 'weigh'), sep='\\n')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == lines
