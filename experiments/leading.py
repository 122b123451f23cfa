"""A launch over several processes: the first runs it, the others train what the first is about to train."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import jax

from mmjax.config import Config
from mmjax.errors import InputError
from mmjax.interrupts import deferred
from mmjax.training.checkpoint import Keep
from mmjax.training.parallel import Placement
from mmjax.training.peers import farewell, wait_for_verdict
from mmjax.training.processes import from_first
from mmjax.training.results import Interrupted
from mmjax.types import Task


@contextmanager
def leading(train: Callable) -> Iterator[Callable]:
    """`train` that tells the others to train the same.

    The others are dismissed at the end, after Ctrl-C, and once `stop` said so. After another exception, which is this
    process's own, they are not: `peers` tells them that it has failed.

    Raises:
      InputError: at the next training or at the end, where one was left by an exception that only the first had.
    """
    if jax.process_count() == 1:
        yield train
        return
    listening = True  # the others, to what they are told next

    def tell(value):
        if not listening:
            raise InputError(
                "the first process left a training that the others are still at, as another launch took it over or "
                "something failed: give all processes the same command again"
            )
        from_first(value)

    def led(task: Task, fusion, strategy, config: Config, seeds, placement, keep: Keep | None, on_progress, **options):
        nonlocal listening
        told = {name: value for name, value in options.items() if name != "stop"}
        kept = None if keep is None else dataclasses.asdict(keep) | {"directory": str(keep.directory)}
        with deferred():  # Ctrl-C ends it where all processes agree on it
            tell([task.title, fusion, strategy, config.to_dict(), seeds, kept, told])
            listening = False
            try:
                with _failing_together():
                    result = train(task, fusion, strategy, config, seeds, placement, keep, on_progress, **options)
            except (jax.errors.JaxRuntimeError, Interrupted):
                listening = True
                raise
            listening = True
            return result

    try:
        yield led
    except (Interrupted, KeyboardInterrupt):
        if listening:
            from_first(None)
            farewell()
        raise
    tell(None)


@contextmanager
def _failing_together() -> Iterator[None]:
    """Where a program fails because another process has died, this one ends before it takes it for its own failure."""
    try:
        yield
    except jax.errors.JaxRuntimeError:
        wait_for_verdict()
        raise


def follow(tasks: Sequence[Task], placement: Placement, train: Callable, stop: Callable[[], bool]):
    """What every process but the first does: train what it is told to, until it is dismissed.

    Ctrl-C is raised at the end: it stops a training of all processes, which dismisses this one.

    Args:
      tasks: of different titles.
      placement, train, stop: as the first has them.
    """
    by_title: Mapping[str, Task] = {task.title: task for task in tasks}
    with deferred():
        while told := from_first(None):
            title, fusion, strategy, config, seeds, kept, options = told
            keep = kept and Keep(**kept | {"directory": Path(kept["directory"])})
            options = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
            with suppress(jax.errors.JaxRuntimeError, Interrupted), _failing_together():
                # The first tells how it ended, and goes on or dismisses.
                train(
                    by_title[title], fusion, strategy, Config(**config), tuple(seeds), placement, keep, None,
                    stop=stop, **options,
                )  # fmt: skip
        farewell()
