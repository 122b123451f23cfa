"""Labels: which of them are one class, and in which order classes stand.

Labels that are all numbers are compared as numbers, so that `0`, `0.0` and `00` are the class `0`; any others as texts
without the space around them, in composed Unicode.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from mmjax.data.folder.words import plain

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
MOST_DIGITS = 20  # of a whole number that is written out as a class's name


def exact_number(text: str) -> Decimal | None:
    """The number that a text is, exactly; None where it is none."""
    return Decimal(text) if NUMBER.fullmatch(text) else None


def merged(labels: Sequence[str], classes: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """The labels, and the classes that a person named, in one way of writing.

    Numbers are written as numbers if all classes, or without them all labels, are numbers.
    """
    labels, classes = [plain(label) for label in labels], [plain(name) for name in classes]
    numbers = {text: exact_number(text) for text in {*labels, *classes}}
    if any(numbers[text] is None for text in classes or labels):
        return labels, classes
    names = {text: text if number is None else _name(number) for text, number in numbers.items()}
    return [names[label] for label in labels], [names[name] for name in classes]


def ordered(labels: Iterable[str]) -> list[str]:
    """Each label once: numbers by size, others by their letters; the same order in every process."""
    labels = sorted(set(labels))
    numbers = [exact_number(label) for label in labels]
    return labels if None in numbers else [label for _, label in sorted(zip(numbers, labels, strict=True))]


def _name(number: Decimal) -> str:
    if number == number.to_integral_value() and number.adjusted() < MOST_DIGITS:
        return str(int(number))
    return str(number.normalize())
