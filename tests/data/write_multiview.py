"""Writes the dummy files of pie, leaves100 and msrcv1: a few examples a class, nothing of upstream in them.

python tests/data/write_multiview.py
"""

from pathlib import Path

import numpy as np
import scipy.io

from mmjax.data.leaves100.task import RECIPE as LEAVES100
from mmjax.data.msrcv1.task import RECIPE as MSRCV1
from mmjax.data.pie.task import RECIPE as PIE
from mmjax.data.recipe import Recipe

ROOT = Path(__file__).parents[2] / "mmjax" / "data"
EXAMPLES = 7  # of a class: the fewest of which each class has one in a fifth of four fifths
NOISY = 4  # features of a view that are the class plus a small whole number; the others are the class, and compress


def write(folder: Path, recipe: Recipe, labels: str, examples_in_columns: bool) -> None:
    """The file of a recipe in a folder.

    Args:
      folder: exists.
      recipe: of a data set of views.
      labels: the file's field of classes.
      examples_in_columns: whether a view is [features, n], as pie's are.
    """
    generator = np.random.default_rng(0)
    features = dict(recipe.dataset.features)
    classes = np.tile(np.arange(len(features.pop("label").names)) + 1, EXAMPLES).astype(np.uint8)
    cells = np.empty((1, len(features)), object)
    for place, feature in enumerate(features.values()):
        view = np.repeat(classes[:, None], feature.shape[0], axis=1)
        view[:, :NOISY] += generator.integers(0, 3, (len(classes), NOISY), np.uint8)
        cells[0, place] = view.T if examples_in_columns else view
    file = recipe.dataset.layouts[0].sources[0].file
    scipy.io.savemat(folder / file, {"X": cells, labels: classes[:, None]}, do_compression=True)


if __name__ == "__main__":
    for recipe, labels, examples_in_columns in ((PIE, "gt", True), (LEAVES100, "y", False), (MSRCV1, "y", False)):
        write(ROOT / recipe.dataset.name / "dummy_data", recipe, labels, examples_in_columns)
