"""Decode: the bytes of a file of text -> its text, by signs that leave no doubt, otherwise a question.

UTF-8 and UTF-16 are told by their marks or by their form. Bytes that are neither are read as Windows-1252, what
spreadsheet programs of Western systems save, only where every one of them is a sign that science writes there (a
micro sign, a dash, a degree) or a letter alone among plain letters, as in ``Müller``: other encodings put other
letters at the same bytes.
"""

import re
from pathlib import Path
from typing import NamedTuple, NoReturn

from gaddum.records.finding import Finding, RecordError

MAX_BYTES = 20_000_000
"""Largest file of text."""

_WESTERN = re.compile(
    rb"(?:[\x00-\x7f]++"
    rb"|(?<![A-Za-z])[\x96\x97\xb1\xb5\xd7](?![\x80-\xff])"  # dashes, plus-minus, micro sign, times
    rb"|(?<=[0-9])[\x92\xb0\xb2\xb3\xb9](?![A-Za-z\x80-\xff])"  # prime, degree, exponents
    rb"|(?<=[0-9 ])\xb0(?=[CF])|(?<=[A-Za-z])[\xb2\xb3\xb9](?![A-Za-z\x80-\xff])"
    rb"|(?<=[A-Za-z])[\xb7](?=[A-Za-z])|(?<=[0-9A-Za-z,;])\xa0(?=[0-9A-Za-z])"  # product, no-break space
    rb"|(?<=[A-Za-z])[\xc0-\xd6\xd8-\xf6\xf8-\xfe](?=[a-z]))*+"
)
"""Text in which every byte above ASCII can be meant in Windows-1252 only, as far as its neighbours tell."""


class DecodedText(NamedTuple):
    """Text of a file, and what was taken for granted in reading it."""

    text: str
    notes: tuple[str, ...] = ()


def read_text(path: str | Path) -> DecodedText:
    """Read a file of text of at most 20 MB.

    Raises
    ------
    RecordError
        If the file is too large or its encoding is not certain: a ValueError that names the file.
    """
    with Path(path).open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        most = MAX_BYTES // 1_000_000
        refuse(str(path), f"A table must be at most {most} MB; this one is larger. Split it.")
    return decode(raw, name=str(path))


def decode(raw: bytes, *, name: str = "table") -> DecodedText:
    r"""Decode text; see `read_text`.

    Examples
    --------
    >>> decode("0.1 µM".encode("cp1252"))
    DecodedText(text='0.1 µM', notes=('the text is read as Windows-1252',))
    """
    if raw.startswith(b"PK\x03\x04"):
        refuse(name, "A table must be text; got a workbook or an archive. Save the sheet as CSV.")
    try:
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            return DecodedText(raw.decode("utf-16"))
        for code, zeros, others in (("utf-16-le", raw[1::2], raw[::2]), ("utf-16-be", raw[::2], raw[1::2])):
            if 0 not in others[:1000] and 2 * zeros[:1000].count(0) > len(zeros[:1000]):
                return DecodedText(raw.decode(code), (f"the text is read as {code.upper()}",))
        return DecodedText(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        if not error.encoding.startswith("utf-16") and _WESTERN.fullmatch(raw):
            return DecodedText(raw.decode("cp1252"), ("the text is read as Windows-1252",))
        found = f"byte 0x{raw[error.start]:02x} at {error.start}"
        refuse(name, f"A table must be UTF-8 text; got {found}. Which encoding is it? Save it as UTF-8.")


def refuse(name: str, message: str, line: int | None = None, where: str = "") -> NoReturn:
    """Raise the one error for which a file cannot be read."""
    raise RecordError([Finding("error", name, where, message, line)])
