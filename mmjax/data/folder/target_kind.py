"""Whether the cells of a target are numbers to regress or names of classes, where task.yaml does not say."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from mmjax.data.folder.labels import exact_number
from mmjax.data.folder.numbers import count_numbers, number_in_cell, read_numbers
from mmjax.errors import InputError, shown

FEW = 20  # different whole numbers at most that are taken as classes
NEARLY_ALL = 0.9  # share of the cells with letters that have the same, from which those are a unit
CLASSES = ", or say `kind: multiclass` if the cells are names of classes"
_LETTERS = re.compile(r"(.*\d)([^\W\d_]+)")  # a number and letters that follow at once


def kind_of(by_name: Mapping[str, Sequence[str]], where: Callable[[int, str], str]) -> str:
    """What the cells are: "regression" of many or broken numbers, otherwise "classes".

    Numbers may have a decimal comma or marks between thousands, as in a column of a `table`.

    Args:
      by_name: name -> cells of each column of the target.
      where: (row, column) -> how the cell is pointed at.

    Raises:
      InputError: if most are numbers, with a unit or without, and some are none; or if they may be read in two ways.
    """
    if len(by_name) > 1:
        return "regression"
    ((name, values),) = by_name.items()
    numbers = [exact_number(text) for text in values]
    if None not in numbers:
        return "classes" if _few_whole(numbers) else "regression"
    count = count_numbers(values)
    measured = max(count.measured, count_numbers(_without_letters(values)).measured)
    numbers = [number_in_cell(text.strip(), count.decimal) for text in values]
    whole = _few_whole(number for number in numbers if number is not None)
    if None not in numbers:
        read_numbers(values, functools.partial(where, column=name), hint=CLASSES)  # refuses what may be two numbers
        return "classes" if whole else "regression"
    if 2 * measured < len(values) or (whole and measured == count.alone):
        return "classes"
    row = numbers.index(None)
    unit = ", with a unit or without" if measured > count.alone else ""
    raise InputError(
        f"{where(row, name)}: the target is {shown(values[row])}, and {measured:,} of {len(values):,} cells hold "
        f"numbers{unit}, so that it may be a number; write the number alone, or drop the row, and say "
        f"`kind: regression`{CLASSES}"
    )


def _few_whole(numbers: Iterable[Decimal | float]) -> bool:
    different = set(numbers)
    return len(different) <= FEW and all(number == int(number) for number in different)


def _without_letters(values: Sequence[str]) -> list[str]:
    """Cells without a unit written at once after the number, as in 60kg: the same letters in nearly all that have any.

    Letters that fewer have, or in fewer than half of all cells, are part of a code, as in 3A, 3B.
    """
    found = [_LETTERS.fullmatch(text.strip()) for text in values]
    seen = Counter(match[2] for match in found if match)
    unit, many = max(seen.items(), key=lambda item: item[1], default=("", 0))
    if many < NEARLY_ALL * seen.total() or 2 * many < len(values):
        return list(values)
    return [match[1] if match and match[2] == unit else text for text, match in zip(values, found, strict=True)]
