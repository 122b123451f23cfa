"""The record of a cell's cost is complete, and its rates follow from its seconds."""

import io
import json

import pytest
import rich.console

from benchmarks import cost
from benchmarks.measure import summarise
from mmjax.config import DEFAULTS
from mmjax.errors import InputError

CONFIG = DEFAULTS.replace(encoders={"sequence": "identity", "vector": "identity"}, batch_size=12)


def test_levels_and_unimodal_stand_for_their_members(task):
    single = ["unimodal/speech", "unimodal/table"]
    assert cost.fusions_of(["unimodal", "concat", "unimodal/table"], task) == [*single, "concat"]
    assert cost.fusions_of(["decision"], task) == list(cost.LEVELS["decision"])
    with pytest.raises(InputError, match="did you mean 'concat'"):
        cost.fusions_of(["conct"], task)


def test_slow_seconds_are_low_rates():
    rates = cost._rates(100, summarise([1.0, 2.0, 4.0, 5.0, 10.0]))
    assert rates == {"median": 25, "quartile_low": 20, "quartile_high": 50}


def test_record_and_table(task):
    record = cost.measure_cell(task, "mean", CONFIG, seeds=range(2), repeats=2)
    assert json.loads(json.dumps(record)) == record
    # Identity encoders, and a head of three classes for 6 x 4 and for 5 features.
    assert record["parameters"] == (24 + 1) * 3 + (5 + 1) * 3
    for kind in ("train", "inference"):
        rates = record[f"{kind}_samples_per_second"]
        assert 0 < rates["quartile_low"] <= rates["median"] <= rates["quartile_high"]
    assert 0 < record["latency_seconds_per_batch"]["p50"] <= record["latency_seconds_per_batch"]["p95"]
    console = rich.console.Console(width=120, file=io.StringIO())
    console.print(cost.table([record]))
    text = console.file.getvalue()
    assert "mean" in text and f"{record['train_samples_per_second']['median']:,.0f}" in text


def test_a_batch_larger_than_the_split_is_refused(task):
    with pytest.raises(InputError, match="batch_size = 25 .* at most 24"):
        cost.measure_cell(task, "concat", CONFIG.replace(batch_size=25), range(1), 1)
