"""Whether a cell can be trained, found without training it."""

import jax

from experiments.grid import UNTRAINED, Cell, obstacle
from mmjax.errors import InputError
from mmjax.model import build_model, initialise
from mmjax.types import Task


def check_cell(task: Task, cell: Cell):
    """Refuse a cell that could not be trained, without training it.

    Raises:
      InputError: for a batch larger than the training split, or a name or size that the model refuses.
    """
    examples = task.splits["train"].size
    if cell.config.batch_size > examples:
        raise InputError(
            f"batch_size = {cell.config.batch_size} is larger than the training split of {task.name!r}: "
            f"give at most {examples}"
        )
    if cell.strategy == UNTRAINED or cell.is_rule or obstacle(task, cell):
        return
    model = build_model(task.modalities, task.target, cell.fusion, cell.config)
    example = jax.tree.map(lambda x: x[:1], task.splits["train"])
    jax.eval_shape(lambda: initialise(model, jax.random.key(0), example))
