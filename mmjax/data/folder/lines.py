"""YAML with the line of every key, so that what is wrong can be pointed at."""

from __future__ import annotations

from pathlib import Path

from mmjax.errors import InputError

STANDARD = "tag:yaml.org,2002:"
PLAIN = ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")  # kinds of values that nothing is run for


class Lines(dict):
    """A mapping that knows the line of each of its keys, and its own first."""

    def __init__(self, items: dict, lines: dict[str, int], line: int):
        super().__init__(items)
        self.lines, self.line = lines, line


def read_yaml(path: Path) -> Lines:
    """The mapping that a YAML file holds.

    Raises:
      InputError: if the file cannot be read, is no YAML of plain values, has a key twice, or holds no mapping.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
        node = yaml.compose(text, yaml.SafeLoader)
        content = None if node is None else _plain(path, node, yaml)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); it must be a text file in UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        raise InputError(f"{path}{where}: {reason}; it must be YAML of plain values, so correct that line") from error
    if not isinstance(content, Lines):
        raise InputError(f"{path} holds no mapping; begin it with `modalities:` and `target:`")
    return content


def _plain(path: Path, node, yaml):
    if node.tag.removeprefix(STANDARD) not in PLAIN:
        raise InputError(
            f"{path}, line {node.start_mark.line + 1}: {node.tag!r} is no plain value; write text or a number"
        )
    if isinstance(node, yaml.MappingNode):
        items, lines = {}, {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in items:
                raise InputError(f"{path}, line {line}: {key!r} is there twice, first in line {lines[key]}; keep one")
            items[key], lines[key] = _plain(path, value_node, yaml), line
        return Lines(items, lines, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(path, each, yaml) for each in node.value]
    return yaml.SafeLoader("").construct_object(node)
