"""The report: one HTML file that holds everything it shows."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import jinja2

from benchmarks.tables import Section

TEMPLATES = Path(__file__).parent / "templates"


def report(
    title: str,
    sections: Iterable[Section],
    figures: Mapping[str, Mapping[str, Path]],
    protocol: Sequence[str],
    environment: Mapping[str, Mapping[str, object]],
    config: Mapping[str, object],
) -> str:
    """The page as text; whatever it is given is shown as text, never as markup.

    Args:
      title: its heading.
      sections: the tables, from `benchmarks.tables.sections`.
      figures: task -> caption -> PNG file, shown under that task's table.
      protocol: sentences that say how the figures came about.
      environment: heading -> name -> value: machines and versions, and what came about where.
      config: what was run, by field; a value that is a mapping has a row for each of its fields.
    """
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    pictures = {
        task: {caption: base64.b64encode(path.read_bytes()).decode() for caption, path in of_task.items()}
        for task, of_task in figures.items()
    }
    facts = {"Configuration": _flat(config), **{heading: _flat(fields) for heading, fields in environment.items()}}
    page = templates.get_template("report.html")
    return page.render(title=title, sections=list(sections), pictures=pictures, protocol=protocol, facts=facts)


def _flat(fields: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested mappings as one level of dotted names."""
    flat = {}
    for name, value in fields.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
