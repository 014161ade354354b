"""What a concentration does at a receptor: occupancy, shift, stimulus, block.

Between exposure (concentrations) and gates (features of targets). Formulas are written with operators only,
so that they take floats, arrays and pint quantities alike; only the two kinetic functions need JAX arrays.
Concentrations and constants are unbound and in one unit (nM in gaddum); voltages in mV.

Steady state is the right form for behaviour, where binding settles within seconds. `trapping_block` is for
channel block in slices, `slow_offset` for antagonists whose receptor half-life outlasts their plasma
half-life.
"""

import math
from typing import Any, TypeAlias

import jax.numpy as jnp
from jax import Array, lax
from jax.scipy.linalg import expm
from jax.typing import ArrayLike

Value: TypeAlias = Any  # float, array or pint quantity: anything with arithmetic


def occupancy(concentrations: Value, k_i: Value) -> Value:
    """Fraction of receptors held by each of n ligands that compete for one site (Gaddum).

    An endogenous agonist is one more ligand.

    Parameters
    ----------
    concentrations
        Unbound concentrations (nM), shape [ligands, ...].
    k_i
        Equilibrium dissociation constants (nM), shape [ligands], or that of `concentrations`.

    Returns
    -------
    Value
        Occupancies (fractions), shape of `concentrations`; what they leave of 1 is free receptor.

    References
    ----------
    Gaddum JH (1937). The quantitative effects of antagonistic drugs. J Physiol 89, 7P-9P.

    Examples
    --------
    >>> import numpy as np
    >>> occupancy(np.array([10.0, 30.0]), np.array([10.0, 15.0])).tolist()
    [0.25, 0.5]
    """
    if k_i.ndim == 1:
        k_i = k_i.reshape((-1,) + (1,) * (concentrations.ndim - 1))
    ratios = concentrations / k_i
    return ratios / (1 + ratios.sum(axis=0, keepdims=True))


def schild_dose_ratio(b: Value, k_b: Value, slope: Value = 1.0) -> Value:
    """Factor by which an antagonist shifts an agonist's concentration-response curve to the right.

    Parameters
    ----------
    b, k_b
        Concentration of the antagonist and its dissociation constant (nM).
    slope
        Schild slope (1); 1 is simple competition.

    References
    ----------
    Arunlakshana O, Schild HO (1959). doi:10.1111/j.1476-5381.1959.tb00928.x
    """
    return 1 + (b / k_b) ** slope


def gaddum_ec50_shift(
    a: Value,
    b: Value,
    ec50: Value,
    k_b: Value,
    *,
    slope: Value = 1.0,
    hill: Value = 1.0,
    bottom: Value = 0.0,
    top: Value = 1.0,
) -> Value:
    """Response to an agonist with an antagonist present, in Prism's "Gaddum/Schild EC50 shift" form.

    Prism writes ``10**-pA2`` (molar) for `k_b`, and log10 of the concentration of agonist for its X.

    Parameters
    ----------
    a, b
        Concentrations of agonist and antagonist (nM).
    ec50
        EC50 of the agonist alone (nM).
    k_b
        Concentration of antagonist that doubles the EC50 (nM): A2.
    slope, hill
        Schild slope and Hill slope (1).
    bottom, top
        Response without agonist and at saturation, in the unit of the response.
    """
    relative = (a / (ec50 * schild_dose_ratio(b, k_b, slope))) ** hill
    return bottom + (top - bottom) * (relative / (1 + relative))


def operational(a: Value, k_a: Value, tau: Value, e_max: Value = 1.0, n: Value = 1.0) -> Value:
    """Effect of an agonist by the operational model.

    Parameters
    ----------
    a, k_a
        Concentration of the agonist and its dissociation constant (nM).
    tau
        Operational efficacy (1): receptors over those needed for a half-maximal effect.
    e_max
        Maximal effect of the system, in the unit of the effect.
    n
        Slope of the transducer (1).

    References
    ----------
    Black JW, Leff P (1983). doi:10.1098/rspb.1983.0093
    """
    stimulus = (tau * (a / (k_a + a))) ** n
    return e_max * (stimulus / (1 + stimulus))


def operational_with_antagonist(
    a: Value, k_a: Value, tau: Value, e_max: Value, n: Value, b: Value, k_b: Value
) -> Value:
    """Effect of an agonist by the operational model with a competitive antagonist present.

    Parameters
    ----------
    a, k_a, tau, e_max, n
        As in `operational`.
    b, k_b
        Concentration of the antagonist and its dissociation constant (nM).
    """
    return operational(a, k_a * schild_dose_ratio(b, k_b), tau, e_max, n)


