"""Dose series: what doses through chains give at times that are known beforehand, many series at once.

A series is one dose or regular doses through one chain, read at its own times. Whatever its kind (bolus, infusion,
repeated, at steady state), it is a sum of few terms that decay, so that all series with as many times are one call of
`decays`. Where a delay or the length of an input is uncertain, the times of the terms follow the draw.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from gaddum.exposure.chains import Chain, Chains, chains_of, lay_chains, responses_of
from gaddum.exposure.impulse import Impulse
from gaddum.exposure.plan import Input, Ligand, SetConcentration, Site
from gaddum.numerics.array_library import AnyArray, array_library
from gaddum.numerics.decays import decays
from gaddum.numerics.segments import collect, pick, spread

SHORTEST = 1e-12
"""Length of an input (h) up to which it is a bolus: its rate would overflow, and rate times length underflow."""
LINGERING = 0.5
"""Fall of the log concentration over the later half of an interval between doses up to which a series is smooth."""


class DoseSeries(NamedTuple):
    """A series of doses through a chain, or a set concentration, at given times."""

    chain: Chain | None
    given: Input | SetConcentration
    times: tuple[float, ...]
    """Hours from the test drug."""


class Parts(NamedTuple):
    """Terms of series through one group of chains whose times are known; [parts] but for the times."""

    group: int
    present: Bool[np.ndarray, "poles parts"]
    """Which of its poles each has; those of a transit chain, beyond, all have."""
    chain: Int[np.ndarray, " parts"]
    series: Int[np.ndarray, " parts"]
    factor: Float[np.ndarray, " parts"]
    """Amount (nmol), negative where a part is taken away."""
    length: Float[np.ndarray, " parts"]
    """Length of an input, by which its rate is known (h); 0 for a bolus."""
    interval: Float[np.ndarray, " parts"]
    """Interval of a series, of which the part is the sum without end (h); 0 for a single dose."""
    times: Float[np.ndarray, "parts times"]
    """Hours over which it has decayed; infinite where it has not begun."""


class SeriesKind(NamedTuple):
    """What a series is, which says of which terms it consists."""

    timed: bool
    """Whether its inputs have a length."""
    repeated: bool
    endless: bool
    """Whether doses were given at its interval for ever before."""


class Drawn(NamedTuple):
    """Series of one kind through one group of chains whose delay or length is uncertain; [series] but for the times."""

    group: int
    kind: SeriesKind
    present: Bool[np.ndarray, " poles"]
    """Which poles any of them has; those of a transit chain, beyond, all have."""
    chain: Int[np.ndarray, " series"]
    series: Int[np.ndarray, " series"]
    amount: Float[np.ndarray, " series"]
    length: Float[np.ndarray, " series"]
    """Length of an input (h); 0 for a bolus or where it is uncertain."""
    interval: Float[np.ndarray, " series"]
    repeats: Float[np.ndarray, " series"]
    release: Int[np.ndarray, " series"]
    """Parameter of an uncertain length, and of a delay; -1 for none."""
    lag: Int[np.ndarray, " series"]
    times: Float[np.ndarray, "series times"]
    """Hours from the first dose, before which others may have been given for ever; the delay is to be taken off."""


class SeriesLayout(NamedTuple):
    """Series with as many times."""

    place: dict[DoseSeries, int]
    held: Int[np.ndarray, " held"]
    """Series that are set concentrations."""
    set_levels: Float[np.ndarray, "held times"]
    """What they are set to (nM)."""
    parts: tuple[Parts | Drawn, ...]


def series_of(
    ligand: Ligand, times: Float[np.ndarray, " times"], site: Site = "brain"
) -> tuple[DoseSeries, ...]:
    """All series that add up to one ligand's concentration, which must have linear kinetics; set ones in brain only."""
    if ligand.is_saturable:
        raise ValueError(
            f"Kinetics must be linear in a case or a simulation, where doses are superposed; {ligand.drug} has "
            "`saturable` elimination. Use `occupancy`, or give the clearance that holds at the doses asked about."
        )
    when = tuple(np.asarray(times, float).tolist())
    found = [DoseSeries(None, span, when) for span in ligand.held if site == "brain"]
    for one in ligand.inputs:
        found += [DoseSeries(chain, _bare(one), when) for chain in chains_of(ligand, one, site)]
    return tuple(found)


