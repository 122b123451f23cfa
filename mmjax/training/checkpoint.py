"""A cell's place in its training on disk, by Orbax: the only file that knows it.

What is kept does not depend on the devices: the state of every seed as one tree of arrays [S, ...], with the best
theta, and the history as JSON. A checkpoint that cannot be read is as none.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np


class Checkpoints:
    """The latest checkpoint of one cell under a directory, which is made when the first is saved."""

    def __init__(self, directory: Path, seconds_between: float = 0.0):
        """`seconds_between`: how long `save_if_due` waits before it writes again."""
        import orbax.checkpoint as ocp  # late: it takes a while, and many commands never save

        self._args = ocp.args
        options = ocp.CheckpointManagerOptions(max_to_keep=1, enable_async_checkpointing=False, create=True)
        self._manager = ocp.CheckpointManager(
            Path(directory).absolute(),
            options=options,
            item_handlers={"state": ocp.StandardCheckpointHandler(), "progress": ocp.JsonCheckpointHandler()},
        )

        self._seconds_between = seconds_between
        self._saved_at = time.monotonic()

    def save_if_due(self, step: int, state: Callable[[], Any], progress: dict):
        """`save`, with the state that `state()` gives, unless the last was saved a moment ago."""
        if time.monotonic() - self._saved_at >= self._seconds_between:
            self.save(step, state(), progress)

    def save(self, step: int, state: Any, progress: dict):
        """Keeps `state` (a tree of NumPy arrays) and `progress` (JSON) as checkpoint `step`; drops the one before."""
        leaves = {f"{i:06d}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(state))}
        save = self._args.Composite(state=self._args.StandardSave(leaves), progress=self._args.JsonSave(progress))
        self._manager.save(step, args=save, force=True)
        self._saved_at = time.monotonic()

    def progress(self) -> dict | None:
        """The latest checkpoint's progress, or None if there is none that can be read."""
        return self._restore("progress", self._args.JsonRestore())

    def state(self, like: Any) -> Any | None:
        """The latest checkpoint's state, or None if it cannot be read as the tree `like` of shapes and dtypes."""
        leaves, tree = jax.tree.flatten(like)
        target = {f"{i:06d}": np.zeros(leaf.shape, leaf.dtype) for i, leaf in enumerate(leaves)}
        restored = self._restore("state", self._args.StandardRestore(target))
        return None if restored is None else tree.unflatten([restored[key] for key in sorted(restored)])

    def close(self):
        """Releases the directory."""
        self._manager.close()

    def _restore(self, item, argument):
        step = self._manager.latest_step()
        if step is None:
            return None
        try:
            return self._manager.restore(step, args=self._args.Composite(**{item: argument}))[item]
        except Exception as error:  # whatever Orbax says of a damaged or foreign file: training starts again
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            logging.warning("no use of checkpoint %d in %s: %s", step, self._manager.directory, reason)
            return None
