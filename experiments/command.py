"""What every command shares: flags and errors, each in one sentence, and the exit code."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Sequence

from absl import app, flags, logging

from mmjax.errors import InputError

BAD_INPUT = 2
INTERRUPTED = 130  # as a shell counts a program that Ctrl-C ended

flags.DEFINE_bool("debug", False, "Print the traceback of an error.")


def run(main: Callable[[], int | None]):
    """`absl.app.run` for a command without positional arguments.

    Args:
      main: does the work and returns the exit code, None for 0. An InputError it raises is printed
        as a sentence and exits with 2; Ctrl-C exits with 130.
    """
    app.run(lambda argv: guarded(main), flags_parser=_parse)


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


def complain(sentence: str) -> int:
    """Print what was wrong with the input; returns the exit code for it."""
    print(f"error: {sentence}", file=sys.stderr)
    return BAD_INPUT


def _parse(argv: Sequence[str]) -> list[str]:
    try:
        rest = flags.FLAGS(join_overrides(argv))[1:]
    except flags.Error as error:
        sys.exit(complain(textwrap.shorten(str(error), 500)))
    except (SystemExit, BrokenPipeError):  # absl's --help leaves with 1, as if something had failed
        sys.exit(0)
    if rest:
        sys.exit(complain(f"argument {rest[0]!r} is not accepted: give flags, as --name=value; --help lists them"))
    return rest


def join_overrides(argv: Sequence[str]) -> list[str]:
    """argv with every `--config.<field>=value` written as `--config=<field>=value`, which absl can declare.

    A `--config.<field>` without a value says true.
    """
    override = re.compile(r"--?config\.([\w.]+)(=.*)?", re.DOTALL)
    matches = [(argument, override.fullmatch(argument)) for argument in argv]
    return [f"--config={match[1]}{match[2] or '=true'}" if match else argument for argument, match in matches]
