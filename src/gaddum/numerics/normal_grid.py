"""Normal grid: the points of a standard normal variate at which every uncertain number is tabulated."""

import numpy as np

Z_GRID = np.arange(-4.0, 4.01, 0.5)
"""Points of the standard normal variate at which parameters are tabulated."""
