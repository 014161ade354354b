"""Formulas of the organ bath: shift by an antagonist, operational model, constants from an IC50.

Written with operators only, so that they take floats, arrays and pint quantities alike. Concentrations and constants
are in one unit (nM in gaddum). What ligands do at a receptor in the chain is `engagement.receptor`'s.
"""

from typing import Any, TypeAlias

Value: TypeAlias = Any  # float, array or pint quantity: anything with arithmetic


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
