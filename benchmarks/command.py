"""What the benchmarks' commands share: bad input is one sentence and exit code 2; results are one JSON file."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from absl import app, flags

from mmjax.errors import InputError

BAD_INPUT = 2


def run(main: Callable[[], None]):
    """`absl.app.run` for a command without positional arguments."""
    app.run(lambda argv: _guarded(main), flags_parser=_parse)


def check_writable(path: Path):
    """Makes the file's folder, before the work and not after; raises InputError if no file can be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(path.parent, os.W_OK) and not path.is_dir()
    except OSError:
        writable = False
    if not writable:
        raise InputError(f"--output={path} cannot be written: give a file in a folder that may be written")


def write_json(path: Path, content: dict):
    """Writes the file whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, path)


def _guarded(main: Callable[[], None]) -> int:
    try:
        main()
    except InputError as error:
        return _complain(error)
    return 0


def _parse(argv: list[str]) -> list[str]:
    try:
        rest = flags.FLAGS(argv)[1:]
    except flags.Error as error:
        sys.exit(_complain(error))
    except SystemExit:  # absl's --help leaves with 1, as if something had failed
        sys.exit(0)
    if rest:
        sys.exit(_complain(f"argument {rest[0]!r} is not accepted: give flags, as --name=value; --help lists them"))
    return rest


def _complain(sentence: object) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return BAD_INPUT
