"""Dosing: what happens when to linear compartments, as NONMEM's PREDPP has it.

Records are taken in the order given. Additional and lagged doses come due between them; one that is due at the time of
a record enters before the record is dealt with. Times that agree to 1 part in 10^12 are the same time.

====  =============================================================================================================
EVID  meaning
====  =============================================================================================================
0     observation
1     dose
2     other: amounts are given, nothing happens
3     reset: amounts are zero, running infusions, additional and lagged doses are cancelled, time may go back
4     reset, then dose; additional doses of the record do not reset
====  =============================================================================================================

====  =============================================================================================================
SS    meaning, for a dose that had been given every II since ever
====  =============================================================================================================
1, 3  amounts become the steady state; what ran or was pending is cancelled
2     the steady state is added to what is there
====  =============================================================================================================

With a lag the steady state is what those doses leave, each arriving ALAG after its time: the dose itself arrives ALAG
after its record, infusions that have begun run on, and with a lag of II or more those of the doses before it that are
still under way arrive in their turn. NONMEM differs where the lag is II or more: it lets the last of the implied doses
arrive with the record (ADVAN13), and gives more than AMT of an infusion. AMT = 0 with RATE and SS but no II is a
constant infusion since ever that ends at the record; lag and F leave it alone.

References: NONMEM Users Guide VI (PREDPP), chapter V; NONMEM's answers for lags of II or more as reported in
https://github.com/FeRx-NLME/ferx-core/pull/1125; for doses that coincide with a record in
https://github.com/metrumresearchgroup/mrgsolve/issues/424.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from gaddum.exposure.linear import LinearSystem, constant_steady_state, periodic_steady_state, propagator

MAX_DOSES = 100_000
"""Doses a subject may get in all, additional ones included."""
MAX_OVERLAP = 1000
"""Intervals that an infusion, or the lag, of a steady state may last."""
_SAME_TIME = 1e-12


@dataclass(frozen=True)
class DosingEvent:
    """One record of a subject's dosing history."""

    time: float
    """When (h)."""
    evid: int = 0
    """Kind of event, see the table above."""
    amount: float = 0.0
    """Amount given (AMT); 0 only for a constant infusion at steady state."""
    rate: float = 0.0
    """Infusion rate (amount/h); 0 bolus; -1 the compartment's `rate`; -2 its `duration`."""
    compartment: int = 0
    """Where it goes; 0 is the system's default."""
    interval: float = 0.0
    """Time between doses (II, h)."""
    additional: int = 0
    """Number of further doses (ADDL)."""
    steady_state: int = 0
    """SS, see the table above."""
    duration: float = 0.0
    """Length of an infusion (h) of a dose without a rate, whatever F is; 0 a bolus."""


@dataclass(frozen=True)
class Entry:
    """How doses enter a compartment."""

    bioavailability: float = 1.0
    """F: fraction of a dose that enters; it shortens an infusion of given rate."""
    lag: float = 0.0
    """ALAG (h): time from a dose's record to its entering."""
    rate: float | None = None
    """R (amount/h): rate of doses with RATE = -1."""
    duration: float | None = None
    """D (h): duration of doses with RATE = -2."""

    def __post_init__(self) -> None:
        for name, value in (("F", self.bioavailability), ("R", self.rate), ("D", self.duration)):
            if value is not None and not 0 < value < np.inf:
                raise ValueError(f"{name} of a compartment must be positive and finite; got {value!r}.")
        if not 0 <= self.lag < np.inf:
            raise ValueError(f"ALAG must be non-negative and finite (h); got {self.lag!r}.")


def amounts(
    system: LinearSystem | Sequence[LinearSystem],
    events: Sequence[DosingEvent],
    entries: Mapping[int, Entry] | Sequence[Mapping[int, Entry]] | None = None,
) -> Float[np.ndarray, "events compartments"]:
    """Amounts in the compartments right after each event.

    Parameters
    ----------
    system : LinearSystem or sequence of LinearSystem
        The compartments; or one system an event, of one size, each holding from the event before it on, as in NONMEM.
    events : sequence of DosingEvent
        One subject's records, in order of time but for resets.
    entries : mapping of int to Entry, or sequence of such, optional
        How doses enter each compartment; or so one an event, for its doses. At once and fully where not given.

    Returns
    -------
    array, shape (events, compartments + 1)
        Amounts; in the last column what has left since the first record, the last reset or the last steady state.

    Examples
    --------
    >>> import numpy as np
    >>> system = LinearSystem(np.array([[-np.log(2)]]))
    >>> events = [DosingEvent(0.0, 1, 8.0, interval=1.0, steady_state=1), DosingEvent(1.0)]
    >>> amounts(system, events)[:, 0].round(12).tolist()
    [16.0, 8.0]
    """
    if isinstance(system, LinearSystem):
        system = [system] * max(len(events), 1)
    if entries is None or isinstance(entries, Mapping):
        entries = [entries or {}] * len(events)
    course = _SubjectState(system[0])
    after = [course.take(*one).copy() for one in zip(events, system, entries, strict=False)]
    return np.array(after).reshape(len(events), system[0].size + 1)


