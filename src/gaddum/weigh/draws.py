"""Draws: posterior draws of every fit as a labelled tree, ready for ArviZ and netCDF."""

import numpy as np
import xarray as xr

from gaddum.response.assemble import Assembly
from gaddum.sampling.estimate import Evidence


def draws_tree(fits: dict[str, Evidence], assembly: Assembly, *, most: int = 250) -> xr.DataTree:
    """Label the draws of all fits.

    Parameters
    ----------
    fits : dict
        Name of the fit ("parameterisation/hypothesis") -> its evidence.
    assembly : Assembly
        Names the dimensions.
    most : int
        Most draws per population to keep (evenly thinned).

    Returns
    -------
    xarray.DataTree
        One node per fit; variable ``z`` with dims (chain, draw, parameter), standard normal a priori.
    """
    names = [parameter.name for parameter in assembly.parameters]
    tree = {}
    for name, fit in fits.items():
        step = max(1, fit.chains.shape[1] // most)
        kept = fit.chains[:, ::step][:, :most]
        tree[f"/{name}"] = xr.Dataset(
            {"z": (("chain", "draw", "parameter"), kept.astype(np.float32))},
            coords={"parameter": names, "chain": np.arange(kept.shape[0]), "draw": np.arange(kept.shape[1])},
            attrs={
                "log_ml": fit.log_ml,
                "log_ml_mcse": fit.log_ml_mcse,
                "r_hat": fit.r_hat,
                "ess": fit.ess,
                "established": int(fit.established),
            },
        )
    return xr.DataTree.from_dict(tree)