def reserve_transduction(a: Value, tau: Value) -> Value:
    """Stimulus from occupancy through a receptor reserve, scaled so that 0 gives 0 and 1 gives 1.

    The operational model with slope 1, divided by its value at full occupancy. A reserve of 0 gives the
    occupancy itself; a large reserve saturates early.

    Parameters
    ----------
    a
        Occupancy by agonist, weighted by efficacy (fraction).
    tau
        Receptor reserve (1).
    """
    return (1 + tau) * a / (1 + tau * a)


def furchgott(tau: Value, q: Value) -> Value:
    """Operational efficacy (1) when an irreversible antagonist leaves the fraction `q` of receptors.

    References
    ----------
    Furchgott RF (1966). The use of beta-haloalkylamines in the differentiation of receptors and in the
    determination of dissociation constants of receptor-agonist complexes. Adv Drug Res 3, 21-55.
    """
    return q * tau


def cheng_prusoff(ic50: Value, c: Value, k: Value) -> Value:
    """Dissociation constant (nM) of a competitor from the IC50 of a binding assay.

    Parameters
    ----------
    ic50
        Concentration that halves the binding of the labelled ligand (nM).
    c, k
        Concentration and dissociation constant of the labelled ligand (nM).

    References
    ----------
    Cheng Y, Prusoff WH (1973). doi:10.1016/0006-2952(73)90196-2
    """
    return ic50 / (1 + c / k)


def leff_dougall(ic50: Value, a: Value, ec50: Value, n: Value = 1.0) -> Value:
    """Dissociation constant (nM) of an antagonist from the IC50 of a functional assay.

    Parameters
    ----------
    ic50
        Concentration that halves the response to the agonist (nM).
    a, ec50
        Concentration of the agonist in the assay and its EC50 (nM).
    n
        Hill slope of the agonist (1); 1 gives `cheng_prusoff`.

    References
    ----------
    Leff P, Dougall IG (1993). doi:10.1016/0165-6147(93)90080-4
    """
    return ic50 / ((2 + (a / ec50) ** n) ** (1 / n) - 1)


def uncompetitive_block(c: Value, k_d: Value) -> Value:
    """Fraction of channels held by a fully trapped blocker at steady state.

    Closing with the blocker inside changes the time that block takes, not its equilibrium. Give `k_d` at the
    voltage and magnesium of interest: `woodhull`, `magnesium_shift`.

    Parameters
    ----------
    c, k_d
        Concentration of the blocker and its dissociation constant from the open channel (nM).
    """
    return c / (c + k_d)


def woodhull(k_d: Value, v: Value, v_0: Value, charge: Value, thermal: Value) -> Value:
    """Dissociation constant (nM) of a charged blocker at voltage `v`.

    Parameters
    ----------
    k_d
        Dissociation constant at `v_0` (nM).
    v, v_0
        Voltage, and the voltage at which `k_d` was measured (mV).
    charge
        Valence times electrical depth of the site, z delta (1).
    thermal
        RT/F (mV); see `thermal_voltage`.

    References
    ----------
    Woodhull AM (1973). doi:10.1085/jgp.61.6.687
    """
    return k_d * math.e ** (charge * (v - v_0) / thermal)


def thermal_voltage(temperature: float) -> float:
    """RT/F (mV) at a temperature in kelvin.

    Examples
    --------
    >>> round(thermal_voltage(310.15), 2)
    26.73
    """
    from scipy import constants  # here, since its import takes long

    faraday = constants.elementary_charge * constants.Avogadro
    return 1e3 * constants.gas_constant * temperature / faraday


def magnesium_shift(k_d: Value, magnesium: Value, k_mg: Value) -> Value:
    """Apparent dissociation constant (nM) of a blocker that competes with Mg2+ for the open channel.

    Parameters
    ----------
    k_d
        Dissociation constant without magnesium (nM).
    magnesium, k_mg
        Free Mg2+ and its dissociation constant at the same voltage, in one unit.
    """
    return k_d * (1 + magnesium / k_mg)


