"""What the registries of mmjax hold, for people and for programs."""

from __future__ import annotations

import dataclasses
import json

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from mmjax.data import TASKS
from mmjax.decoders import DECODERS
from mmjax.encoders import ENCODERS
from mmjax.evaluation.classical import CLASSICAL
from mmjax.fusion import LEVELS
from mmjax.training.strategies import STRATEGIES


def contents() -> dict:
    """Names by registry; of a task also what is known without loading it."""
    return {
        "tasks": {
            name: {
                field.name: getattr(entry, field.name)
                for field in dataclasses.fields(entry)
                if not callable(getattr(entry, field.name))
            }
            for name, entry in TASKS.items()
        },
        "fusions": {level: list(registry) for level, registry in LEVELS.items()},
        "classical": list(CLASSICAL),
        "encoders": list(ENCODERS),
        "decoders": list(DECODERS),
        "strategies": list(STRATEGIES),
    }


def as_json() -> str:
    """`contents` as JSON."""
    return json.dumps(contents(), indent=2, default=list)


def print_table():
    """`contents` as a table."""
    held = contents()
    table = Table("kind", Column("name", no_wrap=True), "")
    for name, entry in held["tasks"].items():
        ways = ", ".join(f"/{protocol}" for protocol in entry["protocols"])
        table.add_row("task", name, Text(entry["summary"] + (f"; split by {ways}" if ways else "")))
    table.add_section()
    for level, names in held["fusions"].items():
        table.add_row(f"fusion, {level} level", "\n".join(names), "")
    for kind in ("classical", "encoders", "decoders", "strategies"):
        table.add_row(kind, "\n".join(held[kind]), "")
    Console().print(table)
