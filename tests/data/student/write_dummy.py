"""Writes student's dummy files: 100 invented pupils a course, 20 of each level.

python tests/data/student/write_dummy.py
"""

from pathlib import Path

import numpy as np
import pandas

from mmjax.data.student.raw import COLUMNS, FILES, LEVELS, RANGES

FOLDER = Path(__file__).parents[3] / "mmjax" / "data" / "student" / "dummy_data"
PUPILS = 100


def write(folder: Path) -> None:
    """Both files in a folder; grades follow the last one, everything else is drawn."""
    generator = np.random.default_rng(0)
    for file in FILES.values():
        last = np.array(LEVELS)[np.arange(PUPILS) % len(LEVELS)] + generator.integers(0, 2, PUPILS)
        table = {}
        for name in COLUMNS:
            if name in RANGES:
                table[name] = generator.integers(*RANGES[name], PUPILS, endpoint=True)
            else:
                table[name] = generator.choice(["yes", "no", "at_home"], PUPILS)
        table |= {"G1": np.maximum(last - 2, 0), "G2": last, "G3": last}
        pandas.DataFrame(table).to_csv(folder / file, sep=";", index=False)


if __name__ == "__main__":
    write(FOLDER)
