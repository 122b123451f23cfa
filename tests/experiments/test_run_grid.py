"""The launch as a whole, on a training that is counted instead of done."""

import csv
import dataclasses
import datetime
import json
import shutil
from pathlib import Path

import jax
import pytest

from benchmarks import tables
from experiments import run_records
from experiments.cell_runs import COSTS
from experiments.grid import Cell, unimodal_names
from experiments.results import Row, records_of
from experiments.run_grid import Request, run_grid
from experiments.store import Stored
from mmjax.config import DEFAULTS
from mmjax.errors import InputError

TABLES = ("table.csv", "table.md", "table.tex")
TIMES = ("train_samples_per_second", "inference_samples_per_second")


@pytest.fixture
def request_(tmp_path):
    overrides = {"batch_size": 4, "epochs": 1}
    return Request(
        ["trimodal"], ["concat", "mean", "mmtm"], seeds=2, overrides=overrides, workdir=str(tmp_path / "work")
    )


@pytest.fixture
def launch(request_, task, training, combine):
    """Runs the request, with changes, on the tiny task and the counted training."""

    def run(task=task, **changes):
        return run_grid(dataclasses.replace(request_, **changes), lambda name, data_dir: task, training, combine)

    return run


def without_times(path):
    with open(path, newline="") as file:
        return [{name: value for name, value in row.items() if name not in TIMES} for row in csv.DictReader(file)]


def test_the_table_holds_every_cell_and_the_baselines(launch, task, tmp_path):
    records = launch()
    fusions = ["majority", *unimodal_names(task), "oracle", "concat", "mean", "mmtm"]
    assert [row["fusion"] for row in without_times(tmp_path / "work" / "table.csv")] == fusions
    assert {record["status"] for record in records} == {"done"}


def test_what_the_workdir_holds_in_the_end(launch, tmp_path):
    launch()
    work = tmp_path / "work"
    assert {path.name for path in work.iterdir()} == {*TABLES, "report.html", "curves", "runs", "launches"}
    curves = {path.name for path in (work / "curves").iterdir()}
    assert {"tiny-concat-joint.png", "tiny-mmtm-joint.png", "tiny-unimodal.sight-joint.png"} <= curves


def test_a_finished_launch_is_not_repeated(launch, training, tmp_path):
    launch()
    calls, before = list(training.calls), {name: (tmp_path / "work" / name).read_bytes() for name in TABLES}
    launch()
    assert training.calls == calls
    assert {name: (tmp_path / "work" / name).read_bytes() for name in TABLES} == before


