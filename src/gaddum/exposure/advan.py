"""Mammillary systems with the numbering and parameters of PREDPP's ADVAN1 to 4, 11 and 12.

=====  ==================================  =============================================
ADVAN  compartments                        parameters (TRANS2 for 1 and 2, else TRANS4)
=====  ==================================  =============================================
1      1 central                           CL, V
2      1 depot, 2 central                  CL, V, KA
3      1 central, 2 peripheral             CL, V1, Q, V2
4      1 depot, 2 central, 3 peripheral    CL, V2, Q, V3, KA
11     1 central, 2 and 3 peripheral       CL, V1, Q2, V2, Q3, V3
12     1 depot, 2 central, 3, 4 peripheral CL, V2, Q3, V3, Q4, V4, KA
=====  ==================================  =============================================

Doses go to compartment 1 and observations to the central one unless a record says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gaddum.exposure.linear import LinearSystem


@dataclass(frozen=True)
class _Layout:
    volume: str
    peripherals: tuple[tuple[str, str], ...] = ()
    depot: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        flows = (name for pair in self.peripherals for name in pair)
        return ("CL", self.volume, *flows, *(("KA",) if self.depot else ()))


_LAYOUTS = {
    1: _Layout("V"),
    2: _Layout("V", depot=True),
    3: _Layout("V1", (("Q", "V2"),)),
    4: _Layout("V2", (("Q", "V3"),), depot=True),
    11: _Layout("V1", (("Q2", "V2"), ("Q3", "V3"))),
    12: _Layout("V2", (("Q3", "V3"), ("Q4", "V4")), depot=True),
}
ADVAN_PARAMETERS: dict[int, tuple[str, ...]] = {
    advan: layout.parameters for advan, layout in _LAYOUTS.items()
}
"""Names of the parameters of each system: clearances (L/h), volumes (L), KA (1/h)."""


def advan_system(advan: int, parameters: Mapping[str, float]) -> LinearSystem:
    """Build one of PREDPP's mammillary systems.

    Parameters
    ----------
    advan : int
        1, 2, 3, 4, 11 or 12.
    parameters : mapping of str to float
        Exactly the parameters of this system, by name.

    Returns
    -------
    LinearSystem
        The compartments, numbered as in PREDPP.

    Examples
    --------
    >>> advan_system(2, {"CL": 5.0, "V": 20.0, "KA": 1.5}).rates.tolist()
    [[-1.5, 0.0], [1.5, -0.25]]
    """
    if advan not in _LAYOUTS:
        raise ValueError(f"ADVAN must be one of {', '.join(map(str, _LAYOUTS))}; got {advan!r}.")
    layout = _LAYOUTS[advan]
    wanted = layout.parameters
    if set(parameters) != set(wanted):
        raise ValueError(
            f"ADVAN{advan} must have the parameters {', '.join(wanted)}; got {', '.join(sorted(parameters)) or 'none'}."
        )
    for name in wanted:
        low = 0.0 if name.startswith(("CL", "Q")) else np.nextafter(0.0, 1.0)
        if not low <= parameters[name] < np.inf:
            raise ValueError(
                f"{name} must be {'non-negative' if low == 0 else 'positive'} and finite; got {parameters[name]!r}."
            )
    first = int(layout.depot)
    rates = np.zeros((first + 1 + len(layout.peripherals),) * 2)
    if layout.depot:
        _add_flow(rates, 0, 1, parameters["KA"])
    volume = parameters[layout.volume]
    rates[first, first] -= parameters["CL"] / volume
    for number, (flow, peripheral) in enumerate(layout.peripherals, start=first + 1):
        _add_flow(rates, first, number, parameters[flow] / volume)
        _add_flow(rates, number, first, parameters[flow] / parameters[peripheral])
    return LinearSystem(rates, 1, first + 1, float(volume))


def _add_flow(rates: np.ndarray, source: int, sink: int, rate: float) -> None:
    rates[source, source] -= rate
    rates[sink, source] += rate
