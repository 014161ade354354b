"""Gate: how target features combine, as text and as a truth table.

A gate is written with ``&`` (and), ``|`` (or), ``!`` (not), parentheses, the constants ``0`` and ``1``, and features
such as ``NMDAR.block``. It is read by a grammar, never evaluated as Python. Its truth table holds one corner for each
combination of inputs: bit i of a corner's index is input i. `response.gate_activity` interpolates between the corners.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from gaddum.records.finding import nearest
from gaddum.records.vocabulary import FEATURES

MAX_LENGTH = 1000
MAX_NESTING = 40
MAX_INPUTS = 10

_GRAMMAR = r"""
?start: either
?either: both ("|" both)*
?both: factor ("&" factor)*
?factor: "!" factor -> negation
       | "(" either ")"
       | FEATURE -> feature
       | CONSTANT -> constant
FEATURE.2: /\w[\w-]*\.\w+/
CONSTANT: /[01]/
%ignore /[ \t\r\n]+/
"""


@dataclass(frozen=True, eq=False)
class Gate:
    """A Boolean function of target features. Two gates are equal if they are the same function."""

    text: str
    inputs: tuple[str, ...]
    """Features in order of first appearance."""
    corners: tuple[int, ...]
    """Truth table of 2**k zeros and ones; bit i of the index is input i."""

    def __post_init__(self) -> None:
        if len(set(self.inputs)) != len(self.inputs) or len(self.inputs) > MAX_INPUTS:
            raise ValueError(
                f"A gate must have at most {MAX_INPUTS} distinct inputs; got {', '.join(self.inputs)}."
            )
        if len(self.corners) != 2 ** len(self.inputs) or not set(self.corners) <= {0, 1}:
            raise ValueError(
                f"A gate over {len(self.inputs)} inputs must have {2 ** len(self.inputs)} corners of 0 or 1; "
                f"got {len(self.corners)}."
            )

    def corners_over(self, inputs: Iterable[str]) -> tuple[int, ...]:
        """Truth table over a larger (or reordered) tuple of inputs.

        Examples
        --------
        >>> parse_gate("MOR.tone").corners_over(("NMDAR.block", "MOR.tone"))
        (0, 0, 1, 1)
        """
        wanted = tuple(inputs)
        missing = [name for name in self.inputs if name not in wanted]
        if missing or len(set(wanted)) != len(wanted):
            raise ValueError(
                f"The inputs must be distinct and include {', '.join(self.inputs) or 'none'}; got {', '.join(wanted)}."
            )
        places = [wanted.index(name) for name in self.inputs]
        return tuple(
            self.corners[sum(((index >> place) & 1) << bit for bit, place in enumerate(places))]
            for index in range(2 ** len(wanted))
        )

    @property
    def is_monotone(self) -> bool:
        """Whether turning an input on never turns the gate off."""
        return all(
            self.corners[index] <= self.corners[index | 1 << bit]
            for bit in range(len(self.inputs))
            for index in range(len(self.corners))
        )

    @property
    def is_constant(self) -> bool:
        """Whether no input matters."""
        return len(set(self.corners)) == 1

    @property
    def essential(self) -> tuple[str, ...]:
        """Inputs that matter, in order of first appearance."""
        return tuple(
            name
            for bit, name in enumerate(self.inputs)
            if any(corner != self.corners[index ^ 1 << bit] for index, corner in enumerate(self.corners))
        )

    @property
    def _function(self) -> tuple[tuple[str, ...], tuple[int, ...]]:
        names = tuple(sorted(self.essential))
        rest = tuple(name for name in self.inputs if name not in names)
        return names, self.corners_over(names + rest)[: 2 ** len(names)]

    def __eq__(self, other: object) -> bool:
        return self._function == other._function if isinstance(other, Gate) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._function)

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=1024)
def parse_gate(text: str) -> Gate:
    """Read a gate.

    Parameters
    ----------
    text : str
        For example ``"NMDAR.block & (MOR.tone | KOR.tone)"``.

    Returns
    -------
    Gate
        The gate, with its inputs in order of first appearance.

    Examples
    --------
    >>> parse_gate("NMDAR.block & MOR.tone").corners
    (0, 0, 0, 1)
    >>> parse_gate("MOR.tone & NMDAR.block") == parse_gate("!(!NMDAR.block | !MOR.tone)")
    True
    """
    _check_size(text)
    from lark.exceptions import LarkError, UnexpectedInput

    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        place = getattr(error, "column", -1)
        found = f"{text[place - 1 :][:20]!r} at column {place}" if 0 < place <= len(text) else "an early end"
        raise ValueError(
            f"A gate must be features such as NMDAR.block joined by & | ! and parentheses, or 0 or 1; "
            f"got {found} in {text!r}."
        ) from None
    except LarkError as error:
        raise ValueError(f"A gate must follow the grammar of gates; got {text!r} ({error}).") from None
    features = tree.scan_values(lambda token: token.type == "FEATURE")
    inputs = tuple(dict.fromkeys(map(str, features)))
    for name in inputs:
        target, feature = name.rsplit(".", 1)
        if feature not in FEATURES:
            raise ValueError(
                f"A feature of a target must be one of {', '.join(FEATURES)}; got {feature!r} of {target} in {text!r}. "
                f"{nearest(feature, FEATURES)}"
            )
    if len(inputs) > MAX_INPUTS:
        raise ValueError(f"A gate must have at most {MAX_INPUTS} inputs; got {len(inputs)} in {text!r}.")
    table = _table(tree, inputs)
    return Gate(text.strip(), inputs, tuple(table >> index & 1 for index in range(2 ** len(inputs))))


def gate_of(inputs: Iterable[str], corners: Iterable[int]) -> Gate:
    """Write a truth table as a gate; the text is a disjunction of terms (minimal for a monotone gate).

    Examples
    --------
    >>> gate_of(("A.tone", "B.tone"), (0, 1, 1, 1)).text
    'A.tone | B.tone'
    """
    names, table = tuple(inputs), tuple(int(corner) for corner in corners)
    draft = Gate("", names, table)
    if draft.is_constant:
        return Gate(str(table[0]), names, table)
    on = [index for index, corner in enumerate(table) if corner]
    if draft.is_monotone:
        on = [index for index in on if not any(other != index and other & index == other for other in on)]
    terms = []
    for index in on:
        factors = [
            name if index >> bit & 1 else f"!{name}"
            for bit, name in enumerate(names)
            if index >> bit & 1 or not draft.is_monotone
        ]
        terms.append(" & ".join(factors))
    return Gate(" | ".join(terms), names, table)


@cache
def monotone_gates(k: int) -> tuple[tuple[int, ...], ...]:
    """Truth tables of all monotone Boolean functions of k inputs, the two constants included.

    Their numbers are Dedekind's: 2, 3, 6, 20, 168, 7581 for k = 0 to 5. A function of k inputs is a pair of
    functions of k - 1 inputs (last input off, on) of which the first implies the second.

    Parameters
    ----------
    k : int
        Number of inputs, 0 to 5.

    Returns
    -------
    tuple of tuple of int
        Truth tables in the order of `Gate.corners`; `gate_of` writes one as a gate.

    Examples
    --------
    >>> [len(monotone_gates(k)) for k in range(4)]
    [2, 3, 6, 20]
    """
    if not 0 <= k <= 5:
        raise ValueError(f"Monotone gates are enumerated over 0 to 5 inputs; got {k}.")
    if k == 0:
        return (0,), (1,)
    smaller = monotone_gates(k - 1)
    masks = [sum(corner << index for index, corner in enumerate(table)) for table in smaller]
    return tuple(
        off + on
        for off, off_mask in zip(smaller, masks, strict=True)
        for on, on_mask in zip(smaller, masks, strict=True)
        if off_mask & on_mask == off_mask
    )


def _check_size(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise ValueError(f"A gate must be at most {MAX_LENGTH} characters long; got {len(text)}.")
    depth = deepest = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    if deepest > MAX_NESTING or text.count("!") > 2 * MAX_NESTING:
        raise ValueError(
            f"A gate must be nested at most {MAX_NESTING} deep, with at most {2 * MAX_NESTING} negations; "
            f"got {deepest} and {text.count('!')}."
        )


@cache
def _parser() -> Any:
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr")


def _table(tree: Any, inputs: tuple[str, ...]) -> int:
    """Truth table as the bits of one integer."""
    size = 2 ** len(inputs)
    everything = (1 << size) - 1
    if tree.data == "constant":
        return everything if tree.children[0] == "1" else 0
    if tree.data == "feature":
        bit = inputs.index(str(tree.children[0]))
        return sum(1 << index for index in range(size) if index >> bit & 1)
    parts = [_table(child, inputs) for child in tree.children]
    if tree.data == "negation":
        return everything ^ parts[0]
    table = parts[0]
    for part in parts[1:]:
        table = table & part if tree.data == "both" else table | part
    return table
