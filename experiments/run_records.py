"""What a run came about by, beside its result: machine, versions, command and time. No result depends on it."""

from __future__ import annotations

import datetime
import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence

import jax
import numpy as np

from benchmarks.environment import command_line, commit_of_code, hardware, versions
from benchmarks.tables import RATES
from mmjax.training.parallel import Placement
from mmjax.training.results import CellResult

ENVIRONMENT = ("hardware", "devices", "versions", "commit")  # what of a record many runs share


class Recorder:
    """Notes how runs come about, from the last `begin` on."""

    def __init__(self, placement: Placement):
        self.placement = placement
        self.begin()

    def begin(self):
        """Runs that are made together start."""
        self._started, self._clock = datetime.datetime.now(datetime.UTC), time.perf_counter()

    def of_training(self, seeds: Sequence[int], result: CellResult) -> dict:
        """Of runs that were trained side by side."""
        total = time.perf_counter() - self._clock
        clocks = {"training": result.train_seconds, "compilation": result.compile_seconds}
        seconds = {name: value for name, value in clocks.items() if math.isfinite(value)}
        seconds["evaluation and saving"] = max(total - sum(seconds.values()), 0.0)
        return self._record(seeds, seconds, [self._measured_on(len(seeds))])

    def of_others(self, seed: int, parts: Iterable[Mapping | None] = ()) -> dict:
        """Of a baseline, or of a rule, whose rates are those of its parts, of which these are the records."""
        measured_on = _distinct(each for part in parts for each in (part or {}).get("rates measured on", [None]))
        return self._record([seed], {"fitting": time.perf_counter() - self._clock}, measured_on)

    def _record(self, seeds: Sequence[int], seconds: Mapping[str, float], measured_on: Sequence) -> dict:
        return {
            "hardware": hardware(),
            "devices": {
                "used": self.placement.devices, "processes": jax.process_count(),
                "parallel": self.placement.parallel, "split": self.placement.split,
            },
            "versions": versions(),
            "commit": commit_of_code(),
            "command": command_line(),
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": {name: round(value, 3) for name, value in seconds.items()},
            "seeds": list(seeds),
            "rates measured on": list(measured_on),
        }  # fmt: skip

    def _measured_on(self, seeds: int) -> dict:
        """All that two rates must share to be compared."""
        machine = hardware()
        shared = {name: machine[name] for name in ("processor", "cores", "memory_bytes", "devices")}
        return shared | {"devices used": self.placement.devices, "seeds side by side": seeds}


def measured_alike(records: Iterable[Mapping | None]) -> bool:
    """Whether the rates of runs with these records may be put together."""
    return len(_distinct(each for record in records for each in (record or {}).get("rates measured on", [None]))) <= 1


def told_rates(records: Sequence[Mapping | None], results: Sequence[Mapping]) -> str:
    """The rates of one cell's runs, machine by machine: training and inference, in samples a second.

    Args:
      records, results: of its runs, in one order.
    """
    of_machine: dict[str, list[Mapping]] = {}
    for record, result in zip(records, results, strict=True):
        of_machine.setdefault(json.dumps((record or {}).get("rates measured on", [None])), []).append(result)
    told = []
    for machines, group in of_machine.items():
        rates = " and ".join(_median_rate([result[name] for result in group]) for name in RATES)
        told.append(f"{rates} on {' and '.join(map(_place, json.loads(machines)))}")
    return "; ".join(told)


def environments_of(records: Mapping[str, Sequence[Mapping | None]]) -> dict[str, dict[str, object]]:
    """What a report shows: of all runs when they began, how long they took, by which command and where.

    Where test was predicted later it shows the same of that.
    Commands and environments that several share are told once, and by their number.

    Args:
      records: title of a cell -> of its runs that are there, as `experiments.store.Store.record` gives them.

    Returns:
      Heading -> name -> value.
    """
    environments, commands, runs = [], [], {}
    for title, of_cell in records.items():
        for what, record in _distinct(_parts_of(of_cell)):
            if record is None:
                runs[title] = ["not recorded"]
                continue
            place = _place_in(environments, {name: record[name] for name in ENVIRONMENT})
            command = _place_in(commands, record["command"])
            seeds = ", ".join(map(str, record["seeds"]))
            seconds = ", ".join(f"{name} {value:.1f} s" for name, value in record["seconds"].items())
            began = f"{record['started']}, command {command}, environment {place}"
            # The same seeds come twice where a program was cut off while its results were being stored.
            runs.setdefault(f"{title}, {what}seeds {seeds}", []).append(f"{began}: {seconds}")
    runs = {heading: "; ".join(each) for heading, each in runs.items()}
    told = {"Runs": runs, "Commands": {f"command {number}": command for number, command in enumerate(commands, 1)}}
    return told | {f"Environment {place}": facts for place, facts in enumerate(environments, 1)}


def _parts_of(records: Sequence[Mapping | None]) -> Iterator[tuple[str, Mapping | None]]:
    """Records, each with the words for a heading that say what of a run it is of."""
    for record in records:
        yield "", record and {name: value for name, value in record.items() if name != "test"}
    for record in records:
        if record and "test" in record:
            yield "test of ", record["test"]


def _place_in(known: list, value) -> int:
    """The number of a value among those that are known, which it then is, from 1."""
    if value not in known:
        known.append(value)
    return known.index(value) + 1


def _median_rate(rates: Sequence[float | None]) -> str:
    there = [rate for rate in rates if rate is not None]
    return f"{np.median(there):,.0f}" if there else "none"


def _place(machine: Mapping | None) -> str:
    if machine is None:
        return "a machine that was not recorded"
    return (
        f"{machine['devices used']} of {machine['devices']} ({machine['processor']}, {machine['cores']} cores), "
        f"{machine['seeds side by side']} seeds side by side"
    )


def _distinct(values: Iterable) -> list:
    """Each once, in order."""
    found = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
