"""The one exception that commands turn into a sentence and exit code 2."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """What the user gave cannot be used.

    Its message is one sentence that names the file, field and value, says what is
    accepted and what to do. Commands print it without a traceback and exit with 2.
    """


def unknown_name(kind: str, name: str, valid: Iterable[str]) -> InputError:
    """The error for a name that no registry holds, with the nearest valid one suggested."""
    valid = sorted(valid)
    nearest = difflib.get_close_matches(name, valid, n=1)
    suggestion = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return InputError(f"unknown {kind} {name!r}: valid are {', '.join(valid)}{suggestion}")


def lookup(registry: dict, kind: str, name: str):
    """`registry[name]`.

    Raises:
      InputError: if the name is unknown; it lists the valid ones and the nearest.
    """
    if name not in registry:
        raise unknown_name(kind, name, registry)
    return registry[name]
