"""Text files of separated columns: their encoding, what stands between columns, and the line of every row."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from mmjax.data.folder.words import plain
from mmjax.data.sources import reading
from mmjax.errors import InputError, shown

LONGEST_CELL = 2**31 - 1  # characters
MARKS = (",", ";", "\t", "|")  # that may stand between columns
SNIFFED = 200  # rows by which `sniff` tells what does
# What a file begins with -> how it is read; UTF-32 first, whose mark begins as that of UTF-16.
ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet or zip archive",
    b"\x1f\x8b": "compressed",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
}


def encoding_of(content: bytes) -> str:
    """What a text's byte order mark says, and UTF-8 without one."""
    return next((name for mark, name in ENCODINGS.items() if content.startswith(mark)), "utf-8")


def read_separated(path: Path, delimiter: str = "") -> tuple[list[str], list[list[str]], list[int], str]:
    """The heading, the rows below it, the line in which each begins, and what stands between columns.

    Args:
      path: of the file, in UTF-8, or in UTF-16 or UTF-32 with a byte order mark.
      delimiter: "" takes that of a first line `sep=;`, else a tab in a .tsv, else a comma.

    Raises:
      InputError: naming the line of what is no text, ends within quotes, has a column twice, or another number of
        columns than the heading.
    """
    text, skipped, declared = _body(path)
    delimiter = delimiter or declared or ("\t" if path.suffix.lower() == ".tsv" else ",")
    heading, rows, lines = [], [], []
    for row, first, last in _rows(path, text, skipped, delimiter):
        if not heading:
            heading = _heading(path, row, first, delimiter)
            continue
        if len(row) != len(heading):
            where = f"line {first}" if first == last else f"lines {first} to {last}, which quotes join,"
            raise InputError(
                f"{path}, {where}: has {len(row)} columns and the heading {len(heading)}; complete or shorten it"
            )
        rows.append(row)
        lines.append(first)
    if not heading:
        raise InputError(f"{path} is empty; give a heading and at least one line of data")
    return heading, rows, lines, delimiter


def sniff(path: Path) -> str:
    """What stands between the columns of a file: the mark that gives its first rows the most columns, all as many.

    Raises:
      InputError: if the file is no text.
    """
    text, skipped, declared = _body(path)
    widths = {}
    for mark in MARKS:
        with contextlib.suppress(InputError):  # quotes that make no sense with this mark
            counts = {len(row) for row, _, _ in itertools.islice(_rows(path, text, skipped, mark), SNIFFED)}
            widths[mark] = counts.pop() if len(counts) == 1 else 0
    best = max(MARKS, key=lambda mark: widths.get(mark, 0))
    return declared or (best if widths.get(best, 0) > 1 else ",")


def _body(path: Path) -> tuple[str, int, str]:
    """The text of a file without a first line as `sep=;`, how many lines that took, and what it says."""
    text = _decoded(path)
    declared = re.match(r"sep=(.)(\r\n|\r|\n|$)", text, re.IGNORECASE)
    return (text[declared.end() :], 1, declared[1]) if declared else (text, 0, "")


def _decoded(path: Path) -> str:
    with reading(path, own=True):
        content = path.read_bytes()
    what = next((what for mark, what in NO_TEXT.items() if content.startswith(mark)), None)
    if what is not None:
        raise InputError(f"{path} is {what}, and no text; save it as CSV in UTF-8")
    encoding = encoding_of(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = len(re.split(rb"\r\n|\r|\n", content[: error.start]))
        raise InputError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is no {encoding.removesuffix('-sig').upper()}; "
            "save the file as UTF-8 (spreadsheets call it 'CSV UTF-8')"
        ) from error
    if "\0" in text:
        line = len(re.split(r"\r\n|\r|\n", text[: text.index("\0")]))
        raise InputError(f"{path}, line {line}: holds a NUL, which no text does; save the file as CSV in UTF-8")
    return text


def _rows(path: Path, text: str, skipped: int, delimiter: str) -> Iterator[tuple[list[str], int, int]]:
    """Rows that are not blank, each with its first and last line."""
    csv.field_size_limit(LONGEST_CELL)  # 131,072 otherwise
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    last = skipped
    try:
        for row in reader:
            first, last = last + 1, skipped + reader.line_num
            if len(row) > 1 or (row and row[0].strip()):
                yield row, first, last
    except csv.Error as error:
        reason = {
            "unexpected end of data": "a quote is opened and never closed; close it, or write it twice within a cell",
            f"'{delimiter}' expected after '\"'": "something follows a closing quote; write quotes within a cell twice",
        }.get(str(error), f"{error}; correct it")
        raise InputError(f"{path}, line {last + 1}: {reason}") from error


def _heading(path: Path, cells: list[str], line: int, delimiter: str) -> list[str]:
    """Names of the columns; one without has its place, as pandas calls it."""
    other = next((mark for mark in MARKS if len(cells) == 1 and mark in cells[0]), None)
    if other:
        raise InputError(
            f"{path}, line {line}: {shown(cells[0])} is one column if {delimiter!r} stands between columns; "
            f"say `delimiter: {'tab' if other == chr(9) else repr(other)}` in task.yaml"
        )
    names, seen = [plain(name) or f"Unnamed: {place}" for place, name in enumerate(cells)], set()
    for name in names:
        if name in seen:
            raise InputError(f"{path}, line {line}: column {shown(name)} is there twice; rename one")
        seen.add(name)
    return names
