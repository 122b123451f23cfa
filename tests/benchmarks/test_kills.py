"""The kills are counted and their damage is found, on launches that only write files; real kills are slow."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import kills
from benchmarks.kills import Experiment

CELLS = ("first", "second")


def write_run(workdir, cell, content="the same"):
    folder = workdir / "runs" / cell
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.jsonl").write_text(content)
    (folder / "result.json").write_text(json.dumps({"metrics": content}))


class Launch:
    """Makes the first cell before it may be killed, and the second if it is not; the third launch is not killed.

    Attributes:
      fault: what it does beside that.
    """

    fault = None
    started = 0

    def __init__(self, workdir, log, *more):
        Launch.started += 1
        self.number, self.workdir, self.cells = Launch.started, workdir, []
        self._make(CELLS[0])
        if self.fault == "lost" and self.number == 2:
            (workdir / "runs" / CELLS[0] / "result.json").unlink()
        if self.fault == "repeated" and self.number == 2:
            write_run(workdir, CELLS[0], "another")

    def _make(self, cell):
        if not (self.workdir / "runs" / cell).exists() or self.fault == "twice":
            self.cells.append(cell)
            write_run(self.workdir, cell)

    def begun(self):
        return self.cells

    def survives(self, seconds):
        assert 0 <= seconds < 10
        return True

    def end(self, number):
        return "ended with 1" if self.fault == "unclean" else None

    def pause(self):
        pass

    def finish(self):
        self._make(CELLS[1])
        if self.fault == "corrupt":
            write_run(self.workdir, CELLS[1], "another")


@pytest.fixture
def faults(tmp_path, monkeypatch):
    """What is found of launches with a fault."""

    def run(fault):
        monkeypatch.setattr(Launch, "started", 0)
        monkeypatch.setattr(Launch, "fault", fault)
        monkeypatch.setattr(kills, "Launch", Launch)
        for cell in CELLS:
            write_run(tmp_path / "undisturbed", cell)
        experiment = Experiment(tmp_path, 4, 10.0, iter([0.5] * 4))
        experiment.round(1, tmp_path / "undisturbed")
        assert [kill.launches for kill in experiment.kills] == [1, 1, 2, 1]
        assert [kill.signal for kill in experiment.kills] == ["SIGKILL", "SIGTERM", "SIGINT", "SIGSTOP"]
        return {kind for kind, found in experiment.faults.items() if found}

    return run


def test_launches_without_a_fault_have_none(faults):
    assert faults(None) == set()


@pytest.mark.parametrize(
    "fault, found",
    [("lost", "lost"), ("repeated", "repeated"), ("twice", "repeated"), ("corrupt", "corrupt"), ("unclean", "unclean")],
)
def test_a_fault_is_counted_as_what_it_is(faults, fault, found):
    assert found in faults(fault)


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--completing",)], ids=["training", "completing"])
def test_a_signal_of_each_kind_leaves_no_trace_in_real_launches(tmp_path, more):
    command = [sys.executable, "-m", "benchmarks.kills", "--kills=4", f"--workdir={tmp_path}", *more]
    subprocess.run([*command, f"--output={tmp_path / 'out.json'}"], check=True, cwd=Path(kills.__file__).parents[1])
    result = json.loads((tmp_path / "out.json").read_text())
    assert set(result["signals"]) == {"SIGKILL", "SIGTERM", "SIGINT", "SIGSTOP"}
    assert result["lost"] == result["repeated"] == result["corrupt"] == result["unclean"] == 0
