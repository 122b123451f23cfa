"""Cells of a table as numbers: which columns hold numbers, by which marks, and which cells say nothing.

A column of a `table` is decided as a whole, by the cells that say something:

- all are numbers: it is a column of numbers;
- its numbers are whole, it has CODES different values at most, and what is no number is codes of letters and digits,
  as 1, 2, 3A, each twice or more (a slip stands once): a category, with a warning where at least half are numbers;
- nearly all have a unit, as 5 mg, and it has CODES different values at most: a category, with a warning;
- half or more are numbers, with a unit or without, or SOME are and they are not few whole ones: refused, naming the
  first cell that is none;
- otherwise it is a category.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from mmjax.errors import InputError

# Cells of a column of numbers that say nothing, in lower case; `tables.MISSING` holds those of every column.
MARKS = frozenset(
    "? - -- --- – — . .. ... * / # <na> nil nan -nan 1.#ind -1.#ind 1.#qnan -1.#qnan #n/a #na #div/0! #value! #ref! "
    "#name? #num! #null!".split()
) | {"#n/a n/a"}
THOUSANDS = {".": ",'’ \u00a0\u202f", ",": ".'’ \u00a0\u202f"}  # what may stand between them, by the decimal mark
CODES = 20  # different values at most of a column of codes
LONGEST_CODE, LONGEST_MEASURE = 8, 40  # characters of a code, and of a number with its unit
MOSTLY, SOME = 0.5, 0.1  # shares of cells that are numbers
_UNIT = re.compile(
    r"[$€£¥]?\s*(.*?\d[.,]?)(?:\s*[%°‰$€£¥]|\s+[^\W\d]+\.?)?"
)  # a number with %, °, a currency or a word
_CODE = re.compile(r"(?=.*\d)[\w<>≤≥+./-]+")
_WHOLE = re.compile(r"[+-]?\d+(?:\.0*)?")
_NOT_FINITE = ("inf", "infinity")
LARGEST = float(np.finfo(np.float32).max)  # what models compute in


class NumberColumn(NamedTuple):
    """[n] float64, NaN where the cell says nothing; and the marks.

    These are the decimal mark and, where point or comma stood between thousands in some cell, that one after it.
    """

    values: np.ndarray
    marks: str


class NumberCount(NamedTuple):
    """How many cells hold a number, `alone` or `measured` (with a unit or without), by this decimal mark."""

    alone: int
    measured: int
    decimal: str


def read_numbers(
    cells: Sequence[str],
    where: Callable[[int], str],
    marks: str = "",
    hint: str = "",
    remedy: str = "correct or empty it",
) -> NumberColumn:
    """A column of numbers.

    Args:
      cells: [n], "" says nothing.
      where: how a row's cell is pointed at.
      marks: of the column in training, as NumberColumn has them; "" lets the column decide. Where training had one
        mark, a cell with the other alone is refused: it is as likely the decimal mark of another program.
      hint: what else may be done of a cell that is no number, or of a column that may be read in two ways.
      remedy: what is done of a cell that is no number.

    Raises:
      InputError: naming the first cell that is no finite number, is beyond LARGEST, or may be read in two ways.
    """
    plain = None if marks.startswith(",") else _plain(cells)
    if plain is not None:
        return NumberColumn(_kept(plain, cells, where), ".")
    said = {row: text.strip() for row, text in enumerate(cells) if says_something(text)}
    decimal = marks[:1] or _decimal_of(said, where, hint)
    other = "," if decimal == "." else "."
    values = np.full(len(cells), np.nan)
    for row, text in said.items():
        found = number_in_cell(text, decimal)
        if found is None:
            raise InputError(f"{where(row)}: {text!r} {_why(text, decimal)}; {remedy}{hint}")
        if len(marks) == 1 and decimal not in text and text.count(other) == 1:
            raise InputError(
                f"{where(row)}: {text!r} may be {number_in_cell(text, '.'):g} or {number_in_cell(text, ','):g}, and "
                f"the run was trained on numbers with the decimal mark {decimal!r} and no {other!r} between "
                f"thousands; write it with {decimal!r}, and nothing between thousands"
            )
        values[row] = found
    return NumberColumn(_kept(values, cells, where), decimal + other * any(other in text for text in said.values()))


def type_of(name: str, cells: Sequence[str], where: Callable[[int], str]) -> tuple[str, str]:
    """Whether a column is of numbers, by the rule of this file's first lines.

    Args:
      name: of the column.
      cells, where: as `read_numbers` takes them.

    Returns:
      "number" or "category", and a warning or "".

    Raises:
      InputError: naming the first cell that is no number of a column that is mostly numbers.
    """
    if _plain(cells) is not None:
        return "number", ""
    said = {row: text.strip() for row, text in enumerate(cells) if says_something(text)}
    kinds = Counter(said.values())
    count = count_numbers(cells)
    decimal, share = count.decimal, count.alone / max(len(said), 1)
    if share == 1 or not said:
        return "number", ""
    numbers = {text for text in kinds if number_in_cell(text, decimal) is not None}
    others = kinds.keys() - numbers
    whole = len(kinds) <= CODES and all(_WHOLE.fullmatch(text) for text in numbers)
    told = (
        f"column {name!r} holds {', '.join(sorted(others)[:3])} and is taken as a category; say so with "
        f"`categories: [{name}]` if it is one, and write its numbers alone if it is not"
    )
    repeated = len(said) - count.alone >= 2 * len(others)
    if whole and repeated and all(len(text) <= LONGEST_CODE and _CODE.fullmatch(text) for text in others):
        return "category", told if share >= MOSTLY else ""
    measured = count.measured / len(said)
    if measured < MOSTLY and (share < SOME or whole):
        return "category", ""
    if share < SOME and len(kinds) <= CODES:
        return "category", told
    row = next(row for row, text in said.items() if number_in_cell(text, decimal) is None)
    raise InputError(
        f"{where(row)}: {said[row]!r} {_why(said[row], decimal)}, and {measured:.0%} of the column's {len(said):,} "
        f"cells hold numbers{_remedy(count)}, or say `categories: [{name}]`"
    )


def count_numbers(cells: Iterable[str]) -> NumberCount:
    """By the decimal mark under which more cells are numbers, alone or else with a unit."""
    kinds = Counter(cell.strip() for cell in cells if says_something(cell))
    counts = [
        NumberCount(
            sum(many for text, many in kinds.items() if number_in_cell(text, mark) is not None),
            sum(many for text, many in kinds.items() if _with_unit(text, mark)),
            mark,
        )
        for mark in THOUSANDS
    ]
    return max(counts, key=lambda count: (count.alone, count.measured))


def says_something(cell: str) -> bool:
    """Whether a cell of a column of numbers does."""
    text = cell.strip()
    return bool(text) and text.lower() not in MARKS


def number_in_cell(text: str, decimal: str) -> float | None:
    """The finite number that a cell holds, or None."""
    if not _pattern(decimal).fullmatch(text):
        return None
    for mark in THOUSANDS[decimal]:
        text = text.replace(mark, "")
    value = float(text.replace(decimal, ".").replace("−", "-"))
    return value if np.isfinite(value) else None


def category_of(value) -> str:
    """A category's name: whole numbers are the same with and without `.0`, as other files and arrays write them."""
    text = str(value)
    return text.partition(".")[0] if _WHOLE.fullmatch(text) else text


