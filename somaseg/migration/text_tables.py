"""Tables that people and spreadsheets save as text: in whichever encoding, with commas, semicolons or tabs between."""

import codecs
from pathlib import Path


def read_text(path) -> str:
    """The text of a file: UTF-16 where its first bytes say so, UTF-8 with or without such bytes, else Latin-1."""
    raw = Path(path).read_bytes()
    utf_16 = ("utf-16",) if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else ()
    for encoding in (*utf_16, "utf-8-sig"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def separator(text) -> str:
    """What stands between the columns, told by the first line: a tab or semicolon where there is one, else a comma.

    >>> [separator(head) for head in ("a,b", "a;b, c", "a\\tb")]
    [',', ';', '\\t']
    """
    head = text.lstrip().split("\n", 1)[0]
    return next((mark for mark in "\t;" if mark in head), ",")
