"""Writes rosmap's dummy files: 60 and 20 brains whose features are 0.4 times the class plus a tenth of a whole number.

python tests/data/rosmap/write_dummy.py
"""

from pathlib import Path

import numpy as np

from mmjax.data.rosmap.task import FEATURES, OMICS, SHORT

FOLDER = Path(__file__).parents[3] / "mmjax" / "data" / "rosmap" / "dummy_data"
BRAINS = {"train": 60, "test": 20}


def write(folder: Path) -> None:
    """The eight files in a folder."""
    generator = np.random.default_rng(0)
    for split, end in SHORT.items():
        labels = np.arange(BRAINS[split]) % 2
        np.savetxt(folder / f"labels_{end}.csv", labels, "%.18e")
        for number in OMICS.values():
            values = 0.4 * labels[:, None] + generator.integers(0, 4, (len(labels), FEATURES)) / 10
            np.savetxt(folder / f"{number}_{end}.csv", values, "%.1f", delimiter=",")


if __name__ == "__main__":
    write(FOLDER)
