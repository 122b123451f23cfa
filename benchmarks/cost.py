"""What a cell costs: speed of training and inference, latency, compile time, parameters, FLOPs, memory."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from benchmarks.measure import Timing, measure, peak_memory_bytes
from benchmarks.workload import workload
from mmjax.config import Config
from mmjax.errors import InputError, lookup
from mmjax.fusion import FUSIONS, LEVELS
from mmjax.types import Task


def fusions_of(names: Sequence[str], task: Task) -> list[str]:
    """Fusions by name; the name of a level stands for all of it, `unimodal` for each modality alone.

    Raises:
      InputError: for an unknown name.
    """
    single = {f"unimodal/{spec.name}": None for spec in task.modalities}
    groups = {**LEVELS, "unimodal": single}
    known = {**groups, **FUSIONS, **single}
    for name in names:
        lookup(known, "fusion", name)
    return list(dict.fromkeys(fusion for name in names for fusion in groups.get(name, (name,))))


def measure_cell(task: Task, fusion: str, config: Config, seeds: Sequence[int], repeats: int) -> dict:
    """The record of one cell, ready for JSON.

    Raises:
      InputError: for a batch larger than the training split.
    """
    examples, validated = (task.splits[split].size for split in ("train", "validation"))
    if config.batch_size > examples:
        raise InputError(
            f"batch_size = {config.batch_size} is larger than the training split of task {task.name!r}: "
            f"give at most {examples}"
        )
    work = workload(task, fusion, config, seeds)
    training = measure(work.train, *work.train_arguments, repeats=repeats)
    inference = measure(work.predict, *work.predict_arguments, repeats=repeats)
    latency = measure(work.respond, *work.respond_arguments, repeats=10 * repeats)
    return {
        "task": task.title,
        "fusion": fusion,
        "seeds": len(seeds),
        "batch_size": config.batch_size,
        "parameters": work.parameters,
        "forward_flops_per_sample": work.forward_flops,
        "train_flops_per_sample": work.train_flops,
        "train_samples_per_second": _rates(len(seeds) * examples, training),
        "inference_samples_per_second": _rates(len(seeds) * validated, inference),
        "latency_seconds_per_batch": {"p50": latency.median, "p95": latency.p95},
        "compile_seconds": {
            "train": training.compile_seconds,
            "inference": inference.compile_seconds,
            "latency": latency.compile_seconds,
        },
        "repeats": repeats,
        "peak_memory_bytes": peak_memory_bytes(),
    }


def table(records: Sequence[dict]) -> Table:
    """The records as people read them."""
    caption = (
        "median and quartiles of samples a second, of all seeds together; one seed's latency of a batch, p50 and p95, "
        "and MFLOP a sample"
    )
    shown = Table("task, fusion", box=SIMPLE_HEAD, pad_edge=False, caption=caption)
    headings = ("train/s", "inference/s", "latency ms", "compile s", "parameters", "forward, train MFLOP", "peak MiB")
    for heading in headings:
        shown.add_column(heading, justify="right")
    for record in records:
        rates = (record[f"{kind}_samples_per_second"] for kind in ("train", "inference"))
        flops = (record[f"{kind}_flops_per_sample"] / 1e6 for kind in ("forward", "train"))
        shown.add_row(
            Text(f"{record['task']}\n{record['fusion']}"),
            *(Text("{median:,.0f}\n{quartile_low:,.0f} - {quartile_high:,.0f}".format(**rate)) for rate in rates),
            "\n".join(f"{1e3 * seconds:.2f}" for seconds in record["latency_seconds_per_batch"].values()),
            f"{sum(record['compile_seconds'].values()):.1f}",
            f"{record['parameters']:,}",
            "\n".join(f"{millions:.3g}" for millions in flops),
            f"{record['peak_memory_bytes'] / 2**20:,.0f}",
        )
    return shown


def _rates(samples: int, timing: Timing) -> dict[str, float]:
    """Samples a second; the slow quartile of seconds is the low one of rates."""
    return {
        "median": samples / timing.median,
        "quartile_low": samples / timing.quartile_high,
        "quartile_high": samples / timing.quartile_low,
    }