@dataclass(frozen=True, order=True)
class _ScheduledChange:
    """Something that happens by itself: an inflow that changes, or a bolus that enters."""

    time: float
    order: int
    compartment: int
    bolus: float = 0.0
    rate: float = 0.0
    """Change of inflow (amount/h); negative where an infusion ends."""
    duration: float = 0.0
    interval: float = 0.0
    left: int = 0
    """Doses of the series still to come after this one."""
    first: float = 0.0
    index: int = 0


class _SubjectState:
    """State of one subject, from record to record."""

    def __init__(self, system: LinearSystem):
        self._system, self._entries = system, {}
        self._advance = propagator(system)
        self._now: float | None = None
        self._given = self._order = 0
        self._clear()

    def take(self, event: DosingEvent, system: LinearSystem, entries: Mapping[int, Entry]) -> np.ndarray:
        """Deal with one record; give the amounts after it."""
        if system is not self._system:
            self._system, self._advance = system, propagator(system)
        self._entries = entries
        if not np.isfinite(event.time):
            raise ValueError(f"The time of an event must be finite (h); got {event.time!r}.")
        if event.evid not in (0, 1, 2, 3, 4):
            raise ValueError(f"EVID must be 0, 1, 2, 3 or 4; got {event.evid!r}.")
        if event.compartment < 0:
            raise ValueError(
                f"A compartment cannot be turned off: CMT must be 0 or positive; got {event.compartment}. Leave it "
                "out of the system instead."
            )
        if event.evid in (3, 4):
            self._clear()
            self._now = event.time
        else:
            self._move_to(event.time)
        if event.evid in (1, 4):
            self._give(event)
        return self._state

    def _clear(self) -> None:
        size = self._system.size + 1
        self._state, self._inflow = np.zeros(size), np.zeros(size)
        self._running = [0] * size
        self._due: list[_ScheduledChange] = []

    def _move_to(self, time: float) -> None:
        if self._now is None:
            self._now = time
        tolerance = _SAME_TIME * max(1.0, abs(time))
        if time < self._now - tolerance:
            raise ValueError(
                f"Times must not go back within a subject except at a reset (EVID 3 or 4); got {time:g} h after "
                f"{self._now:g} h."
            )
        while self._due and self._due[0].time <= time + tolerance:
            due = heapq.heappop(self._due)
            self._drift(min(due.time, time))
            self._happen(due)
        self._drift(time)

    def _drift(self, time: float) -> None:
        assert self._now is not None
        hours = time - self._now
        if hours > 0:
            self._state = self._advance(self._state, self._inflow, hours)
            self._now = time

    def _happen(self, due: _ScheduledChange) -> None:
        place = due.compartment - 1
        if due.rate:
            self._running[place] += 1 if due.rate > 0 else -1
            rest = self._inflow[place] + due.rate
            self._inflow[place] = rest if self._running[place] else 0.0  # no rounding left behind
        if due.bolus:
            self._state = self._state.copy()
            self._state[place] += due.bolus
        if due.rate > 0:
            self._push(time=due.time + due.duration, compartment=due.compartment, rate=-due.rate)
        if due.left:
            self._push(
                time=due.first + (due.index + 1) * due.interval, compartment=due.compartment, bolus=due.bolus,
                rate=due.rate, duration=due.duration, interval=due.interval, left=due.left - 1, first=due.first,
                index=due.index + 1,
            )  # fmt: skip

    def _push(self, **what: float) -> None:
        self._order += 1
        heapq.heappush(self._due, _ScheduledChange(order=self._order, **what))  # pyright: ignore[reportArgumentType]  # ints pass as floats

    def _count(self, doses: int) -> None:
        self._given += doses
        if self._given > MAX_DOSES:
            raise ValueError(
                f"A subject must get at most {MAX_DOSES} doses, additional ones included; got {self._given}. Lower "
                "ADDL."
            )

    def _give(self, event: DosingEvent) -> None:
        compartment = event.compartment or self._system.dose_compartment
        if not 1 <= compartment <= self._system.size:
            raise ValueError(
                f"A dose must go to a compartment of 1 to {self._system.size}; got {compartment}."
            )
        entry = self._entries.get(compartment, Entry())
        if event.amount == 0:
            self._give_for_ever(event, compartment, _rate(event, entry, compartment))
            return
        amount, duration = _extent(event, entry, compartment)
        if (event.additional or event.steady_state) and not 0 < event.interval < np.inf:
            raise ValueError(
                f"Additional or steady-state doses must have a positive interval II (h); got {event.interval!r}."
            )
        if event.additional < 0:
            raise ValueError(f"ADDL must not be negative; got {event.additional}.")
        self._count(1 + event.additional)
        arrival = event.time + entry.lag
        what = {"compartment": compartment, "interval": event.interval, "first": arrival}
        what |= {"rate": amount / duration, "duration": duration} if duration else {"bolus": amount}
        if event.steady_state and self._settle(event, entry.lag, compartment, amount, duration):
            if event.additional:  # the first one has arrived with the steady state
                self._push(time=arrival + event.interval, index=1, left=event.additional - 1, **what)
        else:
            self._push(time=arrival, left=event.additional, **what)
            self._move_to(event.time)

    def _give_for_ever(self, event: DosingEvent, compartment: int, rate: float) -> None:
        if not (event.steady_state and rate > 0 and event.interval == 0 and event.additional == 0):
            raise ValueError(
                "A dose must have a positive AMT, unless it is a constant infusion at steady state (SS, RATE > 0 or "
                f"-1, II = ADDL = 0); got {event}."
            )
        if event.steady_state != 2:
            self._clear()
        self._state = self._state.copy()
        self._state[:-1] += constant_steady_state(self._system, compartment, rate)

    def _settle(
        self, event: DosingEvent, lag: float, compartment: int, amount: float, duration: float
    ) -> bool:
        """Set or add the steady state; whether the record's own dose is part of it already."""
        interval = event.interval
        if not max(duration, lag) <= MAX_OVERLAP * interval:
            raise ValueError(
                f"An infusion or a lag at steady state must last at most {MAX_OVERLAP} intervals; got "
                f"{duration:g} h and {lag:g} h, II {interval:g} h. Say a constant infusion: AMT 0, II 0."
            )
        late = int(np.ceil(lag / interval * (1 - _SAME_TIME)))  # doses under way, the record's own among them
        phase = max(late * interval - lag, 0.0)
        if event.steady_state != 2:
            self._clear()
        arriving = {"rate": amount / duration, "duration": duration} if duration else {"bolus": amount}
        for number in range(1, late):
            self._push(time=event.time + lag - number * interval, compartment=compartment, **arriving)
        self._state = self._state.copy()
        self._state[:-1] += periodic_steady_state(
            self._system, compartment, interval, phase, amount=amount, duration=duration
        )
        elapsed, number = phase, 0
        while elapsed < duration * (1 - _SAME_TIME):
            self._inflow[compartment - 1] += amount / duration
            self._running[compartment - 1] += 1
            self._push(
                time=event.time + (duration - elapsed), compartment=compartment, rate=-amount / duration
            )
            number += 1
            elapsed = phase + number * interval
        return lag == 0


