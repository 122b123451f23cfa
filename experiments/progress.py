"""How far a long command is: bars on a terminal, a line a cell elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Reporter:
    """A context that shows which cell of how many runs, its epoch, and the time left.

    The time left takes the cells to come to be as long as those that were.
    """

    def __init__(self, cells: int, console: Console):
        self.cells = cells
        self.console = console
        self.count = 0
        self.bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            speed_estimate_period=3600,
        )
        self.whole = self.bars.add_task("cells", total=cells)
        self.cell = None

    def __enter__(self):
        self.bars.start()
        return self

    def __exit__(self, *exception):
        self.bars.stop()

    def begin(self, title: str, detail: str):
        """A cell starts."""
        self.count += 1
        self.title, self.start = title, time.monotonic()
        self._say(f"{title}: {detail}" if not self.console.is_terminal else None)
        self.cell = self.bars.add_task(title, total=None)

    def update(self, progress):
        """An evaluation of the cell is through; `progress` as `mmjax.training.loop.Progress`."""
        self.bars.update(
            self.cell,
            description=f"{self.title} ({progress.phase})",
            completed=progress.epoch,
            total=progress.epochs,
        )
        self.bars.update(self.whole, completed=self.count - 1 + progress.epoch / progress.epochs)

    def end(self, outcome: str):
        """The cell is through."""
        self._remove_bar()
        self.bars.update(self.whole, completed=self.count)
        self._say(f"{self.title}: {outcome}, {time.monotonic() - self.start:.1f} s")

    def skip(self, title: str, reason: str):
        """A cell that needs no work."""
        self.count += 1
        self.bars.update(self.whole, completed=self.count)
        self._say(f"{title}: {reason}")

    def put_off(self, title: str, reason: str):
        """A cell is left to another launch for now, whether it was begun or not."""
        if self.cell is not None:
            self._remove_bar()
            self.count -= 1
        self._say(f"{title}: put off, {reason}")

    def _remove_bar(self):
        self.bars.remove_task(self.cell)
        self.cell = None

    def _say(self, sentence: str | None):
        if sentence:
            line = f"[{self.count}/{self.cells}] {sentence}"
            self.console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)
