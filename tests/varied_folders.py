"""Folders as people have them, by name: what is in each, and what its draft must find there."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROWS = 40
LABELS = ["healthy" if place % 2 else "sick" for place in range(ROWS)]
AGES = [20 + (7 * place) % 61 for place in range(ROWS)]
NOTES = [
    f"the patient {'feels well today' if place % 2 else 'coughs and is tired'}, day {place}" for place in range(ROWS)
]


class Expected(NamedTuple):
    """Kinds by modality, the task.yaml's other keys, and words of what is left open; none where it loads."""

    kinds: dict[str, str]
    target: str | None = "label"
    open: str = ""
    notes: str = ""


def table(
    folder: Path, columns: dict, name: str = "t.csv", delimiter: str = ",", encoding: str = "utf-8", first: str = ""
):
    """A table of columns; cells are written as they are."""
    with open(folder / name, "w", newline="", encoding=encoding) as file:
        file.write(first)
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def pictures(folder: Path, names, mode: str = "L"):
    """Small pictures."""
    from PIL import Image

    for place, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, (6, 5), 40 + 3 * place).save(folder / name)


def sounds(folder: Path, names):
    """Short sounds."""
    from scipy.io import wavfile

    folder.mkdir(parents=True, exist_ok=True)
    for place, name in enumerate(names):
        wavfile.write(folder / name, 1000, np.arange(50 + place).astype(np.int16))


PLAIN = {"age": AGES, "note": NOTES, "label": LABELS}
BOTH = {"note": "text", "t": "table"}


def plain(folder):
    table(folder, PLAIN)
    return Expected(BOTH)


def odd_columns(folder):
    names = [
        "age, years",
        "temp: C",
        "ward [A-C]",
        "it's",
        'say "x"',
        "on",
        "1e3",
        "- x",
        "{a}",
        "#b",
        "größe",
        "体温",
        "&a",
    ]
    table(folder, {name: AGES for name in names} | {"note": NOTES, "label": LABELS})
    return Expected(BOTH)


def semicolons(folder):
    table(folder, PLAIN, delimiter=";")
    return Expected(BOTH)


def declared(folder):
    table(folder, PLAIN, delimiter="|", first="sep=|\n")
    return Expected(BOTH)


def tabs_in_csv(folder):
    table(folder, PLAIN, delimiter="\t", name="t.CSV")
    return Expected(BOTH)


def utf16(folder):
    table(folder, PLAIN, encoding="utf-16")
    return Expected(BOTH)


def latin1(folder):
    table(folder, PLAIN, name="a.csv")
    table(folder, {"x": ["fièvre"] * ROWS}, name="b.csv", encoding="latin-1")
    return Expected({"note": "text", "a": "table"}, open="b.csv is left out: ")


def running_number(folder):
    table(folder, {"": range(ROWS), "no": range(1, ROWS + 1)} | PLAIN)
    return Expected(BOTH)


def line_breaks(folder):
    table(folder, {"site\n(code)": [f"s{place // 4}" for place in range(ROWS)], "age\n[years]": AGES} | PLAIN)
    return Expected(BOTH, notes="if no site\n(code) may be in two splits")


def groups(folder):
    table(folder, {"patient": [f"p{place // 2}" for place in range(ROWS)]} | PLAIN)
    return Expected(BOTH, notes="add `groups: {file: t.csv, column: patient}`")


def empty_columns(folder):
    table(folder, PLAIN | {"": [""] * ROWS, "later": ["NA"] * ROWS})
    return Expected(BOTH, open="'later' of t.csv is left out: it is empty")


def own_values(folder):
    table(folder, PLAIN | {"code": [f"x{place}y" for place in range(ROWS)]})
    return Expected(BOTH, open="'code' of t.csv is left out")


def chinese(folder):
    notes = [f"患者{'感觉良好' if place % 2 else '发烧咳嗽'}第{place}天" for place in range(ROWS)]
    table(folder, {"年龄": AGES, "病历": notes, "label": LABELS})
    return Expected({"病历": "text", "t": "table"})


