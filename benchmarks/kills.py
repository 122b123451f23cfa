"""Launches that are killed or stopped at random moments, and what is left: nothing lost, repeated, corrupt or unclean.

    python -m benchmarks.kills --kills=60 --seed=0
    python -m benchmarks.kills --kills=30 --completing

A small grid (feature, decision and model level; two seeds; a checkpoint at every evaluation) is launched once and left
alone. Then it is launched in another workdir and gets a signal, all its processes at once, at a moment drawn uniformly
over what it will take: in imports, compilation, training or storing. The signals are in turn those of SIGNALS; after
SIGSTOP it is continued, and gets the next one later. The same command follows, and gets a signal again, until a launch
reaches its end; then comes the next workdir, until all kills are spent. Every third time two launches share the
workdir, and get their signals one after the other. With --completing every workdir begins with a launch that evaluates
validation and is left alone, and those that get signals complete its runs on test.

- lost: a run was complete before a kill and is not after it, or after what followed.
- repeated: a run that was complete was written again, or two living launches began the same cell.
- corrupt: in the end a run is not that of the undisturbed launch, bit for bit (times apart), or something is left that
  should have been cleared away.
- unclean: SIGTERM did not end with exit code 0, or Ctrl-C not with 130; or there was a traceback.

Prints a table and writes JSON. The exit code is 1 if there is any of these.
"""

import dataclasses
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from absl import flags

from benchmarks import audit, command

FLAGS = flags.FLAGS

flags.DEFINE_integer("kills", 60, "How many, of all signals together.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Of the moments.", lower_bound=0)
flags.DEFINE_bool("completing", False, "Kill launches that complete on test what others trained.")
flags.DEFINE_string("workdir", "./workdir/kills", "Where the launches' workdirs go; what lies there is removed.")
flags.DEFINE_string("output", "benchmarks/results/kills.json", "Where the JSON goes.")

