"""YAML with the line of every key, so that what is wrong can be pointed at.

Every scalar is the text that stands there: what `no`, `1e3` or `01` means is said by the field that it belongs to, not
by YAML.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mmjax.data.folder.separated import encoding_of
from mmjax.errors import InputError, shown

STANDARD = "tag:yaml.org,2002:"
PLAIN = ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")  # tags that a value may be given
MOST_BYTES = 2**21  # of a file: the names of 100,000 columns
DEEPEST = 10  # mappings and lists within each other


class Lines(dict):
    """A mapping that knows the line of each of its keys, and its own first."""

    def __init__(self, items: dict, lines: dict[str, int], line: int):
        super().__init__(items)
        self.lines, self.line = lines, line


def read_yaml(path: Path) -> Lines:
    """The mapping that a YAML file holds, of texts, lists and mappings.

    Raises:
      InputError: if the file cannot be read, is too large or too deep, is no YAML of plain values, has an alias or a
        key twice, or holds no mapping.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where PyYAML was built with it
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path} has {path.stat().st_size:,} bytes; accepted are {MOST_BYTES:,}, so shorten it")
        raw = path.read_bytes()
        text = raw.decode(encoding_of(raw))
        content = _document(path, yaml.parse(text, loader), yaml)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read ({error}); it must be a text file in UTF-8, or in UTF-16 or "
            "UTF-32 with a byte order mark"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        if mark and _is_indented_by_a_tab(text, mark.line):
            raise InputError(f"{path}{where}: a tab stands before the text; indent by spaces") from error
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        raise InputError(f"{path}{where}: {reason}; it must be YAML of plain values, so correct that line") from error
    if not isinstance(content, Lines):
        raise InputError(f"{path} holds no mapping; begin it with `modalities:` and `target:`")
    return content


def _is_indented_by_a_tab(text: str, line: int) -> bool:
    lines = text.splitlines()
    return line < len(lines) and "\t" in lines[line][: len(lines[line]) - len(lines[line].lstrip())]


def _document(path: Path, events: Iterator, yaml):
    """What the one document of a file holds; None for an empty file."""
    content = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent) and content is not None:
            raise InputError(f"{path}, {_line(event)}: a second document begins; keep one, without a line of `---`")
        if isinstance(event, yaml.NodeEvent):
            content = _value(path, event, events, yaml, 1)
    return content


def _value(path: Path, event, events: Iterator, yaml, depth: int):
    """The value that begins with an event; takes its other events, so that nothing is built before it is looked at."""
    where = f"{path}, {_line(event)}"
    if event.anchor is not None:
        mark = "*" if isinstance(event, yaml.AliasEvent) else "&"
        raise InputError(
            f"{where}: {mark}{event.anchor} is an alias or its anchor; write the value out, or put quotes around a text"
        )
    if event.tag is not None and event.tag.removeprefix(STANDARD) not in PLAIN:
        raise InputError(f"{where}: {shown(event.tag)} is no plain value; write text or a number")
    if isinstance(event, yaml.ScalarEvent):
        return event.value
    if depth > DEEPEST:
        raise InputError(f"{where}: more than {DEEPEST} lists or mappings stand within each other; write it flat")
    if isinstance(event, yaml.SequenceStartEvent):
        return [_value(path, each, events, yaml, depth + 1) for each in _until(events, yaml.SequenceEndEvent)]
    items, lines = {}, {}
    for key_event in _until(events, yaml.MappingEndEvent):
        key, line = _value(path, key_event, events, yaml, depth + 1), key_event.start_mark.line + 1
        if not isinstance(key, str):
            raise InputError(f"{path}, line {line}: a key is no text; write `<name>: <value>`")
        if key in items:
            raise InputError(f"{path}, line {line}: {shown(key)} is there twice, first in line {lines[key]}; keep one")
        items[key], lines[key] = _value(path, next(events), events, yaml, depth + 1), line
    return Lines(items, lines, event.start_mark.line + 1)


def _until(events: Iterator, end: type) -> Iterator:
    """The next events up to an end; whoever is given one takes those within it first."""
    for event in events:
        if isinstance(event, end):
            return
        yield event


def _line(event) -> str:
    return f"line {event.start_mark.line + 1}"
