"""Run draws: posterior draws of one account from a folder that an adjudication wrote, by parameter."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.extras import required
from gaddum.records.finding import nearest
from gaddum.result_set import DRAWS, read_result_of_draws

MAIN_FORM = "gate-matched"
"""Parameterisation whose fits are read."""
FEWEST = 100
"""Effective draws that a fit must have for numbers to be made of it."""


class RunDraws(NamedTuple):
    """Draws of one fit."""

    case: str
    manifest: dict[str, Any]
    """Version, and hashes of case and library."""
    fit: str
    """Account and phase, as ``NAME`` or ``NAME@phase``."""
    scores: dict[str, Float[np.ndarray, " draws"]]
    """Standard normal scores by parameter, which its prior turns into values."""


def read_run(folder: str | Path, account: str | None = None) -> RunDraws:
    """Read the draws of one account of a run.

    Parameters
    ----------
    folder : str or Path
        What ``gaddum adjudicate --out`` wrote: it holds ``result.json`` and ``posterior.nc``.
    account : str
        ``NAME``, or ``NAME@phase`` where its phased inputs act at one phase (else at both); by default the most
        probable.

    Raises
    ------
    ValueError
        If the folder is no run, holds files of two runs, has no such account (says which it has), or the account's fit
        was not established.
    """
    required("h5netcdf", "Simulating by a run")
    import h5netcdf

    said = read_result_of_draws(Path(folder))
    # xarray would open all fits to read one.
    with h5netcdf.File(Path(folder) / DRAWS, "r", decode_vlen_strings=True) as file:
        fits = file[MAIN_FORM].groups
        known = list(fits)
        name = account or max(said["hypotheses"], key=lambda one: one["probability"])["name"]
        fit = next((one for one in (name, f"{name}@both") if one in known), None)
        if fit is None:
            raise ValueError(f"An account must be one of the run's; got {name!r}. {nearest(name, known)}")
        if "scores" not in fits[fit].groups:
            raise ValueError(
                f"A run must hold the scores of its draws; {str(folder)!r} was written by an earlier gaddum. "
                "Run the case again."
            )
        about, drawn = dict(fits[fit].attrs), fits[fit]["scores"].variables
        found, names = np.asarray(drawn["z"][...], float), drawn["parameter"][...].tolist()
    ess, established = float(about["ess"]), bool(about["established"])
    if ess < FEWEST or not established:
        raise ValueError(
            f"A fit must be established, by at least {FEWEST} effective draws, to be simulated; {fit} has {ess:.0f} "
            f"and R-hat {float(about['r_hat']):.3f}. Run the case again, or simulate by its prior (`case`)."
        )
    scores = dict(zip(names, found.reshape(-1, len(names)).T, strict=True))
    return RunDraws(said["case"], said["manifest"], fit, scores)
