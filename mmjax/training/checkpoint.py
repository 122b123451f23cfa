"""A cell's place in its training on disk, by Orbax: the only file that knows it.

What is kept does not depend on the devices: the state of every seed as one tree of arrays [S, ...], and what was seen
so far as JSON. The best theta is part of the state, so that the latest and the best are both in every checkpoint.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from mmjax.disk import writing

CHECKSUM = "sha256"  # the file, beside Orbax's, that tells whether they are as they were written
FORMAT = 1  # of what lies in a checkpoint; one of another format is not read


@dataclasses.dataclass(frozen=True)
class Keep:
    """Where checkpoints lie, and how many.

    Attributes:
      directory: of this run's checkpoints alone; made when the first is saved.
      identity: what determines the run. A checkpoint of another identity is not used.
      latest: how many are kept, at least 1; the older ones serve where the newest cannot be read.
      seconds_between: the least time between two, by `Checkpoints.due`.
    """

    directory: Path
    identity: str = ""
    latest: int = 2
    seconds_between: float = 15.0


class Checkpoints:
    """The latest checkpoints of one run.

    Of several processes the first writes, and all restore; none waits for another.
    """

    def __init__(self, keep: Keep):
        self._keep = keep
        self._manager = None
        self._saved_at = time.monotonic()
        self._saved_step = None

    @property
    def due(self) -> bool:
        """Whether the last save was `Keep.seconds_between` ago, or longer."""
        return time.monotonic() - self._saved_at >= self._keep.seconds_between

    def save(self, step: int, state: Any, progress: dict):
        """Keeps a checkpoint, and drops the oldest beyond `Keep.latest`.

        Args:
          step: how far the run is; grows from save to save. A step that was just saved is not saved again.
          state: a tree of arrays of any dtype.
          progress: whatever JSON takes.
        """
        if step == self._saved_step:
            return
        self._saved_at, self._saved_step = time.monotonic(), step
        if jax.process_index():
            return
        with writing(self._keep.directory):
            self._write(step, state, progress)

    def _write(self, step: int, state: Any, progress: dict):
        import orbax.checkpoint as ocp

        state = jax.tree.map(np.asarray, state)
        record = {"format": FORMAT, "identity": self._keep.identity, "leaves": _describe(state), "progress": progress}
        arrays = _saved(step, jax.tree.leaves(state))
        manager = self._open()
        for other in manager.all_steps():
            if other >= step:  # `restore` passed it over
                manager.delete(other)
        save = ocp.args.Composite(state=ocp.args.StandardSave(arrays), record=ocp.args.JsonSave(record))
        manager.save(step, args=save, force=True)
        # Written last: what has none, because of a kill just here, is not whole.
        (self._keep.directory / str(step) / CHECKSUM).write_text(_checksum(self._keep.directory / str(step)))

    def restore(self, like: Callable[[dict], Any]) -> tuple[dict, Any] | None:
        """The newest checkpoint that can be used; what is passed over for it is warned about.

        Args:
          like: of a checkpoint's progress, the tree of shapes and dtypes that its state must have.

        Returns:
          Its progress and its state, of NumPy arrays; None where no checkpoint is whole, of this identity and shaped as
          `like` says.
        """
        if not self._keep.directory.exists():
            return None
        steps = sorted(self._open().all_steps(), reverse=True)
        for step, before in zip(steps, [*steps[1:], None]):
            try:
                return self._read(step, like)
            except Exception as error:  # a damaged file can make Orbax say anything
                reason = textwrap.shorten(str(error), 200, placeholder=" ...") or type(error).__name__
                instead = "training starts from its seeds" if before is None else f"checkpoint {before} is tried"
                logging.warning("no use of checkpoint %d in %s: %s; %s", step, self._keep.directory, reason, instead)
        return None

    def close(self):
        """Releases the directory."""
        if self._manager:
            self._manager.close()

    def _read(self, step: int, like: Callable[[dict], Any]) -> tuple[dict, Any]:
        import orbax.checkpoint as ocp

        # Before Orbax reads: of files that are cut short or changed it notices some, and those not in one sentence.
        folder = self._keep.directory / str(step)
        if not (folder / CHECKSUM).exists() or (folder / CHECKSUM).read_text() != _checksum(folder):
            raise ValueError("it is damaged or was not written to its end")
        manager = self._open()
        record = manager.restore(step, args=ocp.args.Composite(record=ocp.args.JsonRestore()))["record"]
        if record["format"] != FORMAT:
            raise ValueError(f"its format is {record['format']}, not {FORMAT}")
        if record["identity"] != self._keep.identity:
            raise ValueError("it is of another run")
        expected = like(record["progress"])
        if record["leaves"] != _describe(expected):
            raise ValueError("its state is not shaped as this run's")
        leaves = [np.zeros(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(expected)]
        state = ocp.args.StandardRestore(_saved(step, leaves))
        arrays = manager.restore(step, args=ocp.args.Composite(state=state))["state"]
        leaves = [arrays.get(_name(i), leaf) for i, leaf in enumerate(leaves)]
        return record["progress"], jax.tree.unflatten(jax.tree.structure(expected), leaves)

    def _open(self):
        if self._manager is None:
            import orbax.checkpoint as ocp  # late: it takes a while, and many commands never save

            self._keep.directory.mkdir(parents=True, exist_ok=True)
            logging.getLogger("absl").addFilter(_tells_more_than_it_raises)
            alone = _alone()
            options = ocp.CheckpointManagerOptions(
                max_to_keep=self._keep.latest,
                enable_async_checkpointing=False,
                cleanup_tmp_directories=jax.process_index() == 0,  # another's may be what the first is writing
                create=False,
                multiprocessing_options=alone,
            )
            handlers = {
                "state": ocp.StandardCheckpointHandler(multiprocessing_options=alone),
                "record": ocp.JsonCheckpointHandler(multiprocessing_options=alone),
            }
            self._manager = ocp.CheckpointManager(
                self._keep.directory.absolute(), options=options, item_handlers=handlers
            )
        return self._manager


def save_parameters(directory: Path, theta: dict):
    """Writes theta, nested dicts of arrays, whole or not at all, in place of what lies there."""
    import orbax.checkpoint as ocp

    with writing(directory), _checkpointer() as checkpointer:
        save = ocp.args.StandardSave(jax.tree.map(np.asarray, theta))
        checkpointer.save(Path(directory).absolute(), args=save, force=True)


def load_parameters(directory: Path) -> dict:
    """Theta as it was saved: nested dicts of NumPy arrays."""
    import orbax.checkpoint as ocp

    with _checkpointer() as checkpointer:
        return checkpointer.restore(Path(directory).absolute(), args=ocp.args.StandardRestore())


def _tells_more_than_it_raises(record: logging.LogRecord) -> bool:
    """Whether a line of the log is none of Orbax's that shows the traceback of what it then raises."""
    return not ("orbax" in record.pathname and record.exc_info)


