"""Live: occupancy that is asked again and again while a protocol changes, as under a slider.

Nothing is compiled. Draws of parameters, and curves of unit doses at the times that are read, are kept from one
protocol to the next.
"""

from collections.abc import Sequence
from typing import Any

from gaddum.engagement.layout import lay_out, laying_out
from gaddum.engagement.occupancy import ProtocolOccupancy, curve_times, follow, read_times
from gaddum.exposure.unit_curves import UnitCurves
from gaddum.records.dose import Dose


class LiveOccupancy:
    """A protocol under change; `occupancy` is what it does now.

    Parameters
    ----------
    protocol : str or sequence of Dose
        Doses, as in `occupancy`.
    times : sequence of float or str
        Hours from the test drug, or text such as ``"30 min"``; by default a grid from the first dose on.
    settings
        All other arguments of `occupancy`.
    """

    def __init__(self, protocol: str | Sequence[Dose], *, times: Any = None, **settings: Any) -> None:
        self.protocol, self.times, self.settings = protocol, times, settings
        self._kept = UnitCurves()
        self.occupancy: ProtocolOccupancy = self.change()

    def change(
        self, protocol: str | Sequence[Dose] | None = None, *, times: Any = None, **settings: Any
    ) -> ProtocolOccupancy:
        """Change the protocol, the times or any setting, and follow it anew; what is not named stays.

        Raises
        ------
        ValueError
            As `occupancy` does; then all stays as it was.
        """
        now = self.protocol if protocol is None else protocol
        when = self.times if times is None else times
        every = self.settings | settings
        layout = lay_out(now, **every)
        drawn = (every.get("draws", 0), every.get("seed", 0))
        self._kept.identity = [(one.name, hash(one.nodes.tobytes()), drawn) for one in layout.parameters]
        found = follow(layout, curve_times(layout) if when is None else read_times(when), kept=self._kept)
        self.protocol, self.times, self.settings, self.occupancy = now, when, every, found
        return found


@laying_out
def live(protocol: str | Sequence[Dose], *, times: Any = None, **settings: Any) -> LiveOccupancy:
    """Follow a protocol to the receptors, ready to be changed and followed again at once.

    Parameters
    ----------
    protocol, times, settings
        As in `occupancy`.

    Returns
    -------
    LiveOccupancy
        Its `occupancy` is what `occupancy` returns; ``change(...)`` takes another protocol or setting.

    Examples
    --------
    >>> now = live("naltrexone 50 mg po", targets=["MOR"], times=["4 h"], draws=64)
    >>> less = now.change("naltrexone 1 mg po")
    >>> float(less.targets["MOR"].occupied.mean()) < 0.9
    True
    """
    return LiveOccupancy(protocol, times=times, **settings)