def trapping_block(
    times: ArrayLike,
    initial: ArrayLike,
    c: ArrayLike,
    k_on: ArrayLike,
    k_off: ArrayLike,
    *,
    opening: ArrayLike,
    closing: ArrayLike,
) -> Array:
    """Course of trapping block at a constant concentration: closed, open, blocked open, blocked closed.

    The blocker enters and leaves only through the open state; the gate moves at the same rates with the
    blocker inside. At a changing concentration, start each stretch from the end of the one before.

    Parameters
    ----------
    times
        Times since the start of the stretch, shape [times].
    initial
        Fractions in the states C, O, OB, CB at the start, shape [4] or [4, *batch].
    c
        Concentration of the blocker (nM), scalar or shape [*batch].
    k_on, k_off
        Association (per nM and time) and dissociation (per time), scalar or shape [*batch].
    opening, closing
        Rates of the gate (per time), scalar or shape [*batch].

    Returns
    -------
    Array
        Fractions, shape [4, times, *batch]; block is the sum of the last two.
    """
    initial, times = jnp.asarray(initial, float), jnp.asarray(times, float)
    rates = [jnp.asarray(x, float) for x in (c, k_on, k_off, opening, closing)]
    batch = jnp.broadcast_shapes(initial.shape[1:], *(x.shape for x in rates))
    c, k_on, k_off, opening, closing = (jnp.broadcast_to(x, batch) for x in rates)
    initial = jnp.broadcast_to(
        initial.reshape((4,) + (1,) * (1 + len(batch) - initial.ndim) + initial.shape[1:]), (4, *batch)
    )
    none, bind = jnp.zeros(batch), k_on * c
    flow = jnp.stack([  # flow[to, from]
        jnp.stack([-opening, closing, none, none]),
        jnp.stack([opening, -closing - bind, k_off, none]),
        jnp.stack([none, bind, -k_off - closing, opening]),
        jnp.stack([none, none, closing, -opening]),
    ])  # fmt: skip
    flow = jnp.moveaxis(flow, (0, 1), (-2, -1))[None]
    span = times.reshape(times.shape + (1,) * (flow.ndim - 1))
    moved = expm(flow * span, max_squarings=48)
    course = jnp.einsum("t...ij,...j->t...i", moved, jnp.moveaxis(initial, 0, -1))
    return jnp.moveaxis(course, -1, 0)


def slow_offset(
    times: ArrayLike, occupancy0: ArrayLike, c: ArrayLike, k_on: ArrayLike, k_off: ArrayLike
) -> Array:
    """Occupancy by a ligand that binds and leaves slowly, at piecewise constant concentration.

    ``d rho / dt = k_on c (1 - rho) - k_off rho``, exact within each stretch. With ``k_off = 0`` the
    antagonist is irreversible. Where another ligand competes at equilibrium, divide `c` by its ``1 + C /
    K``.

    Parameters
    ----------
    times
        Ends of the stretches (h), ascending, shape [stretches + 1].
    occupancy0
        Occupancy at the first time (fraction), scalar or shape [*batch].
    c
        Concentration in each stretch (nM), shape [stretches] or [stretches, *batch].
    k_on, k_off
        Association (1/nM/h) and dissociation (1/h), scalar or shape [*batch].

    Returns
    -------
    Array
        Occupancy at `times`, shape [stretches + 1, *batch].
    """
    times, c = jnp.asarray(times, float), jnp.asarray(c, float)
    if times.shape[0] != c.shape[0] + 1:
        raise ValueError(
            f"times must hold one value more than there are stretches of concentration; got {times.shape[0]} "
            f"times and {c.shape[0]} stretches. Give both ends of every stretch."
        )
    batch = jnp.broadcast_shapes(c.shape[1:], *(jnp.shape(x) for x in (occupancy0, k_on, k_off)))
    c = jnp.broadcast_to(
        c.reshape(c.shape[:1] + (1,) * (1 + len(batch) - c.ndim) + c.shape[1:]), (len(c), *batch)
    )
    first, k_on, k_off = (jnp.broadcast_to(jnp.asarray(x, float), batch) for x in (occupancy0, k_on, k_off))

    def step(rho: Array, stretch: tuple[Array, Array]) -> tuple[Array, Array]:
        concentration, span = stretch
        rate = k_on * concentration + k_off
        moving = rate > 0
        safe = jnp.where(moving, rate, 1.0)
        settled = jnp.where(moving, k_on * concentration / safe, rho)
        rho = settled + (rho - settled) * jnp.exp(-rate * span)
        return rho, rho

    later = lax.scan(step, first, (c, jnp.diff(times)))[1]
    return jnp.concatenate([first[None], later])
