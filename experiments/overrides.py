"""What `--config` says: a Python file's `get_config()`, and single fields."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmjax.errors import InputError

GRID_FIELDS = ("tasks", "fusions", "strategies", "seeds")


def read_overrides(values: Sequence[str]) -> dict:
    """Fields of Config (and GRID_FIELDS) that differ from their defaults; later values win.

    Args:
      values: each a path to a Python file with `get_config() -> dict or ConfigDict`, or
        "<field>=<literal>"; "encoders.<modality>=<encoder>" sets one encoder.

    Raises:
      InputError: for a file that cannot be read, or gives no dict. Whether a field exists and takes
        the value is left to `Config.replace`.
    """
    overrides = {}
    for value in values:
        field = re.match(r"([\w.]+)=", value)
        changes = {field[1]: _literal(value[field.end() :])} if field else _from_file(value)
        for name, change in changes.items():
            if name.startswith("encoders."):
                name, change = "encoders", {name.removeprefix("encoders."): change}
            if isinstance(change, Mapping):
                before = overrides.get(name)
                change = {**(before if isinstance(before, Mapping) else {}), **change}
            overrides[name] = change
    return overrides


def join_overrides(argv: Sequence[str]) -> list[str]:
    """argv with every `--config.<field>=value` written as `--config=<field>=value`, which absl can declare.

    A `--config.<field>` without a value says true.
    """
    override = re.compile(r"--?config\.([\w.]+)(=.*)?", re.DOTALL)
    matches = [(argument, override.fullmatch(argument)) for argument in argv]
    return [f"--config={match[1]}{match[2] or '=true'}" if match else argument for argument, match in matches]


def _literal(text: str):
    """A Python literal, true or false; anything else is a string."""
    try:
        return ast.literal_eval({"true": "True", "false": "False"}.get(text, text))
    except (ValueError, SyntaxError):
        return text


def _from_file(path: str) -> dict:
    if not Path(path).is_file():
        raise InputError(
            f"--config={path}: there is no such file; give a Python file with get_config(), or <field>=<value>"
        )
    try:
        config = runpy.run_path(path)["get_config"]()
    except Exception as error:  # whatever the user's own code raises
        raise InputError(f"--config={path}: {type(error).__name__}: {error}") from error
    config = config.to_dict() if hasattr(config, "to_dict") else config
    if not isinstance(config, Mapping):
        raise InputError(
            f"--config={path}: get_config() gave {type(config).__name__}: it must return a dict or ConfigDict"
        )
    return dict(config)
