"""The one exception that commands turn into a sentence and exit code 2."""

import difflib
import reprlib
from collections.abc import Iterable

LISTED = 12  # valid names that a sentence lists at most; of more it gives the nearest
NEAREST = 3  # of these
LISTING = "`mmjax list`"  # prints what the registries hold
LISTED_THERE = ("task", "task or tag", "fusion", "strategy", "encoder", "decoder", "classical baseline")
COMPARED = 500  # names at most that are compared letter by letter with one that is unknown
LONGEST = 60  # characters of what stands in a user's file that a sentence repeats

_short = reprlib.Repr()
_short.maxstring = _short.maxother = LONGEST


class InputError(ValueError):
    """What the user gave cannot be used.

    Its message is one sentence that names the file, field and value, says what is
    accepted and what to do. Commands print it without a traceback and exit with 2.
    """


def shown(value) -> str:
    """What a user wrote on one line, a text in quotes, LONGEST characters of it at most."""
    return _short.repr(value if isinstance(value, list | dict) else str(value))


def unknown_name(kind: str, name: str, valid: Iterable[str], listed: str = "") -> InputError:
    """The error for a name that is none of the valid ones.

    All valid names are told if they are few, otherwise the nearest and where all are listed.

    Args:
      kind: what the name is of.
      name: the unknown one.
      valid: the others.
      listed: where a person finds them all, as the subject of "lists all"; "" where LISTED_THERE says it.
    """
    listed = listed or (LISTING if kind in LISTED_THERE else "")
    valid = sorted(map(str, valid))
    if len(valid) > LISTED:
        near = [shown(each) for each in nearest(name, valid, NEAREST, cutoff=0)]
        everywhere = f" ({listed} lists all {len(valid):,})" if listed else f" (of {len(valid):,})"
        return InputError(
            f"unknown {kind} {shown(name)}: did you mean {', '.join(near[:-1])} or {near[-1]}?{everywhere}"
        )
    near = nearest(name, valid, 1)
    suggestion = f"; did you mean {shown(near[0])}?" if near else ""
    told = ", ".join(each if len(each) <= LONGEST else shown(each) for each in valid)
    return InputError(f"unknown {kind} {shown(name)}: valid are {told}{suggestion}")


def nearest(name: str, valid: Iterable[str], n: int, cutoff: float = 0.6) -> list[str]:
    """The n valid names that are most like one, most alike first; case does not count.

    Args:
      name: the one.
      valid: the others; of more than COMPARED those that share fewest pairs of letters with it are not looked at.
      n: at most so many.
      cutoff: 0 to 1, how alike they are at least (`difflib.SequenceMatcher.ratio`).
    """
    valid = list(valid)
    if len(valid) > COMPARED:
        pairs = _pairs(name)
        valid = sorted(valid, key=lambda each: -len(pairs & (own := _pairs(each))) / (1 + len(pairs | own)))[:COMPARED]
    by_lower = {each.lower(): each for each in reversed(valid)}
    return [by_lower[each] for each in difflib.get_close_matches(name.lower(), by_lower, n=n, cutoff=cutoff)]


def _pairs(text: str) -> set[str]:
    text = f" {text[: 4 * LONGEST].lower()} "
    return {text[place : place + 2] for place in range(len(text) - 1)}


def lookup(registry: dict, kind: str, name: str):
    """`registry[name]`.

    Raises:
      InputError: if the name is unknown; as `unknown_name` says it.
    """
    if name not in registry:
        raise unknown_name(kind, name, registry)
    return registry[name]
