"""What stands beside a result, and what a report makes of many."""

import pytest

from experiments.run_records import Recorder, environments_of, measured_alike, told_rates
from mmjax.training.parallel import Placement
from mmjax.training.results import CellResult

RESULT = CellResult((), 7, 100.0, 1000.0, 0.5, 2.0)


@pytest.fixture
def recorder():
    return Recorder(Placement())


def test_a_rule_was_measured_where_its_parts_were(recorder):
    here, beside_others = (recorder.of_training(seeds, RESULT) for seeds in ((0,), (0, 1)))
    assert recorder.of_others(0, [here, here])["rates measured on"] == here["rates measured on"]
    assert not measured_alike([recorder.of_others(0, [here, beside_others])])
    assert not measured_alike([recorder.of_others(0, [here, None])]), "of a run without a record nobody knows"
    assert recorder.of_others(0)["rates measured on"] == []


@pytest.mark.parametrize(
    "changed", ["processor", "cores", "memory_bytes", "devices", "devices used", "seeds side by side"]
)
def test_rates_are_alike_on_equal_machines_alone(recorder, changed):
    record = recorder.of_training((0, 1), RESULT)
    other = record | {"rates measured on": [record["rates measured on"][0] | {changed: "another"}]}
    assert measured_alike([record, record]) and measured_alike([]) and measured_alike([None, None])
    assert not measured_alike([record, other]) and not measured_alike([record, None])


def test_rates_are_told_machine_by_machine(recorder):
    two, one = recorder.of_training((0, 1), RESULT), recorder.of_training((2,), RESULT)
    results = [{"train_samples_per_second": rate, "inference_samples_per_second": None} for rate in (10.0, 30.0, 7.0)]
    told = told_rates([two, two, None], results)
    assert (
        told.startswith("20 and none on 1 of ") and "2 seeds side by side; 7 and none on a machine that was not" in told
    )
    assert "1 seeds side by side" in told_rates([two, two, one], results)


def test_a_report_shows_each_environment_and_command_once_and_every_run(recorder):
    records = [recorder.of_training((0, 1), RESULT)] * 2
    shown = environments_of({"a concat": records, "b concat": records, "c": [None]})
    assert list(shown) == ["Runs", "Commands", "Environment 1"]
    assert list(shown["Runs"]) == ["a concat, seeds 0, 1", "b concat, seeds 0, 1", "c"]
    run = shown["Runs"]["a concat, seeds 0, 1"]
    assert "command 1, environment 1: training 2.0 s, compilation 0.5 s" in run
    assert shown["Commands"] == {"command 1": records[0]["command"]}
    elsewhere = records[0] | {"command": "another", "seeds": [2], "started": "later"}
    shown = environments_of({"a concat": [*records, elsewhere, elsewhere | {"commit": "beef", "started": "last"}]})
    assert list(shown["Commands"].values()) == [records[0]["command"], "another"]
    assert [heading for heading in shown if "Environment" in heading] == ["Environment 1", "Environment 2"]
    first, last = shown["Runs"]["a concat, seeds 2"].split("; ")
    assert first.startswith("later, command 2, environment 1: ") and last.startswith("last, command 2, environment 2: ")


def test_a_report_shows_the_seconds_of_every_run_that_was_made_by_itself(recorder):
    """Seeds of a baseline begin within one second, and take each its own time."""
    records = [recorder.of_others(seed) | {"seconds": {"fitting": seed + 1.0}} for seed in range(3)]
    runs = environments_of({"a random_forest": records})["Runs"]
    assert {name: told.rpartition(": ")[2] for name, told in runs.items()} == {
        f"a random_forest, seeds {seed}": f"fitting {seed + 1}.0 s" for seed in range(3)
    }


def test_a_report_shows_by_what_where_and_when_test_came_later(recorder):
    trained = recorder.of_training((0, 1), RESULT)
    of_test = trained | {"command": "another", "commit": "beef", "started": "later", "seconds": {"compilation": 3.0}}
    shown = environments_of({"a concat": [trained | {"test": of_test}, trained | {"test": of_test}]})
    assert list(shown["Runs"]) == ["a concat, seeds 0, 1", "a concat, test of seeds 0, 1"]
    assert "command 1, environment 1: training 2.0 s" in shown["Runs"]["a concat, seeds 0, 1"]
    assert shown["Runs"]["a concat, test of seeds 0, 1"] == "later, command 2, environment 2: compilation 3.0 s"
    assert shown["Commands"]["command 2"] == "another" and shown["Environment 2"]["commit"] == "beef"


def test_seconds_that_no_clock_took_are_left_out(recorder):
    failed = CellResult((), 7, float("nan"), float("nan"), 0.5)
    assert list(recorder.of_training((0,), failed)["seconds"]) == ["compilation", "evaluation and saving"]
