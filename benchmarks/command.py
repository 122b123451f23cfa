"""What every command shares: flags and errors, each in one sentence, the exit code, and results in one JSON file."""

from __future__ import annotations

import io
import json
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import app, flags, logging

from benchmarks.machine_faults import sentence_of
from benchmarks.signals import INTERRUPTED, take_interrupts
from mmjax.disk import writing
from mmjax.errors import InputError

BAD_INPUT = 2
NO_READER = 141  # as a shell counts a program whose output nobody reads any more

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
    """The exit code of `main`: what the user or the machine did wrong is a sentence, a fault of the program none."""
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.WARNING)  # absl's own default tells every save of a checkpoint
    interrupts = take_interrupts()
    _print_whatever_the_terminal_lacks()
    _leave_64_bits_aside()
    sys.unraisablehook = _tell_unless_too_late
    try:
        code = main()
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where it can still be told that it failed
        return code
    except InputError as error:
        if flags.FLAGS["debug"].value:
            raise
        return complain(str(error))
    except KeyboardInterrupt:
        return _interrupted(interrupts.told)
    except BrokenPipeError:
        _forget_output()
        return NO_READER
    except Exception as error:
        if flags.FLAGS["debug"].value:
            raise
        if interrupts.noted:  # a library made another exception of it
            return _interrupted(interrupts.told)
        sentence = sentence_of(error)
        if sentence is None:
            raise
        if isinstance(error, OSError):
            _forget_output()  # what cannot be written cannot be at the end either
        return complain(sentence)


def _interrupted(told: bool) -> int:
    if not told:
        print("interrupted", file=sys.stderr)
    return INTERRUPTED


def _print_whatever_the_terminal_lacks():
    """A letter that the terminal's encoding lacks is printed as its number."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _tell_unless_too_late(unraisable):
    """Writers of TensorStore that end after the one that failed have nobody left to tell, which is no news."""
    if not (isinstance(unraisable.exc_value, RuntimeError) and str(unraisable.exc_value) == "Event loop is closed"):
        sys.__unraisablehook__(unraisable)


def _leave_64_bits_aside():
    """Numbers are of --precision, whatever JAX_ENABLE_X64 says; JAX reads it when it is imported."""
    os.environ.pop("JAX_ENABLE_X64", None)


def _forget_output():
    """Python would try once more to write the rest of standard output, and print a traceback."""
    try:
        sys.stdout.flush()
    except (OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def complain(sentence: str) -> int:
    """Print what was wrong with the input; returns the exit code for it."""
    print(f"error: {sentence}", file=sys.stderr)
    return BAD_INPUT


def path_of(flag: str) -> Path:
    """The path that a flag gives, `~` expanded.

    Raises:
      InputError: if there is no such home folder.
    """
    given = flags.FLAGS[flag].value
    return expanded(given, f"--{flag}={given}")


def expanded(given: str, told: str) -> Path:
    """A path that a user gives, `~` expanded; `told` is what of the command says it.

    Raises:
      InputError: if there is no such home folder.
    """
    try:
        return Path(given).expanduser()
    except RuntimeError as error:
        raise InputError(f"{told} is not accepted: there is no such home folder; give a whole path") from error


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
    with writing(path):
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
