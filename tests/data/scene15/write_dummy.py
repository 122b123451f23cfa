"""Writes scene15's dummy file: 150 examples whose features are the class plus a small whole number."""

from pathlib import Path

import numpy as np
import scipy.io

from mmjax.data.scene15.task import FILE, RECIPE

FOLDER = Path(__file__).parents[3] / "mmjax" / "data" / "scene15" / "dummy_data"


def write(folder: Path) -> None:
    """The file in a folder."""
    generator = np.random.default_rng(0)
    classes = np.arange(150) % 15 + 1
    views = [feature for name, feature in RECIPE.dataset.features.items() if name != "label"]
    cells = np.empty((1, len(views)), object)
    for place, feature in enumerate(views):
        cells[0, place] = (classes + generator.integers(0, 3, (*feature.shape, len(classes)))).astype(np.uint8)
    scipy.io.savemat(folder / FILE, {"X": cells, "gt": classes[:, None].astype(np.uint8)}, do_compression=True)


if __name__ == "__main__":
    write(FOLDER)
