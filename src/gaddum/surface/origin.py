"""Origin: where the running gaddum comes from, and the lines that install it again."""

import json
import subprocess
from functools import cache
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from shlex import quote

from gaddum import __version__

_SOURCE = Path(__file__)


def install_lines(version: str, extra: str = "") -> list[str]:
    """Commands that install the gaddum that made a result, for somebody else.

    Parameters
    ----------
    version : str
        What the result says. Only if it is the running version is its commit known.
    extra : str
        Extra that the command needs.
    """
    wanted = f"[{extra}]" if extra else ""
    url, commit = _origin() if version == __version__ else ("", "")
    if url:
        return [f"pip install 'gaddum{wanted} @ git+{url}@{commit}'"]
    checkout = (
        [f"git checkout {commit}".replace("-dirty", "  # with changes that are not in it")] if commit else []
    )
    return [f"# in a clone of gaddum {version}", *checkout, f"pip install {quote(f'.{wanted}')}"]


def source_digest() -> str:
    """Digest of gaddum's own code, which a version under work does not tell."""
    package = _SOURCE.parents[1]
    digest = sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _origin() -> tuple[str, str]:
    """Public address and commit, each empty where it is not known: as pip noted them, or as the checkout says."""
    try:
        noted = json.loads(metadata.distribution("gaddum").read_text("direct_url.json") or "{}")
    except metadata.PackageNotFoundError:
        noted = {}
    if "vcs_info" in noted:
        url = (
            "" if noted["url"].startswith("file:") else noted["url"]
        )  # a folder of this machine helps nobody
        return url, noted["vcs_info"]["commit_id"]
    # The source must be tracked: an environment may lie inside the checkout of something else.
    tracked = _git("ls-files", "--error-unmatch", _SOURCE.name)
    return "", _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*") if tracked else ""


def _git(*words: str) -> str:
    """What git prints, or nothing if it fails or is not there."""
    try:
        ran = subprocess.run(["git", *words], cwd=_SOURCE.parent, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""