GRID = (
    "--tasks=trimodal", "--fusions=concat,mean,mixture_of_experts", "--seeds=2", "--epochs=15", "--config.width=4",
    "--config.encoders.image=linear", "--config.encoders.tokens=gru", "--config.token_size=4",
    "--checkpoint_seconds=0",
)  # fmt: skip
# Epochs are many, so that as many kills find a checkpoint as fall into compilation.
# Every launch compiles what it runs, so that kills fall into compilation too; without optimisation, which takes longer
# than it saves here.
ENVIRONMENT = {"JAX_ENABLE_COMPILATION_CACHE": "false", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
SIGNALS = {  # and the exit codes of a launch that got one; it may have been before Python could take it, or too late
    signal.SIGKILL: (-signal.SIGKILL,),
    signal.SIGTERM: (0, -signal.SIGTERM),
    signal.SIGINT: (130, 0),
    signal.SIGSTOP: (),
}
STOPPED_SECONDS = 2.0  # from SIGSTOP to SIGCONT
PAIR_EVERY = 3
VALIDATION = "--evaluate=validation"
LEAST = 0.5  # of what the undisturbed launch took: what one takes that has a last cell to make, with imports and tables


class Launch:
    """A launch of the grid in a process group of its own, its standard error in a file."""

    def __init__(self, workdir: Path, log: Path, *more: str):
        self.log = log
        with open(log, "w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "experiments.launch", *GRID, f"--workdir={workdir}", *more],
                cwd=Path(__file__).parents[1],
                env=os.environ | ENVIRONMENT,
                stdout=subprocess.DEVNULL,
                stderr=file,
                start_new_session=True,
            )

    def begun(self) -> list[str]:
        """The cells that it began to make, in order."""
        return re.findall(
            r"^\[\d+/\d+\] (.*): (?:test of )?[1-9]\d* seeds(?:, which are trained)?$",
            self.log.read_text(),
            re.MULTILINE,
        )

    def survives(self, seconds: float) -> bool:
        """Waits so long, or until it has ended; whether it has not."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def finish(self):
        """Waits for its end, which has to be a good one."""
        if self.process.wait():
            raise RuntimeError(f"a launch ended with {self.process.returncode}: {self.log.read_text()}")

    def end(self, number: int) -> str | None:
        """Sends all its processes a signal and waits for their end; what is unclean in it."""
        os.killpg(self.process.pid, number)
        code, said = self.process.wait(), self.log.read_text()
        if code not in SIGNALS[number]:
            return f"{signal.Signals(number).name} ended with {code}: {said[-500:]}"
        return f"a traceback: {said[-500:]}" if "Traceback" in said else None

    def pause(self):
        """Stops it for a while."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        time.sleep(STOPPED_SECONDS)
        os.killpg(self.process.pid, signal.SIGCONT)


@dataclasses.dataclass
class Kill:
    """One kill.

    Attributes:
      signal: its name.
      round: the workdir's number.
      launches: that were running.
      seconds: from the start of the launch.
      until_exit: seconds that the launch went on after the signal; of SIGSTOP, that it stood still.
      during: the cell it was at, or that it was at none yet.
      checkpoint: the epoch of the newest checkpoint that it left, to go on from; 0 if it left none.
      complete: runs in the workdir just after it.
    """

    signal: str
    round: int
    launches: int
    seconds: float
    until_exit: float
    during: str
    checkpoint: int
    complete: int


class Experiment:
    """Kills, and what they did to the runs."""

    def __init__(self, root: Path, kills: int, whole: float, moments: Iterator[float], completing: bool = False):
        """`whole`: seconds of the undisturbed launch; `moments`: in [0, 1), as shares of what a launch will take."""
        self.root, self.wanted, self.whole, self.moments = root, kills, whole, moments
        self.completing = completing
        self.kills: list[Kill] = []
        self.signals = itertools.cycle(SIGNALS)
        self.faults: dict[str, list[str]] = {"lost": [], "repeated": [], "corrupt": [], "unclean": []}
        self.launches = 0

    def round(self, number: int, undisturbed: Path):
        """Launches in a workdir of its own, killed until one reaches its end or all kills are spent."""
        workdir = self.root / f"round{number}"
        runs, complete = len(audit.complete_runs(undisturbed)), {}
        if self.completing:
            self._launch(workdir, VALIDATION).finish()
            complete = audit.complete_runs(workdir)
        ended = False
        while not ended and len(self.kills) < self.wanted:
            pair = self.launches % PAIR_EVERY == PAIR_EVERY - 1 and self.wanted - len(self.kills) > 1
            launches = [self._launch(workdir) for _ in range(1 + pair)]
            started = time.monotonic()
            for running, launch in zip(range(len(launches), 0, -1), launches):
                done = [files for files in complete.values() if audit.TEST in files or not self.completing]
                left = self.whole * max(1 - len(done) / runs, LEAST) / len(launches)
                lives = True
                while lives and len(self.kills) < self.wanted and launch.survives(next(self.moments) * left):
                    # What the other has begun is read while this one lives: it is no cell of a dead owner.
                    others = [cell for other in launches[1:] if running == 2 for cell in other.begun()]
                    kind, seconds = next(self.signals), time.monotonic() - started
                    lives = kind == signal.SIGSTOP
                    if lives:
                        launch.pause()
                    elif unclean := launch.end(kind):
                        self._blame("unclean", number, [unclean])
                    until_exit = time.monotonic() - started - seconds
                    begun = launch.begun()
                    self._blame("repeated", number, [cell for cell in begun if cell in others])
                    complete = self._check(number, workdir, complete)
                    during = begun[-1] if begun else "before the first cell"
                    figures = (running, round(seconds, 2), round(until_exit, 2), during, newest_checkpoint(workdir))
                    self.kills.append(Kill(kind.name, number, *figures, len(complete)))
                if lives:
                    launch.finish()
                    ended = True
        last = self._launch(workdir)
        last.finish()
        self._check(number, workdir, complete)
        self._blame("corrupt", number, audit.corrupt(workdir, undisturbed))

    def _launch(self, workdir: Path, *more: str) -> Launch:
        self.launches += 1
        return Launch(workdir, self.root / f"launch{self.launches}.log", *more)

    def _check(self, number: int, workdir: Path, before: dict) -> dict:
        after = audit.complete_runs(workdir)
        self._blame("lost", number, audit.lost(before, after))
        self._blame("repeated", number, audit.repeated(before, after))
        return after

    def _blame(self, kind: str, number: int, what: list[str]):
        self.faults[kind] += [f"round {number}: {each}" for each in what]


def newest_checkpoint(workdir: Path) -> int:
    """The most epochs that a checkpoint of a cell holds, 0 where there is none that was written to its end."""
    return max((int(path.parent.name) for path in workdir.glob("checkpoints/*/steps/*/sha256")), default=0)


def main() -> int:
    """Flags to kills, printed and written."""
    import numpy as np
    from rich.console import Console
    from rich.table import Table

    from benchmarks.environment import environment, flag_values

    output, root = command.path_of("output"), command.path_of("workdir").absolute()
    command.check_writable(output)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as after a shell's `&`; launches would inherit it
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    console = Console()
    with console.status("undisturbed"):
        if FLAGS.completing:
            Launch(root / "undisturbed", root / "undisturbed.validation.log", VALIDATION).finish()
        started = time.monotonic()
        Launch(root / "undisturbed", root / "undisturbed.log").finish()
        whole = time.monotonic() - started
    generator = np.random.default_rng(FLAGS.seed)
    experiment = Experiment(root, FLAGS.kills, whole, iter(generator.random, None), FLAGS.completing)
    rounds = 0
    while len(experiment.kills) < FLAGS.kills:
        rounds += 1
        with console.status(f"round {rounds}, {len(experiment.kills)} of {FLAGS.kills} kills"):
            experiment.round(rounds, root / "undisturbed")
    table = Table("kill", "signal", "round", "launches", "after", "ended in", "during", "checkpoint", "complete runs")
    for i, kill in enumerate(experiment.kills):
        where = (kill.during, kill.checkpoint or "", kill.complete)
        times = (f"{kill.seconds:.1f} s", f"{kill.until_exit:.1f} s")
        table.add_row(*map(str, (i + 1, kill.signal, kill.round, kill.launches, *times, *where)))
    console.print(table)
    counts = {kind: len(faults) for kind, faults in experiment.faults.items()}
    kinds = Counter(kill.signal for kill in experiment.kills)
    console.print(
        f"{len(experiment.kills)} kills ({', '.join(f'{n} {k}' for k, n in kinds.items())}) in {rounds} rounds: "
        + ", ".join(f"{n} {k}" for k, n in counts.items())
    )
    for fault in (fault for faults in experiment.faults.values() for fault in faults):
        console.print(fault, markup=False, highlight=False)
    result = {
        "seed": FLAGS.seed, "completing": FLAGS.completing, "grid": GRID,
        "undisturbed_seconds": round(whole, 2), "launches": experiment.launches, "signals": kinds,
        "kills": [dataclasses.asdict(kill) for kill in experiment.kills], **counts, "faults": experiment.faults,
        "flags": flag_values(), "environment": environment(),
    }  # fmt: skip
    command.write_json(output, result)
    print(f"written to {output}")
    return 1 if any(counts.values()) else 0


if __name__ == "__main__":
    command.run(main)