def parameters_checksum(directory: Path) -> str:
    """Of what `save_parameters` wrote."""
    return _checksum(Path(directory))


def _checkpointer():
    """Of one tree."""
    import orbax.checkpoint as ocp

    alone = _alone()
    handler = ocp.StandardCheckpointHandler(multiprocessing_options=alone)
    return ocp.Checkpointer(handler, multiprocessing_options=alone)


def _alone():
    """Options by which this process saves and restores without waiting for others."""
    import orbax.checkpoint as ocp

    here = jax.process_index()
    return ocp.options.MultiprocessingOptions(primary_host=here, active_processes={here})


def _name(i: int) -> str:
    """A leaf's name, fit for a file."""
    return f"{i:06d}"


def _saved(step: int, leaves: list[np.ndarray]) -> dict[str, np.ndarray]:
    """What Orbax is given, which takes neither leaves without entries nor a tree without leaves."""
    return {"step": np.array(step)} | {_name(i): leaf for i, leaf in enumerate(leaves) if leaf.size}


def _describe(tree: Any) -> list:
    """Path, dtype and shape of every leaf."""
    leaves = jax.tree.leaves_with_path(tree)
    return [[jax.tree_util.keystr(path), np.dtype(leaf.dtype).name, list(leaf.shape)] for path, leaf in leaves]


def _checksum(folder: Path) -> str:
    """Of the names and contents of a checkpoint's files."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != CHECKSUM:
            with open(path, "rb") as file:
                total.update(
                    path.relative_to(folder).as_posix().encode() + hashlib.file_digest(file, "sha256").digest()
                )
    return total.hexdigest()