def lay_series(wanted: Sequence[DoseSeries], chains: Chains, count: int | None = None) -> SeriesLayout:
    """Lay distinct series with as many times out; `count` says how many where there may be no series."""
    place = {one: number for number, one in enumerate(dict.fromkeys(wanted))}
    count = len(wanted[0].times) if wanted else count or 0
    held: list[int] = []
    set_levels: list[np.ndarray] = []
    fixed: dict[int, list[tuple]] = {}
    drawn: dict[tuple[int, SeriesKind], list[tuple]] = {}
    for one, number in place.items():
        if one.chain is None or not isinstance(one.given, Input):
            level, start, end = one.given[:3]
            at = np.array(one.times)
            held.append(number)
            set_levels.append(np.where((at >= start) & (at <= end), level, 0.0))
            continue
        group, chain = chains.place[one.chain]
        given, hours = one.given, np.array(one.times) - one.given.start
        length = given.duration if given.release < 0 and given.duration > SHORTEST else 0.0
        kind = SeriesKind(
            length > 0 or given.release >= 0, given.repeats > 1 or given.steady_state, given.steady_state
        )
        if given.release >= 0 or given.lag >= 0:
            row = (given.amount, length, given.interval, given.repeats, given.release, given.lag, hours)
            drawn.setdefault((group, kind), []).append((chain, number, *row))
        else:
            mine = _fixed(kind, given, length, hours)
            fixed.setdefault(group, []).extend((chain, number, *part) for part in mine)
    parts: list[Parts | Drawn] = [
        Parts(group, chains.alike[group].poles[:, [row[0] for row in mine]] >= 0, *_columns(mine, "iiffff"))
        for group, mine in sorted(fixed.items())
        if mine
    ]
    for (group, kind), mine in sorted(drawn.items()):
        present = np.any(chains.alike[group].poles[:, [row[0] for row in mine]] >= 0, axis=1)
        parts.append(Drawn(group, kind, np.asarray(present), *_columns(mine, "iiffffiif")))
    return SeriesLayout(
        place, np.array(held, int), np.array(set_levels).reshape(len(held), count), tuple(parts)
    )


def levels(
    laid: SeriesLayout,
    responses: Sequence[Impulse],
    theta: Float[AnyArray, "parameters batch"],
    slopes: Any = None,
) -> Float[AnyArray, "series times batch"]:
    """Concentrations (nM) by series, from the responses of the same chains and log parameters of the register.

    `slopes` is the precision of the gradient where it may be less than that of the concentrations, as `decays` says.
    """
    xp, count = array_library(theta), len(laid.place)
    held = xp.asarray(laid.set_levels)[..., None]
    found, series = [xp.broadcast_to(held, (*laid.set_levels.shape, theta.shape[1]))], [laid.held]
    for mine in laid.parts:
        if isinstance(mine, Drawn):
            found.append(_followed(mine, responses[mine.group], theta))
            series.append(mine.series)
    total = collect(xp.concatenate(found), np.concatenate(series), count)
    if any(isinstance(mine, Parts) for mine in laid.parts):
        rows = _in_rows([mine for mine in laid.parts if isinstance(mine, Parts)], responses)
        rates, weights = (
            spread(xp.concatenate([x.reshape(-1, theta.shape[1]) for x in of]), rows.pole)
            for of in zip(*responses, strict=True)
        )
        factor, length, interval = (x[:, None] for x in (rows.factor, rows.length, rows.interval))
        weights = _weighted(rates, weights * factor, length, interval)
        total = total + decays(rates, weights, rows.times, rows.series, count, slopes=slopes)
    return xp.maximum(total, 0.0)  # a sum of residues can end a rounding error below zero


class _Rows(NamedTuple):
    """Parts pole by pole, those of all groups together."""

    pole: Int[np.ndarray, " rows"]
    """Place among the poles of all groups."""
    series: Int[np.ndarray, " rows"]
    factor: Float[np.ndarray, " rows"]
    length: Float[np.ndarray, " rows"]
    interval: Float[np.ndarray, " rows"]
    times: Float[np.ndarray, "rows times"]


def _in_rows(parts: list[Parts], responses: Sequence[Impulse]) -> _Rows:
    """Rows of parts, in an order in which `collect` adds them as they are."""
    first = np.cumsum([0, *(impulse.rates.shape[0] * impulse.rates.shape[1] for impulse in responses)])
    found = []
    for mine in parts:
        poles, chains = responses[mine.group].rates.shape[:2]
        for pole in range(poles):
            there = np.flatnonzero(mine.present[pole]) if pole < len(mine.present) else slice(None)
            place = first[mine.group] + pole * chains + mine.chain[there]
            found.append((place, *(getattr(mine, name)[there] for name in _Rows._fields[1:])))
    rows = _Rows(*(np.concatenate(of) for of in zip(*found, strict=True)))
    by_series = np.argsort(rows.series, kind="stable")
    counts = np.bincount(rows.series)
    slot = np.empty(len(by_series), int)
    slot[by_series] = np.arange(len(by_series)) - (np.cumsum(counts) - counts)[rows.series[by_series]]
    order = np.lexsort((rows.series, slot, -counts[rows.series]))
    return _Rows(*(x[order] for x in rows))


def lingers(
    ligand: Ligand, medians: Float[np.ndarray, " parameters"], tied: Sequence[tuple[int, float]]
) -> bool:
    """Whether a ligand falls by `LINGERING` at most over the later half of every interval between its doses."""
    theta = medians[:, None]
    for one in ligand.inputs:
        if one.repeats > 1:
            once = ligand._replace(inputs=(one._replace(start=0.0, repeats=1),))
            mine = series_of(once, np.array([one.interval / 2, one.interval]))
            chains = lay_chains([x.chain for x in mine if x.chain is not None], tied)
            found = levels(lay_series(mine, chains), responses_of(chains, theta), theta).sum(0)
            if found[1, 0] < np.exp(-LINGERING) * found[0, 0]:
                return False
    return True


