"""Writes xapi's dummy file: 60 invented pupils, whose counters follow their class.

python tests/data/xapi/write_dummy.py
"""

from pathlib import Path

import numpy as np
import pandas

from mmjax.data.xapi.task import CLASSES, COLUMNS, FILE, RANGES

FOLDER = Path(__file__).parents[3] / "mmjax" / "data" / "xapi" / "dummy_data"
PUPILS = 60


def write(folder: Path) -> None:
    """The file in a folder."""
    generator = np.random.default_rng(0)
    classes = np.arange(PUPILS) % len(CLASSES)
    table = {}
    for name in COLUMNS:
        if name in RANGES:
            table[name] = 30 * classes + generator.integers(0, 41, PUPILS)
        else:
            table[name] = generator.choice(["Good", "Bad", "G-04"], PUPILS)
    pandas.DataFrame(table | {"Class": np.array(list(CLASSES))[classes]}).to_csv(folder / FILE, index=False)


if __name__ == "__main__":
    write(FOLDER)