@functools.cache
def _pattern(decimal: str) -> re.Pattern:
    mark, thousands = re.escape(decimal), re.escape(THOUSANDS[decimal])
    whole = rf"\d{{1,3}}([{thousands}])\d{{3}}(?:\1\d{{3}})*|\d+"
    return re.compile(rf"[+−-]?(?:(?:{whole})(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?")


def _plain(cells: Sequence[str]) -> np.ndarray | None:
    """Numbers with a decimal point or none, the usual case, at once; None if there is another cell."""
    try:
        values = np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        return None
    usual = len(values) and np.isfinite(values).any() and not np.isinf(values).any()
    return values if usual and not any("_" in cell for cell in cells) else None


def _kept(values: np.ndarray, cells: Sequence[str], where: Callable[[int], str]) -> np.ndarray:
    """The values, none of which is beyond LARGEST."""
    beyond = np.flatnonzero(np.abs(values) > LARGEST)
    if len(beyond):
        raise InputError(
            f"{where(beyond[0])}: {cells[beyond[0]].strip()!r} is beyond {LARGEST:.3g}, the largest number of float32; "
            "correct or empty it, or write the column in a larger unit"
        )
    return values


def _with_unit(text: str, decimal: str) -> bool:
    match = _UNIT.fullmatch(text) if len(text) <= LONGEST_MEASURE else None
    return bool(match) and number_in_cell(match[1], decimal) is not None


def _remedy(count: NumberCount) -> str:
    if count.measured == count.alone:
        return "; correct or empty it"
    return f"{', some with a unit' if count.alone else ' with a unit'}; write the numbers alone"


def _decimal_of(said: dict[int, str], where: Callable[[int], str], hint: str) -> str:
    """The mark under which more cells are numbers; a point where no comma stands."""
    if not any("," in text for text in said.values()):
        return "."
    by_point, by_comma = ([number_in_cell(text, mark) for text in said.values()] for mark in (".", ","))
    missing = by_point.count(None) - by_comma.count(None)
    if missing or by_point == by_comma:
        return "," if missing > 0 else "."
    if None in by_point:
        return "."
    row = next(r for r, one, other in zip(said, by_point, by_comma, strict=True) if one != other)
    raise InputError(
        f"{where(row)}: {said[row]!r} may be {number_in_cell(said[row], '.'):g} or "
        f"{number_in_cell(said[row], ','):g}, and no other cell of the column tells which; write the numbers with a "
        f"decimal point and nothing between thousands{hint}"
    )


def _why(text: str, decimal: str) -> str:
    if text.lower().lstrip("+-") in _NOT_FINITE or _pattern(decimal).fullmatch(text):
        return "is not finite"
    if _with_unit(text, decimal):
        return "is no number alone"
    return "is no number" + (f" where {decimal!r} is the decimal mark" if {".", ","} & set(text) else "")
