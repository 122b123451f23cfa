"""What became of a workdir's runs: which are complete, which changed, and whether they are what they should be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

MEASURED = ("train_samples_per_second", "inference_samples_per_second", "compile_seconds", "checksums")
RECORD = "record.json"  # when a run came about, and by what
IN_PASSING = ("checkpoints", "locks")  # folders that are there only while something is trained


def complete_runs(workdir: Path) -> dict[str, dict]:
    """Name of every run that has a result -> what its files are: name -> time of the last change, and a hash."""
    return {
        path.parent.name: {file.name: (file.stat().st_mtime_ns, _hash(file)) for file in sorted(path.parent.iterdir())
                           if file.is_file()}
        for path in workdir.glob("runs/*/result.json")
    }  # fmt: skip


def lost(before: Mapping[str, dict], after: Mapping[str, dict]) -> list[str]:
    """Runs that were complete and are not any more."""
    return sorted(before.keys() - after.keys())


def repeated(before: Mapping[str, dict], after: Mapping[str, dict]) -> list[str]:
    """Runs that were complete and were written again."""
    return sorted(name for name in before.keys() & after.keys() if before[name] != after[name])


def corrupt(workdir: Path, undisturbed: Path) -> list[str]:
    """What is not as in the other workdir, bit for bit (times apart), and what should have been cleared away."""
    faults = [f"{name} is left" for name in IN_PASSING if (workdir / name).exists()]
    faults += [f"{path.relative_to(workdir)} is left" for path in workdir.rglob("*partial*")]
    names, wanted = ({path.name for path in (root / "runs").iterdir()} for root in (workdir, undisturbed))
    faults += [f"{name} should not be there" for name in sorted(names - wanted)]
    faults += [f"{name} is not there" for name in sorted(wanted - names)]
    for name in sorted(names & wanted):
        run, other = workdir / "runs" / name, undisturbed / "runs" / name
        files, expected = ({path.name for path in folder.iterdir()} for folder in (run, other))
        if files != expected:
            faults.append(f"{name} has the files {', '.join(sorted(files))}")
            continue
        changed = [file for file in sorted(files - {"result.json", RECORD}) if _hash(run / file) != _hash(other / file)]
        if _result(run) != _result(other):
            changed.append("result.json")
        faults += [f"{name}/{file} is another" for file in changed]
    return faults


def _result(run: Path) -> dict:
    """Without what a clock measured. (The checksums are those of files that are compared themselves.)"""
    result = json.loads((run / "result.json").read_text())
    return {name: value for name, value in result.items() if name not in MEASURED}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
