"""What became of a workdir's runs: which are complete, which changed, and whether they are what they should be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

MEASURED = ("train_samples_per_second", "inference_samples_per_second", "compile_seconds", "checksums")
RESULT = "result.json"  # the last file of a run
TEST, TEST_FILES = "test.json", ("test_predictions.npz",)  # what completes a run
RECORD, TEST_RECORD = "record.json", "test_record.json"  # when a run, and its test, came about, and by what
IN_PASSING = ("checkpoints", "locks")  # folders that are there only while something is trained


def complete_runs(workdir: Path) -> dict[str, dict]:
    """Name of every run that has a result -> what its files are: path -> time of the last change, and a hash.

    What completes a run counts once it is all there.
    """
    runs = {}
    for result in workdir.glob(f"runs/*/{RESULT}"):
        folder = result.parent
        passing = () if (folder / TEST).is_file() else (TEST, *TEST_FILES, TEST_RECORD)
        files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix != ".partial"]
        runs[folder.name] = {
            file.relative_to(folder).as_posix(): (file.stat().st_mtime_ns, _hash(file))
            for file in files if file.name not in passing
        }  # fmt: skip
    return runs


def lost(before: Mapping[str, dict], after: Mapping[str, dict]) -> list[str]:
    """Runs that were complete and are not any more."""
    return sorted(name for name, files in before.items() if TEST in files.keys() - after.get(name, {}).keys()
                  or name not in after)  # fmt: skip


def repeated(before: Mapping[str, dict], after: Mapping[str, dict]) -> list[str]:
    """Runs that were complete and were written again; what completes one later may come beside what was there."""
    added = {TEST, *TEST_FILES, TEST_RECORD}
    return sorted(
        name
        for name in before.keys() & after.keys()
        if before[name].items() - after[name].items() or after[name].keys() - before[name].keys() - added
    )


def corrupt(workdir: Path, undisturbed: Path) -> list[str]:
    """What is not as in the other workdir, bit for bit (times apart), and what should have been cleared away."""
    faults = [f"{name} is left" for name in IN_PASSING if (workdir / name).exists()]
    faults += [f"{path.relative_to(workdir)} is left" for path in workdir.rglob("*partial*")]
    names, wanted = ({path.name for path in (root / "runs").iterdir()} for root in (workdir, undisturbed))
    faults += [f"{name} should not be there" for name in sorted(names - wanted)]
    faults += [f"{name} is not there" for name in sorted(wanted - names)]
    for name in sorted(names & wanted):
        run, other = workdir / "runs" / name, undisturbed / "runs" / name
        files, expected = ({path.name for path in folder.iterdir()} - {RECORD, TEST_RECORD} for folder in (run, other))
        if files != expected:
            faults.append(f"{name} has the files {', '.join(sorted(files))}")
            continue
        changed = [f for f in sorted(files - {RESULT}) if not _same(run / f, other / f)]
        if _result(run) != _result(other):
            changed.append(RESULT)
        faults += [f"{name}/{file} is another" for file in changed]
    return faults


def _result(run: Path) -> dict:
    """Without what a clock measured. (The checksums are those of files that are compared themselves.)"""
    result = json.loads((run / RESULT).read_text())
    return {name: value for name, value in result.items() if name not in MEASURED}


def _same(path: Path, other: Path) -> bool:
    """Whether two files are, bit for bit; of folders of parameters, whose files have names by chance, the arrays."""
    if not path.is_dir():
        return _hash(path) == _hash(other)
    import jax  # late: only where parameters are kept
    import numpy as np

    from mmjax.training.checkpoint import load_parameters

    first, second = (jax.tree_util.tree_leaves_with_path(load_parameters(each)) for each in (path, other))
    return len(first) == len(second) and all(
        place == at and np.array_equal(one, two) for (place, one), (at, two) in zip(first, second, strict=True)
    )


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