def _rate(event: DosingEvent, entry: Entry, compartment: int) -> float:
    """Rate (amount/h) of an infusion that is given or modelled; 0 for a bolus."""
    if event.rate == -1:
        if entry.rate is None:
            raise ValueError(f"RATE -1 needs the rate R{compartment} of compartment {compartment}; got none.")
        return entry.rate
    if event.rate == -2 and entry.duration is None:
        raise ValueError(f"RATE -2 needs the duration D{compartment} of compartment {compartment}; got none.")
    if not (event.rate >= 0 or event.rate == -2) or event.rate == np.inf:
        raise ValueError(f"RATE must be 0, positive, -1 or -2; got {event.rate!r}.")
    return max(event.rate, 0.0)


def _extent(event: DosingEvent, entry: Entry, compartment: int) -> tuple[float, float]:
    """Amount that enters, and for how long (h)."""
    if not 0 < event.amount < np.inf:
        raise ValueError(f"AMT of a dose must be positive and finite; got {event.amount!r}.")
    rate = _rate(event, entry, compartment)
    amount = entry.bioavailability * event.amount
    if event.duration:
        if event.rate != 0 or not 0 < event.duration < np.inf:
            found = f"got {event.duration:g} h, RATE {event.rate:g}"
            raise ValueError(f"A duration must be positive and finite, and stand without a RATE; {found}.")
        return amount, event.duration
    if event.rate == -2:
        return amount, float(entry.duration or 0.0)
    duration = amount / rate if rate else 0.0
    if duration == np.inf or (rate and duration == 0):
        raise ValueError(
            "The duration F AMT / RATE of an infusion must be positive and finite; got AMT "
            f"{event.amount:g}, RATE {rate:g}."
        )
    return amount, duration
