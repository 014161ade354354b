"""Shorthand: doses as people write them, ``naltrexone 1 mg/kg sc at -1 h``, read by a grammar and written back.

A dose is a drug, an amount, a route, and what else is known: ``over 40 min`` (an infusion), ``for 30 min`` (a bath),
``at -1 h``, ``every 24 h x 7`` or ``every 24 h at steady state``, ``as base`` or ``as salt``. Doses are joined by ``+``
between spaces or by ``;``. What methods sections write is understood: ``ketamine (10 mg/kg, i.p.), 1 h before``,
``once daily for 7 days``, ``q12h``, ``b.i.d.``. A bare ``iv`` is a bolus, and a dose without a time is given at 0 h.
Whether a drug is known is not asked here.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from gaddum import units
from gaddum.records.dose import HELD, ROUTE_NAMES, ROUTES, Dose, Route
from gaddum.text import plain

MAX_LENGTH = 4000

_ENDS = r"(?=[\s;,]|$)"
_TEN = r"10\s?(?:\^|\*\*)\s?[-+]?\d{1,2}"
_SIZE = (
    rf"(?:{_TEN}|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{{1,4}}|\s?[x×*·]\s?(?:{_TEN}|10[-+]\d{{1,2}}))?)"
)
_UNIT = (
    r"[A-Za-zµ%][A-Za-zµ0-9%*·^.-]*"
    r"(?:\s?\/\s?[A-Za-zµ][A-Za-zµ0-9^-]*|\s(?:per\s)?(?:kg|g|min|h|[dmµu]?[lL]|lit(?:re|er))(?:(?<=per\skg)|(?<=per\s[lL])|\^?-[1-3]))*"
    r"(?:\s(?:bw|b\.w\.|body\s?weight))?"
)
_MEASURE = r"(?:[kmuµnp]?g|mcg|(?:micro|milli)grams?|[mnpuµ]?mol(?:es?)?|[mnpuµ]?M|%)(?![A-Za-zµ])"
"""How the unit of a dose or concentration begins; it tells an amount from a number in a drug's name (5-HT 2A)."""
_ROUTE = "|".join(
    re.escape(alias).replace(r"\ ", r"\s+") for alias in sorted(ROUTE_NAMES, key=len, reverse=True)
)
_INTERVALS = {
    "24 h": r"(?:once\s+)?daily|once\s+a\s+day|every\s+day|q\.?d\.?",
    "12 h": r"twice\s+(?:daily|a\s+day)|b\.?i\.?d\.?",
    "8 h": r"(?:three\s+times|thrice)\s+(?:daily|a\s+day)|t\.?i\.?d\.?",
    "6 h": r"four\s+times\s+(?:daily|a\s+day)|q\.?i\.?d\.?",
    "48 h": r"every\s+(?:other|second)\s+day",
    "168 h": r"(?:once\s+)?weekly|once\s+a\s+week|every\s+week",
}
"""Schedules that have words of their own, by the interval that they mean."""
_SCHEDULE = "|".join(_INTERVALS.values())
_BRACKETS = re.compile(rf"(?<=\s)\((?=\s?{_SIZE}\s?{_MEASURE})([^();]*)\)")
_GRAMMAR = rf"""
start: dose ((_SEMICOLON | _PLUS) dose)* _SEMICOLON?
dose: drug AMOUNT salt? ROUTE clause*
drug: NAME
?clause: _OVER QUANTITY -> over
       | _FOR QUANTITY -> for
       | _AT QUANTITY -> at
       | _AT STEADY -> steady
       | _EVERY QUANTITY -> every
       | _Q QUANTITY -> every
       | SCHEDULE -> schedule
       | QUANTITY BEFORE -> beside
       | TIMES -> times
       | salt
salt: AS
_SEMICOLON: /\s*;\s*/
_PLUS: /\s+\+(\s+|$)/
NAME: /(?!\+\s)[^\s;]+?(?:\s+(?!\+\s)[^\s;]+?)*?(?=,?\s+{_SIZE}\s?{_MEASURE})/
AMOUNT.2: /{_SIZE}\s?{_UNIT}{_ENDS}/
QUANTITY.2: /{_SIZE}\s?{_UNIT}{_ENDS}/
ROUTE.3: /(?:{_ROUTE}){_ENDS}/i
_OVER: /over{_ENDS}/i
_FOR: /for{_ENDS}/i
_AT: /(?:at|from){_ENDS}/i
_EVERY: /every{_ENDS}/i
_Q.4: /q(?=\s?\d)/i
SCHEDULE.4: /(?:{_SCHEDULE}){_ENDS}/i
BEFORE: /(?:before|prior|beforehand|after|later){_ENDS}/i
STEADY: /steady\s+state{_ENDS}/i
TIMES.4: /(?:[x\u00d7]\s?\d{{1,6}}|\d{{1,6}}\s?(?:x|times)){_ENDS}/i
AS.3: /as\s+(?:base|salt){_ENDS}/i
%ignore /[\s,]+/
"""

