"""Hours as people write them."""


def written(hours: float) -> str:
    """Write hours in the unit that suits their size.

    Examples
    --------
    >>> written(0.75), written(4.0), written(-1.5), written(168.0), written(0.0)
    ('45 min', '4 h', '\u22121.5 h', '7 d', '0 h')
    """
    size = abs(hours)
    if size == 0:
        return "0 h"
    if size < 1:
        value, unit = hours * 60, "min"
    elif size < 48:
        value, unit = hours, "h"
    else:
        value, unit = hours / 24, "d"
    return f"{value:.3g} {unit}".replace("-", "\u2212")