def test_a_launch_cut_off_goes_on_to_the_same_table(launch, training, tmp_path):
    whole, cut = str(tmp_path / "whole"), str(tmp_path / "cut")
    launch(workdir=whole)
    training.calls.clear()
    training.raises["mmtm"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        launch(workdir=cut)
    begun = [fusion for fusion, _ in training.calls]
    launch(workdir=cut)
    assert [fusion for fusion, _ in training.calls[len(begun) :]] == ["mmtm"]
    assert without_times(tmp_path / "cut" / "table.csv") == without_times(tmp_path / "whole" / "table.csv")


def test_the_notes_say_what_can_be_reached_and_what_is_gained(launch, tmp_path):
    launch()
    text = (tmp_path / "work" / "table.md").read_text()
    assert "Bayes-optimal accuracy: all 90.0%, sight 80.0%." in text
    assert "each the best of its kind on validation" in text and "points, paired by seed" in text
    assert "12 train, 12 validation, 12 test. Source: made up." in text
    assert "Test holds 12 examples of 4 groups: were other groups drawn, the accuracy of" in text


@pytest.fixture
def twins(tmp_path, request_, task, training, combine):
    """Launches folders that are all called `data` and hold different data, each with its own fingerprint."""
    for place in ("a", "B", "b"):
        (tmp_path / place / "data").mkdir(parents=True)
        (tmp_path / place / "data" / "task.yaml").write_text("")

    def load(name, data_dir):
        place = Path(name).parent.name
        return dataclasses.replace(task, name="data", fingerprint=f"f00d{place}", warnings=(f"this is {place}",))

    def run(*places, **changes):
        names = [str(tmp_path / place / "data") for place in places]
        return run_grid(dataclasses.replace(request_, tasks=names, **changes), load, training, combine)

    return run


def test_two_folders_of_one_name_are_told_apart_wherever_they_are_named(twins, training, tmp_path, capsys):
    records = twins("a", "B")
    titles = ["data (a/data)", "data (B/data)"]
    for title in titles:
        of_task = [record["fusion"] for record in records if record["task"] == title]
        assert len(of_task) == len(set(of_task)) == 7, "no cell is there twice"
    assert len(records) == 14
    work = tmp_path / "work"
    sections = (work / "table.md").read_text().split("## ")[1:]
    assert [section.splitlines()[0] for section in sections] == titles
    for section, place, other in zip(sections, "aB", "Ba", strict=True):
        assert section.count("Gain of") == 1 and f"this is {place}" in section and f"this is {other}" not in section
    assert len(list((work / "curves").iterdir())) == 2 * 5, "four trained cells and the throughput of each"
    printed = capsys.readouterr()
    for title in titles:
        assert f"{title} concat joint: accuracy" in printed.err and f"{title}: Bayes-optimal" in printed.out


def test_results_do_not_depend_on_how_a_task_is_told_apart(twins, training, tmp_path):
    twins("a", "B")
    begun, runs = list(training.calls), set((tmp_path / "work" / "runs").iterdir())
    records = twins("B")
    assert training.calls == begun and set((tmp_path / "work" / "runs").iterdir()) == runs
    assert {record["task"] for record in records} == {"data"}


def test_tuning_keeps_tasks_of_one_name_apart(twins, tmp_path):
    (tmp_path / "work").mkdir()
    records = twins("a", "b", tune=1, dry_run=True)
    assert {record["task"] for record in records} == {"data (a/data)", "data (b/data)"}


def test_one_folder_spelt_twice_is_one_task(twins, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("a")
    assert len(twins("a", "link", "./a", "b/../a")) == 7


@pytest.mark.parametrize(
    "name, nearest", [("sigth", "sight"), ("vectr", "vector"), ("image", None), ("sight.x", "sight")]
)
def test_an_encoder_for_what_no_task_has_is_refused(launch, training, name, nearest):
    said = f"config.encoders: unknown modality or kind '{name}'" + (f".*did you mean '{nearest}'" if nearest else "")
    with pytest.raises(InputError, match=said):
        launch(overrides={"batch_size": 4, "epochs": 1, "encoders": {"sight": "linear", name: "mlp"}})
    assert training.calls == []


def test_an_encoder_for_what_one_of_several_tasks_has_is_taken(twins):
    launched = twins("a", "b", overrides={"batch_size": 4, "epochs": 1, "encoders": {"sight": "linear"}})
    assert {record["status"] for record in launched} == {"done"}


def test_noresume_starts_afresh(launch, training):
    launch()
    calls = list(training.calls)
    launch(resume=False)
    assert training.calls == 2 * calls


def test_parameters_that_finished_runs_lack_are_told_of_and_come_with_noresume(launch, training, tmp_path, capsys):
    def parameters():
        return sorted(path.parent.name.partition("-joint")[0] for path in tmp_path.glob("work/runs/*seed0*/parameters"))

    trained = ["tiny-concat", "tiny-mmtm", "tiny-unimodal.sight", "tiny-unimodal.sound"]
    launch()
    said = "Runs that were finished before without --keep_parameters have none still: 8."
    assert parameters() == [] and said not in capsys.readouterr().out
    launch(keep_parameters=True)
    assert parameters() == [] and len(training.calls) == 4, "what is finished never changes"
    assert said in (out := " ".join(capsys.readouterr().out.split())) and "--noresume trains their cells again" in out
    launch(keep_parameters=True, resume=False)
    assert parameters() == trained and "have none still" not in capsys.readouterr().out


def test_beside_every_result_stands_what_it_came_about_by(launch, tmp_path):
    launch(seeds=1)
    launch(seeds=3)
    for path in (tmp_path / "work" / "runs").iterdir():
        record, identity = (json.loads((path / name).read_text()) for name in ("record.json", "config.json"))
        assert record["hardware"]["cores"] >= 1 and record["versions"]["jax"] == jax.__version__
        assert record["devices"]["used"] == record["devices"]["processes"] == 1
        assert record["command"] and datetime.datetime.fromisoformat(record["started"]).tzinfo
        trained = identity["strategy"] == "joint" and identity["fusion"] != "mean"
        together = [1, 2] if trained and identity["seed"] else [identity["seed"]]
        assert record["seeds"] == together
        assert all(seconds >= 0 for seconds in record["seconds"].values())


def test_rates_of_runs_that_were_not_measured_alike_are_not_put_together(launch, tmp_path, monkeypatch):
    """Another machine's run, or one that trained beside others, has its own rate; results are as comparable as ever."""
    machine = run_records.hardware() | {"processor": "another's"}
    launch(seeds=2)
    with monkeypatch.context() as patch:
        patch.setattr(run_records, "hardware", lambda: machine)
        records = {record["fusion"]: record for record in launch(seeds=4)}
    for fusion in ("concat", "unimodal/sight", "mean"):
        assert records[fusion]["train_samples_per_second"] is records[fusion]["inference_samples_per_second"] is None
        assert len(records[fusion]["metrics"]["accuracy"]) == 4 and records[fusion]["parameters"]
    text = (tmp_path / "work" / "table.md").read_text()
    (note,) = [line for line in text.splitlines() if "Rates of concat are not put together" in line]
    assert note.count("2 seeds side by side") == 2 and note.count("another's") == 1
    page = (tmp_path / "work" / "report.html").read_text()
    assert "Environment 1" in page and "Environment 2" in page and "tiny concat joint, seeds 2, 3" in page


def test_rates_that_were_measured_alike_are_put_together(launch):
    (concat,) = [record for record in launch() if record["fusion"] == "concat"]
    assert concat["train_samples_per_second"] > 0


def test_epochs_that_were_trained_are_a_column_where_strategies_differ(task):
    def row(strategy, epochs):
        result = {"failure": None, "metrics": {"test": {"accuracy": 0.5}}, "epochs_trained": epochs} | dict.fromkeys(
            COSTS
        )
        return Row(task, Cell("tiny", "concat", strategy, DEFAULTS), (Stored(result, [], {}),))

    rows = [row("joint", 20), row("staged", 60)]
    shown = tables.table(records_of(rows))
    assert list(shown["epochs_trained"]) == [20, 60]
    assert "| epochs trained |" in tables.markdown(tables.sections(records_of(rows)))
    assert "epochs_trained" not in tables.table(records_of(rows[:1])), "where all trained the same there is no column"


def test_a_dry_run_writes_and_trains_nothing(launch, training, tmp_path, capsys):
    launch(dry_run=True)
    assert training.calls == [] and not (tmp_path / "work").exists()
    assert "unimodal/sight" in capsys.readouterr().out


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"tasks": ["trimodel"], "load_real": True}, "unknown task or tag 'trimodel'.*did you mean 'trimodal'"),
        ({"fusions": ["concatt"]}, "unknown fusion 'concatt'.*did you mean 'concat'"),
        ({"strategies": ["jiont"]}, "unknown strategy 'jiont'.*did you mean 'joint'"),
        ({"overrides": {"widht": 3}}, "unknown config field 'widht'.*did you mean 'width'"),
        ({"overrides": {"width": "wide"}}, "config.width = 'wide'.*give int"),
        ({"overrides": {"dropout": 1.5}}, r"config.dropout = 1.5.*in \[0, 1\)"),
        ({"overrides": {"learning_rate": -1.0}}, "config.learning_rate = -1.0"),
        (
            {"overrides": {"batch_size": 13}},
            "batch_size = 13 is larger than the training split of task 'tiny': give at most 12",
        ),
        ({"overrides": {"encoders": {"sight": "lstn"}}}, "unknown encoder 'lstn'"),
        ({"overrides": {"decoder": "dens"}}, "unknown decoder 'dens'.*did you mean 'dense'"),
        ({"devices": 99}, "devices=99.*xla_force_host_platform_device_count=99"),
        ({"parallel": "pmapp"}, "parallel=pmapp"),
        ({"split_devices": "both"}, "split_devices=both"),
        ({"workdir": "/dev/null/work"}, "cannot be written"),
        ({"tasks": []}, r"tasks = \[\] is not accepted"),
        ({"fusions": "concat"}, "fusions = 'concat' is not accepted: give a list"),
        ({"seeds": "three"}, "seeds = 'three' is not accepted"),
        ({"seeds": 0}, "seeds = 0 is not accepted"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_is_written(launch, request_, training, tmp_path, changes, said):
    real = changes.pop("load_real", False)
    changes = {"overrides": {"batch_size": 4} | changes.pop("overrides", {}), **changes}
    with pytest.raises(InputError, match=said) as error:
        if real:
            run_grid(dataclasses.replace(request_, **changes))
        else:
            launch(**changes)
    assert "\n" not in str(error.value)
    assert training.calls == [] and not (tmp_path / "work").exists()


def test_a_launch_that_evaluates_validation_says_so_everywhere(launch, tmp_path, capsys):
    records = launch(evaluate="validation")
    work = tmp_path / "work"
    assert {record["split"] for record in records} == {"validation"}
    assert {row["split"] for row in without_times(work / "table.csv")} == {"validation"}
    printed = capsys.readouterr()
    page = (work / "report.html").read_text()
    for text in ((work / "table.md").read_text(), page):
        assert "validation accuracy %" in text and "The test split was not predicted" in text
        assert "each the best of its kind on validation and compared on it:" in text
        assert "Validation holds 12 examples of 4 groups" in text
        assert "Test holds" not in text and "of the test split" not in text and "is read once" not in text
    assert "tiny: validation split, mean" in (work / "table.tex").read_text()
    assert "over seeds] on validation" in printed.out and "mmtm joint: validation accuracy" in printed.err


def test_tables_of_validation_and_of_test_are_the_same_whichever_came_first(launch, tmp_path):
    launch(evaluate="validation")
    first = without_times(tmp_path / "work" / "table.csv")
    launch()
    of_test = without_times(tmp_path / "work" / "table.csv")
    assert {row["split"] for row in of_test} == {"test"} and "validation" not in str(of_test)
    launch(evaluate="validation")
    assert without_times(tmp_path / "work" / "table.csv") == first


def test_a_dry_run_says_what_only_lacks_test_and_what_is_made_again(launch, training, tmp_path, capsys, caplog):
    launch(evaluate="validation")
    launch(dry_run=True, evaluate="validation")
    assert "and test would not be predicted" in capsys.readouterr().out
    launch(dry_run=True)
    said = " ".join(capsys.readouterr().out.split())
    assert "8 of them lack nothing else, and would not be trained again; 4 of baselines and decision" in said
    assert "rules would be fitted again." in said
    (damaged,) = (tmp_path / "work" / "runs").glob("tiny-concat-joint-seed0-*")
    shutil.rmtree(damaged / "parameters")
    launch(dry_run=True)
    said = " ".join(capsys.readouterr().out.split())
    assert "7 of them lack nothing else" in said and "4 of baselines" in said
    assert "; 1 whose parameters are gone or damaged would be trained again." in said
    training.calls.clear()
    launch()
    assert training.calls == [("concat", (0,))]
    assert [record.getMessage() for record in caplog.records if "trained again" in record.message] == [
        f"{damaged.name} is trained again: it lacks test, and its parameters are gone or damaged"
    ]


@pytest.mark.parametrize(
    "changes, said",
    [
        ({}, "Every cell of a task has the same splits, batches and seeds, and the same hyper-parameters."),
        ({"match": "parameters"}, "and the same hyper-parameters but the width, by which budgets are matched."),
    ],
)
def test_the_report_claims_no_more_sameness_than_there_is(launch, tmp_path, changes, said):
    launch(**changes)
    page = (tmp_path / "work" / "report.html").read_text()
    assert said in page and "The test split is read once, when all that is fitted or chosen is." in page


def test_a_task_whose_validation_does_not_choose_is_not_chosen_by(launch, task, training, tmp_path):
    task = dataclasses.replace(task, contaminated="its examples are in train too")
    launch(task=task, fusions=["concat", "stacking", "late_logistic"])
    text = (tmp_path / "work" / "table.md").read_text()
    assert "Validation does not choose here: its examples are in train too. The last epoch counts, strengths of" in text
    assert "Gain of" not in text and "Test holds" not in text
    assert "not applicable: stacking is fitted on validation" in text


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"tune": 2}, r"--tune is not accepted for task 'tiny': validation does not choose there \(seen before\)"),
        ({"overrides": {"batch_size": 4, "patience": 3}}, "config.patience = 3 is not accepted for task 'tiny'"),
    ],
)
def test_what_would_choose_by_a_contaminated_validation_is_refused(launch, task, training, tmp_path, changes, said):
    with pytest.raises(InputError, match=said):
        launch(task=dataclasses.replace(task, contaminated="seen before"), **changes)
    assert training.calls == [] and not (tmp_path / "work").exists()
