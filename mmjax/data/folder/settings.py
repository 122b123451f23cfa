"""Texts of a task.yaml as the numbers, words and truth values that the fields of a transform ask for."""

from __future__ import annotations

import math
import typing

from mmjax.data.transforms.contract import Transform
from mmjax.errors import InputError, shown

TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def typed_settings(transform: type[Transform], settings: dict) -> dict:
    """The settings of a transform, each of the type of its field.

    Args:
      transform: a dataclass.
      settings: field -> text, or list of texts; fields that it does not have are left out.

    Raises:
      InputError: naming transform, field and value, where a text is not of that type.
    """
    hints = typing.get_type_hints(transform)
    return {
        name: _typed(f"transform {transform.__name__}: {name}", hints[name], value)
        for name, value in settings.items()
        if name in hints
    }


def setting_number(text) -> float | None:
    """The number that a text is, a whole one as an int; None where it is none, or not finite."""
    for kind in (int, float):
        try:
            number = kind(text)
        except (TypeError, ValueError):
            continue
        return number if abs(number) < math.inf else None
    return None


def _typed(where: str, hint, value):
    if typing.get_origin(hint) is tuple:
        kinds = typing.get_args(hint)
        if not isinstance(value, list) or (kinds[-1] is not ... and len(value) != len(kinds)):
            wanted = "a list" if kinds[-1] is ... else f"a list of {len(kinds)}"
            raise InputError(f"{where} = {shown(value)} is not accepted: give {wanted}")
        kinds = [kinds[0]] * len(value) if kinds[-1] is ... else kinds
        return tuple(_typed(where, kind, each) for kind, each in zip(kinds, value, strict=True))
    if hint is bool and isinstance(value, str) and value.lower() in TRUTH:
        return TRUTH[value.lower()]
    if hint is str and isinstance(value, str):
        return value
    number = setting_number(value)
    if hint in (int, float) and number is not None and hint(number) == number:
        return hint(number)
    wanted = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}[hint]
    raise InputError(f"{where} = {shown(value)} is not accepted: give {wanted}")