def splits(folder):
    parts = ["train", "test", "train", "dev"] * (ROWS // 4)
    table(folder, PLAIN | {"split": parts, "label": ["a", "b", "b", "a"] * 5 + ["b", "a", "a", "b"] * 5})
    return Expected(BOTH)


def folds(folder):
    table(folder, PLAIN | {"fold": [place % 5 for place in range(ROWS)]})
    return Expected(BOTH)


def image_paths(folder):
    pictures(folder, [f"images/{place}.png" for place in range(ROWS)])
    table(folder, PLAIN | {"image": [f"images/{place}.png" for place in range(ROWS)]})
    return Expected(BOTH | {"images": "image"})


def windows_paths(folder):
    pictures(folder, [f"images/a/{place}.png" for place in range(ROWS)])
    table(folder, PLAIN | {"image": [f"a\\{place}.png" for place in range(ROWS)]})
    return Expected(BOTH | {"images": "image"})


def pictures_by_id(folder):
    pictures(folder, [f"scans/p{place}.png" for place in range(ROWS)])
    table(folder, {"id": [f"p{place}" for place in range(ROWS)]} | PLAIN)
    return Expected(BOTH | {"scans": "image"})


def two_folders(folder):
    pictures(folder, [f"left/{place}.png" for place in range(ROWS)])
    pictures(folder, [f"right/{place}.png" for place in range(ROWS)])
    sounds(folder / "voice", [f"{place}.wav" for place in range(ROWS)])
    named = {"l": "left/{}.png", "r": "right/{}.png", "v": "{}.wav"}
    table(folder, {"label": LABELS} | {c: [path.format(place) for place in range(ROWS)] for c, path in named.items()})
    return Expected({"left": "image", "right": "image", "voice": "waveform"})


def zips_from_a_mac(folder):
    pictures(folder, [f"x/{place:03d}.png" for place in range(ROWS)])
    with zipfile.ZipFile(folder / "scans.zip", "w") as archive:
        for path in (folder / "x").iterdir():
            archive.write(path, f"scans/{path.name}")
            archive.writestr(f"__MACOSX/scans/._{path.name}", b"x")
            path.unlink()
    (folder / "x").rmdir()
    (folder / ".DS_Store").write_bytes(b"x")
    table(folder, PLAIN | {"file": [f"{place:03d}.png" for place in range(ROWS)]})
    return Expected(BOTH | {"scans": "image"})


def pictures_beside_the_table(folder):
    pictures(folder, [f"{place}.png" for place in range(ROWS)])
    table(folder, {"file": [f"{place}.png" for place in range(ROWS)], "age": AGES, "label": LABELS})
    return Expected({folder.name: "image", "t": "table"})


def two_tables(folder):
    ids = [f"p{place}" for place in range(ROWS)]
    table(folder, {"patient": ids, "age": AGES, "label": LABELS}, name="a.csv")
    table(folder, {"patient": ids[::-1], "note": NOTES}, name="notes.csv")
    return Expected({"a": "table", "note": "text"})


def parquet(folder):
    import pandas as pd

    pd.DataFrame(PLAIN).to_parquet(folder / "t.parquet")
    return Expected(BOTH)


def npz(folder):
    draws = np.random.default_rng(0)
    np.savez(
        folder / "d.npz",
        a=draws.normal(size=(ROWS, 3)), gait=draws.normal(size=(ROWS, 5, 2)), steps=draws.integers(1, 6, ROWS),
        photo=draws.integers(0, 255, (ROWS, 4, 4)).astype(np.uint8), y=np.arange(ROWS)[:, None] % 2, z=np.zeros(ROWS),
    )  # fmt: skip
    return Expected({"a": "vector", "gait": "sequence", "photo": "image"}, "y", open="'z' of d.npz is left out")


def npy(folder):
    draws = np.random.default_rng(0)
    np.save(folder / "left.npy", draws.normal(size=(ROWS, 3)))
    np.save(folder / "right.NPY.npy", draws.normal(size=(ROWS, 4)))
    np.save(folder / "y.npy", np.arange(ROWS) % 2)
    return Expected({"left": "vector", "right.NPY": "vector"}, None)


def odd_arrays(folder):
    arrays = {
        name: np.random.default_rng(0).normal(size=(ROWS, 2)) for name in ("a.present", "fused", "[x]", "a/b", "[X]")
    }
    np.savez(folder / "d.npz", label=np.arange(ROWS) % 2, **arrays)
    return Expected(dict.fromkeys(("a.present 2", "fused 2", "x", "ab", "X 2"), "vector"))


def broken(folder):
    table(folder, PLAIN)
    (folder / "d.npz").write_bytes(b"no zip")
    (folder / "scans.zip").write_bytes(b"no zip")
    (folder / "docs").mkdir()
    (folder / "docs" / "readme.txt").write_text("x")
    return Expected(BOTH, open="d.npz is left out: ")


def saved(folder):
    import datasets

    part = {"text": NOTES, "age": AGES, "label": LABELS}
    data = {name: datasets.Dataset.from_dict(part | {"lists": [[1, 2]] * ROWS}) for name in ("train", "test")}
    datasets.DatasetDict(data).save_to_disk(str(folder / "reviews"))
    return Expected({"text": "text", "reviews": "table"}, open="column 'lists' of reviews is left out: say its kind")


def no_target(folder):
    table(folder, {"age": AGES, "note": NOTES, "ward": ["a", "b"] * (ROWS // 2)})
    return Expected(BOTH, None, open="what is to be predicted was not found; write its file and column, as 'ward'")


def one_modality(folder):
    table(folder, {"age": AGES, "label": LABELS})
    return Expected({"t": "table"}, open="one modality was found")


def missing_labels(folder):
    table(folder, PLAIN | {"label": ["", *LABELS[1:]]})
    return Expected(BOTH, open="line 2, column 'label': the target is missing")


def none_is_a_class(folder):
    table(folder, PLAIN | {"label": ["None", "Severe"] * (ROWS // 2)})
    return Expected(BOTH, open="`classes: ['None', 'Severe']`")


def rare_class(folder):
    table(folder, PLAIN | {"label": ["rare", *LABELS[1:]]})
    return Expected(BOTH, open="class 'rare' has 1 example")


def two_targets(folder):
    table(folder, PLAIN, name="a.csv")
    table(folder, {"x": AGES, "y": LABELS}, name="b.csv")
    return Expected({"note": "text", "a": "table", "b": "table"}, notes="'y' of b.csv may be the target too")


VARIED = {
    build.__name__: build
    for build in (
        plain, odd_columns, semicolons, declared, tabs_in_csv, utf16, latin1, running_number, line_breaks, groups,
        empty_columns, own_values, chinese, splits, folds, image_paths, windows_paths, pictures_by_id, two_folders,
        zips_from_a_mac,
        pictures_beside_the_table, two_tables, parquet, npz, npy, odd_arrays, broken, saved, no_target, one_modality,
        missing_labels, none_is_a_class, rare_class, two_targets,
    )
}  # fmt: skip