_MAY_STAND = {
    "NAME": "a drug and an amount, such as ketamine 10 mg/kg",
    "AMOUNT": "an amount, such as 10 mg/kg",
    "QUANTITY": "a number with unit, such as 40 min",
    "ROUTE": f"a route ({', '.join(aliases[0] for aliases in ROUTES.values())})",
    "_OVER": "'over' and the length of an infusion",
    "_FOR": "'for' and how long it is held",
    "_AT": "'at' and a time",
    "_EVERY": "'every' and an interval",
    "SCHEDULE": "'daily' or the like",
    "BEFORE": "'before' or 'after'",
    "STEADY": "'steady state'",
    "TIMES": "'x' and the number of doses",
    "AS": "'as base' or 'as salt'",
    "_PLUS": "'+' and another dose",
    "$END": "the end",
}
"""What the reader is told may stand at a place, by terminal."""


def parse_doses(text: str) -> tuple[Dose, ...]:
    """Read doses written in shorthand.

    Parameters
    ----------
    text : str
        One dose or several, joined by ``+`` or ``;``.

    Returns
    -------
    tuple of Dose
        The doses in the order written.

    Raises
    ------
    ValueError
        If the text is no list of doses; the message points at the place and names what may stand there.

    Examples
    --------
    >>> text = "naltrexone 50 mg po every 24 h x 7 from -144 h + ketamine 0.5 mg/kg iv over 40 min"
    >>> naltrexone, ketamine = parse_doses(text)
    >>> naltrexone.route, naltrexone.time, naltrexone.repeats, naltrexone.interval
    ('po', '-144 h', 7, '24 h')
    >>> ketamine.route, ketamine.duration, ketamine.time
    ('iv infusion', '40 min', '0 h')
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"Doses must be written in at most {MAX_LENGTH} characters; got {len(text)}.")
    from lark.exceptions import UnexpectedInput

    line = _BRACKETS.sub(r" \1 ", plain(text))
    try:
        tree = _parser().parse(line)
    except UnexpectedInput as error:
        raise _misread(line, _place(error, line), f"there must be {_names(error)}") from None
    return tuple(_dose(dose, line) for dose in tree.children)


def parse_route(text: str) -> Route:
    """Read a route as it may be written in shorthand; a bare ``iv`` is a bolus.

    Examples
    --------
    >>> parse_route("p.o."), parse_route("iv")
    ('po', 'iv bolus')
    """
    word = " ".join(plain(text).casefold().split())
    if word not in ROUTE_NAMES:
        known = ", ".join(aliases[0] for aliases in ROUTES.values())
        raise ValueError(f"A route must be one that doses may have; got {text!r}. Known: {known}.")
    return ROUTE_NAMES[word]


def write_doses(doses: Iterable[Dose]) -> str:
    """Write doses in shorthand, so that `parse_doses` gives them back.

    Parameters
    ----------
    doses : iterable of Dose
        The doses; at least one.

    Returns
    -------
    str
        The doses, joined by ``+``.

    Raises
    ------
    ValueError
        If a dose cannot be said in shorthand.

    Examples
    --------
    >>> write_doses(parse_doses("CTAP 1 uM bath for 30 min at -15 min ; ketamine 10 mg/kg i.p."))
    'CTAP 1 uM bath for 30 min at -15 min + ketamine 10 mg/kg ip'
    """
    given = tuple(doses)
    text = " + ".join(_written(dose) for dose in given)
    try:
        same = parse_doses(text) == given
    except ValueError as error:
        raise ValueError(f"The doses cannot be said in shorthand. {error}") from None
    if not same:
        raise ValueError(
            f"Doses must read back as they are; {text!r} does not. Write amounts and times plainly, as '10 mg/kg'."
        )
    return text


@cache
def _parser() -> Any:
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", lexer="contextual")


def _place(error: Any, line: str) -> int:
    """Where a reading failed: at a word that does not fit, or at the end."""
    at = error.pos_in_stream
    if at is None or getattr(getattr(error, "token", None), "type", "") == "$END":
        return len(line.rstrip())
    return at + len(line[at:]) - len(line[at:].lstrip())


def _names(error: Any) -> str:
    wanted = set().union(*(getattr(error, name, None) or () for name in ("accepts", "expected", "allowed")))
    told = [words for name, words in _MAY_STAND.items() if name in wanted]
    return ", or ".join(told) or _MAY_STAND["NAME"]


def _misread(line: str, place: int, told: str) -> ValueError:
    """Say what must hold at a place, and point at it in an excerpt."""
    begin, end = max(0, place - 60), min(len(line), place + 40)
    excerpt = line[begin:end].rstrip()
    found = repr(line[place:].split(" ")[0][:30]) if line[place:].strip() else "the end"
    return ValueError(
        f"At character {place + 1} {told}; got {found}:\n  {excerpt}\n  {' ' * (place - begin)}^"
    )


def _dose(tree: Any, line: str) -> Dose:
    drug, amount, *rest = tree.children
    name = drug.children[0]
    route = next(part for part in rest if getattr(part, "type", None) == "ROUTE")
    fields: dict[str, Any] = {"drug": " ".join(name.split())} | _route(route, rest, line)
    fields["amount"] = _quantity(amount, "concentration" if fields["route"] in HELD else "dose", line)
    for part in sorted(rest, key=lambda one: getattr(one, "data", "") == "for"):  # it counts by the interval
        if part is route:
            continue
        token = part.children[0]
        if part.data == "for" and fields["route"] not in HELD:
            repeats = _times_within(token, rest, line)
            fields |= {"repeats": repeats} if repeats > 1 else {"interval": None}
            continue
        field, value = _clause(part.data, part.children, line)
        if field in fields:
            raise _misread(line, token.start_pos, f"there must be no second {field.replace('_', ' ')}")
        fields[field] = value
    if fields.get("repeats") == 1:
        fields["interval"] = None  # a series of one, such as a column of days gives
    try:
        return Dose(**fields)
    except ValueError as error:
        errors: list[Any] = getattr(error, "errors", list)()
        told = " ".join(one["msg"].removeprefix("Value error, ") for one in errors) or str(error)
        raise _misread(line, name.start_pos, f"there must be a dose that can be given ({told})") from None


def _route(token: Any, rest: list[Any], line: str) -> dict[str, Route]:
    word = " ".join(token.casefold().split())
    route = ROUTE_NAMES[word]
    clauses = {part.data for part in rest if part is not token}
    if "over" in clauses and route == "iv bolus" and "bolus" not in word:
        route = "iv infusion"
    if "over" in clauses and route != "iv infusion":
        raise _misread(line, token.start_pos, "there must be 'iv', for a dose that is given over a time")
    if "for" in clauses and route not in HELD and not clauses & {"every", "schedule"}:
        held = f"there must be a route that is held ({', '.join(HELD)}), for a dose that is given for a time"
        raise _misread(line, token.start_pos, held)
    return {"route": route}


_TIMES = {"over": "duration", "for": "duration", "at": "time", "every": "interval"}


def _clause(kind: str, tokens: list[Any], line: str) -> tuple[str, Any]:
    token = tokens[0]
    if kind in _TIMES:
        return _TIMES[kind], _quantity(token, "time", line)
    if kind == "schedule":
        means = (
            interval for interval, words in _INTERVALS.items() if re.fullmatch(words, token, re.IGNORECASE)
        )
        return "interval", next(means)
    if kind == "beside":
        text = _quantity(token, "time", line)
        if text.startswith(("-", "+")):
            raise _misread(line, token.start_pos, "there must be a time without a sign, before or after")
        return "time", text if tokens[1].casefold() in ("after", "later") else f"-{text}"
    if kind == "steady":
        return "steady_state", True
    if kind == "times":
        return "repeats", int(re.sub(r"\D", "", token))
    return "salt", token.casefold().split()[-1]


def _times_within(token: Any, rest: list[Any], line: str) -> int:
    """How many doses a schedule brings in the time for which it lasts, the first at its start."""
    schedule = next(part for part in rest if getattr(part, "data", None) in ("every", "schedule"))
    if any(getattr(part, "data", None) == "times" for part in rest):
        raise _misread(line, token.start_pos, "there must be no second number of doses")
    interval = _clause(schedule.data, schedule.children, line)[1]
    times = units.magnitude(_quantity(token, "time", line), "time") / units.magnitude(interval, "time")
    if not (times >= 1 and abs(times - round(times)) < 1e-9):
        raise _misread(line, token.start_pos, f"there must be a whole number of intervals ({interval})")
    return round(times)


def _quantity(token: Any, kind: units.Kind, line: str) -> str:
    """Write a quantity with one space before its unit and none beside a slash."""
    match = re.fullmatch(rf"({_SIZE})\s?(.+)", token)
    assert match is not None
    text = f"{match[1]} {re.sub(r' ?/ ?', '/', match[2])}"
    try:
        units.magnitude(text, kind)
    except ValueError as error:
        raise _misread(line, token.start_pos, f"there must be a {kind} ({error})") from None
    return text


def _written(dose: Dose) -> str:
    words = [dose.drug, dose.amount]
    words.append("iv" if dose.route == "iv infusion" else ROUTES[dose.route][0])
    if dose.duration is not None:
        words += ["for" if dose.route in HELD else "over", dose.duration]
    if dose.interval is not None:
        words += ["every", dose.interval]
        words += ["x", str(dose.repeats)] if dose.repeats > 1 else []
        words += ["at steady state"] if dose.steady_state else []
    if dose.time != "0 h":
        words += ["from" if dose.repeats > 1 else "at", dose.time]
    if dose.salt != "unstated":
        words += ["as", dose.salt]
    return " ".join(words)
