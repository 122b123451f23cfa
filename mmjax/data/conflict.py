"""Views that contradict each other, as the paper on conflicting multi-view data makes them.

Source: Xu et al. 2024, Reliable Conflictive Multi-View Learning (AAAI), and its code's `dataloader.py`.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from mmjax.types import Task

NOISY, SIGMA = 0.1, 0.5  # share of test examples with noise on some views, and its deviation
SWAPPED = 0.4  # share of test examples of which one view is another class's


def contradict(task: Task, seed: int) -> Task:
    """The task with a test split in which views contradict each other.

    A tenth of the examples gets Gaussian noise on a random proper subset of its views; of four tenths, drawn
    independently, one view is replaced by that of the first test example of the next class.

    Args:
      task: classes as target; every modality of kind `vector` and present.
      seed: of the draws.
    """
    generator = np.random.default_rng(seed)
    test = task.splits["test"]
    names = [spec.name for spec in task.modalities]
    inputs = {name: test.inputs[name].copy() for name in names}
    for row in generator.choice(test.size, round(NOISY * test.size), replace=False):
        count = generator.integers(1, len(names))
        for name in generator.choice(names, count, replace=False):
            inputs[name][row] += generator.normal(0, SIGMA, inputs[name].shape[1:]).astype(np.float32)
    first = {label: int(np.argmax(test.target == label)) for label in np.unique(test.target)}
    for row in generator.choice(test.size, round(SWAPPED * test.size), replace=False):
        other = first.get((test.target[row] + 1) % task.target.classes)
        if other is not None:  # a small test split may lack the class
            name = generator.choice(names)
            inputs[name][row] = test.inputs[name][other]
    splits = dict(task.splits) | {"test": test._replace(inputs=inputs)}
    return dataclasses.replace(task, splits=splits)
