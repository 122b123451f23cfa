"""What cells are called is told as it stands, on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from experiments.progress import Reporter
from mmjax.training.results import Progress

NAMES = ["[/INST]", "[other]", "[red]x", "$x$", "a | b", ":smile:", "{x}"]


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "file"])
@pytest.mark.parametrize("name", NAMES)
def test_names_are_no_markup(name, terminal):
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=120, color_system=None, legacy_windows=False)
    with Reporter(2, console) as reporter:
        reporter.begin(f"unimodal/{name}", "3 seeds")
        reporter.update(Progress(1, 2, "joint", {}))
        reporter.bars.refresh()
        shown = file.getvalue()
        reporter.end(f"accuracy of {name}")
        reporter.skip(name, f"failed: {name}")
        reporter.put_off(name, name)
    assert f"unimodal/{name}: accuracy of {name}" in file.getvalue() and f"{name}: failed: {name}" in file.getvalue()
    assert f"unimodal/{name}" in shown
