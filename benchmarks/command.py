"""What every command shares: flags and errors, each in one sentence, the exit code, and results in one JSON file."""

from __future__ import annotations

import json
import os
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import app, flags, logging

from mmjax.errors import InputError

BAD_INPUT = 2
INTERRUPTED = 130  # as a shell counts a program that Ctrl-C ended

flags.DEFINE_bool("debug", False, "Print the traceback of an error.")


def run(main: Callable[[], int | None], rewrite: Callable[[Sequence[str]], Sequence[str]] = lambda argv: argv):
    """`absl.app.run` for a command without positional arguments.

    Args:
      main: does the work and returns the exit code, None for 0. An InputError it raises is printed
        as a sentence and exits with 2; Ctrl-C exits with 130.
      rewrite: what argv becomes before the flags are read from it.
    """
    app.run(lambda argv: guarded(main), flags_parser=lambda argv: _parse(rewrite(argv)))


def guarded(main: Callable[[], int | None]) -> int | None:
    """The exit code of `main`."""
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.WARNING)  # absl's own default tells every save of a checkpoint
    try:
        return main()
    except InputError as error:
        if flags.FLAGS.debug:
            raise
        return complain(str(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def stop_on_sigterm() -> Callable[[], bool]:
    """Takes SIGTERM as a request to stop from now on; the function says whether it has come. A second one kills."""
    asked = threading.Event()

    def take(number, frame):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        asked.set()

    signal.signal(signal.SIGTERM, take)
    return asked.is_set


def complain(sentence: str) -> int:
    """Print what was wrong with the input; returns the exit code for it."""
    print(f"error: {sentence}", file=sys.stderr)
    return BAD_INPUT


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


def parse_with_arguments(argv: Sequence[str]) -> list[str]:
    """The command's name and its arguments, once the flags among them are read."""
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        sys.exit(complain(textwrap.shorten(str(error), 500)))
    except (SystemExit, BrokenPipeError):  # absl's --help leaves with 1, as if something had failed
        sys.exit(0)


def _parse(argv: Sequence[str]) -> list[str]:
    rest = parse_with_arguments(argv)[1:]
    if rest:
        sys.exit(complain(f"argument {rest[0]!r} is not accepted: give flags, as --name=value; --help lists them"))
    return rest