def _terms(kind: SeriesKind, hours: Any, lag: Any, length: Any, interval: Any, repeats: Any) -> list[tuple]:
    """Terms that add up to a series: how many at each time, how long they have decayed, whether as a sum without end.

    `hours` are from the first dose, which enters after the lag. Of a steady state, the tail of the interval before is
    shown until then, and nothing before the dose.

    A dose that lasts is one without end that begins with it, less one that begins at its end. Doses of an interval are
    those without end, less what comes after the last. Inputs may last longer than their interval: those that still
    run do not decay.
    """
    xp, since = array_library(lag, length), hours - lag
    if not kind.repeated:
        begun = xp.where(since >= 0, 1.0, 0.0)
        one = [(begun, xp.maximum(since - length, 0.0), False)]
        return [*one, (-begun, xp.maximum(since, 0.0), False)] if kind.timed else one
    begun = xp.minimum(xp.floor(since / interval + 1e-9) + 1, repeats)
    if not kind.endless:
        begun = xp.maximum(begun, 0.0)
    shown = xp.where(hours >= 0 if kind.endless else begun > 0, 1.0, 0.0)
    last = xp.maximum(since - (begun - 1) * interval, 0.0)
    running = xp.maximum(xp.ceil((length - last) / interval), 0.0)
    if not kind.endless:
        running = xp.minimum(running, begun)
    found = [(shown, xp.maximum(last + running * interval - length, 0.0), True)]
    if kind.timed:
        found += [(-shown, last, True), (shown * running, 0.0 * last, False)]
    if not kind.endless:
        every = last + begun * interval
        found.append((-shown, xp.maximum(every - length, 0.0), True))
        found += [(shown, every, True)] if kind.timed else []
    return found


def _fixed(kind: SeriesKind, one: Input, length: float, hours: np.ndarray) -> list[tuple]:
    """Parts of a series whose times are known, as fields of `Parts` from the factor on."""
    found = []
    for count, decaying, endless in _terms(kind, hours, 0.0, length, one.interval, one.repeats):
        for place in range(int(np.abs(count).max(initial=0.0))):
            factor = one.amount * np.sign(count.sum())
            times = np.where(np.abs(count) > place, decaying, np.inf)
            found.append((factor, length, one.interval if endless else 0.0, times))
    return found


def _followed(mine: Drawn, impulse: Impulse, theta: AnyArray) -> AnyArray:
    xp = array_library(theta)
    poles = [*np.flatnonzero(mine.present), *range(mine.present.size, len(impulse.rates))]
    every: Any = impulse
    rates, weights = (xp.stack([pick(of[place], mine.chain) for place in poles]) for of in every)
    amount, length, interval, repeats = (
        x[:, None] for x in (mine.amount, mine.length, mine.interval, mine.repeats)
    )
    lag, length = _drawn(theta, mine.lag), length + _drawn(theta, mine.release)
    once = _weighted(rates, weights * amount, length, None)
    always = _weighted(rates, once, None, interval)
    total = xp.zeros((*mine.times.shape, theta.shape[1]))
    hours = mine.times[..., None]
    for count, decaying, endless in _terms(
        mine.kind, hours, *(x[:, None] for x in (lag, length, interval, repeats))
    ):
        heavy = always if endless else once
        total = total + count * _decayed(rates, heavy, decaying)
    return total


def _decayed(rates: Any, weights: Any, hours: Any) -> Any:
    """Sum over poles of weights that decay; pole by pole in numpy, where the array of all would not fit the cache."""
    xp = array_library(rates)
    if xp is not np:
        return (weights[:, :, None] * xp.exp(-rates[:, :, None] * hours)).sum(0)
    total = np.zeros(np.broadcast_shapes(rates[0, :, None].shape, hours.shape))
    for rate, weight in zip(rates, weights, strict=True):
        part = np.exp(-rate[:, None] * hours)
        part *= weight[:, None]
        total += part
    return total


def _weighted(rates: AnyArray, weights: AnyArray, length: Any, interval: Any) -> AnyArray:
    """Weights of terms by the length of their inputs, and of a sum without end by its interval; 0 or none for none."""
    xp = array_library(rates, weights)
    if length is not None:
        weights = weights / xp.where(length > 0, rates * length, 1.0)
    if interval is not None:
        weights = weights / xp.where(interval > 0, -xp.expm1(-rates * interval), 1.0)
    return weights


def _drawn(theta: AnyArray, place: np.ndarray) -> AnyArray:
    """Times that are parameters (h); 0 where there is none."""
    return array_library(theta).exp(pick(theta, place)) * (place >= 0).astype(theta.dtype)[:, None]


def _bare(one: Input) -> Input:
    """What is given and when, without the way it takes."""
    return one._replace(route="", k_a=-1, stages=0, transit=-1, f=-1)


def _columns(rows: list[tuple], kinds: str) -> list[np.ndarray]:
    """Columns of rows of numbers, as integers (i) or not (f)."""
    return [
        np.array(column, int if kind == "i" else float)
        for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)
    ]
