"""Searches on a training whose score is a known function of the hyper-parameters, then on a real one."""

import contextlib
import csv
import dataclasses
import io
import json
import math
import shutil

import jax
import pytest
from rich.console import Console

from experiments.grid import cells_of, is_trained, runs_of
from experiments.locks import Locks
from experiments.progress import Reporter
from experiments.run_grid import Request, run_grid
from experiments.search import FIELDS, FIRST_SEED, LANES, Tuning
from experiments.tune import forget_trials, search_plan, tuned_plan
from mmjax.config import DEFAULTS
from mmjax.errors import InputError
from mmjax.training.loop import train_cell
from mmjax.training.parallel import Placement
from mmjax.training.results import CellResult, Interrupted, Progress, RunResult

CONFIG = DEFAULTS.replace(batch_size=4)
OWN = {name: getattr(CONFIG, name) for name in FIELDS}
TRAINED = ("unimodal/sight", "unimodal/sound", "concat")


def accuracy(fusion, rate, config, seed):
    """Highest for three times the default's learning rate, the widest model and a dropout of 0.1; lower by the seed."""
    distance = abs(math.log10(rate / 3e-3)) + abs(math.log2(config.width / 128)) + abs(config.dropout - 0.1)
    return 1 / (2 + distance + config.weight_decay) - 0.01 * (seed - FIRST_SEED)


class ScoredTraining:
    """Stands in for `train_cell`.

    Attributes:
      calls: the arguments of each, in order.
      score: (fusion, rate, config, seed) -> validation accuracy; what it returns NaN for fails.
      dies_at: the call that is cut off, if any.
    """

    def __init__(self, score=accuracy):
        self.calls, self.score, self.dies_at = [], score, None

    def __call__(
        self, task, fusion, strategy, config, seeds, placement, keep, on_progress,
        *, stop, learning_rates, splits, data="auto",
    ):  # fmt: skip
        assert splits == ("validation",), "a search has no business with the test split"
        if len(self.calls) == self.dies_at:
            raise KeyboardInterrupt
        if stop():
            raise Interrupted
        self.calls.append({"fusion": fusion, "config": config, "seeds": seeds, "rates": learning_rates})
        on_progress(Progress(1, 1, strategy, {}))
        runs = [self._run(fusion, config, *lane) for lane in zip(seeds, learning_rates, strict=True)]
        return CellResult(tuple(runs), 7, 1.0, 1.0, 0.0)

    def _run(self, fusion, config, seed, rate):
        value = self.score(fusion, rate, config, seed)
        best = {"epoch": 2, "validation_accuracy": value, "validation_error": value, "validation_loss": 1 - value}
        history = [{"epoch": epoch, "validation_accuracy": 0, "validation_error": 0, "validation_loss": 9}
                   for epoch in (1, 3)]  # fmt: skip
        failure = "the loss is not finite" if math.isnan(value) else None
        return RunResult(seed, [history[0], best, history[1]], 2, {}, failure)


@pytest.fixture
def plan(task):
    """Cells of a task whose test split is not there to be read."""
    splits = {name: split for name, split in task.splits.items() if name != "test"}
    task = dataclasses.replace(task, splits=splits)
    return [(task, cell) for cell in cells_of(task, ["concat", "mean"], ["joint"], CONFIG)]


@pytest.fixture
def search(plan, tmp_path):
    """Searches a plan; the tuned plan and how far every search is, by fusion."""

    def run(training, trials, plan=plan, workdir=tmp_path, stop=lambda: False, wait=None, **changes):
        tuning = Tuning(trials, **changes)
        reporter = Reporter(len(plan), Console(file=io.StringIO()))
        search_plan(plan, tuning, workdir, Placement(), reporter, training, stop, wait)
        assert not (workdir / "locks").exists(), "what was taken is given back"
        tuned, states = tuned_plan(plan, tuning, workdir)
        return {cell.fusion: (cell, state) for (_, cell), state in zip(tuned, states, strict=True)}

    return run


def files(workdir):
    """The trials under a workdir: cell -> content."""
    paths = sorted((workdir / "trials").iterdir())
    return {path.name.rpartition("-")[0]: json.loads(path.read_text()) for path in paths}


@pytest.mark.parametrize("trials", [1, LANES - 1, LANES, LANES + 1, 2 * LANES + 3])
def test_every_cell_that_is_trained_has_the_same_number_of_trials_and_no_other_has_any(search, trials, tmp_path):
    training = ScoredTraining()
    found = search(training, trials)
    lanes = {name: [len(call["rates"]) for call in training.calls if call["fusion"] == name] for name in TRAINED}
    groups = [LANES] * (trials // LANES) + [trials % LANES] * (trials % LANES > 0)
    assert lanes == dict.fromkeys(TRAINED, groups)
    assert len(training.calls) == len(TRAINED) * len(groups)
    assert {len(content["trials"]) for content in files(tmp_path).values()} == {trials}
    assert {name for name, (_, state) in found.items() if state} == set(TRAINED)


def test_the_first_trial_is_the_cell_itself_and_no_trial_beats_the_chosen(search, tmp_path):
    found = search(ScoredTraining(), 16)
    for content in files(tmp_path).values():
        scores = [trial["score"] for trial in content["trials"]]
        assert content["trials"][0]["values"] == OWN
        assert content["chosen"] == content["trials"][scores.index(max(scores))]["values"]
        assert max(scores) > scores[0], "sixteen trials come nearer to the optimum than the default"
    cell, state = found["concat"]
    assert cell.config == CONFIG.replace(**state.chosen)


def test_one_trial_changes_nothing_not_even_the_names_of_runs(search, plan):
    found = search(ScoredTraining(), 1)
    for task, cell in plan:
        assert runs_of(found[cell.fusion][0], task, [0])[0].name == runs_of(cell, task, [0])[0].name


def test_what_a_program_shares_and_what_its_lanes_differ_in(search):
    training = ScoredTraining()
    search(training, 2 * LANES, seeds=2)
    for call in training.calls:
        assert call["config"].learning_rate == CONFIG.learning_rate
        assert call["seeds"] == (FIRST_SEED,) * LANES + (FIRST_SEED + 1,) * LANES
        assert call["rates"][:LANES] == call["rates"][LANES:] and len(set(call["rates"])) == LANES


def test_a_score_is_the_mean_over_the_seeds_of_a_trial(search, tmp_path):
    search(ScoredTraining(), 2 * LANES, seeds=3)
    for trial in files(tmp_path)["tiny-concat-joint"]["trials"]:
        values = dict(trial["values"])
        config = CONFIG.replace(**values)
        scores = [accuracy("concat", values["learning_rate"], config, FIRST_SEED + seed) for seed in range(3)]
        assert trial["score"] == pytest.approx(sum(scores) / 3)
        assert trial["loss"] == pytest.approx(1 - sum(scores) / 3)
        assert trial["best_epochs"] == [2, 2, 2]


@pytest.mark.parametrize("calls", range(4))
@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_search_that_was_cut_off_ends_where_the_undisturbed_one_does(search, plan, tmp_path, how, calls):
    plan = [(task, cell) for task, cell in plan if cell.fusion in ("unimodal/sound", "concat")]
    whole, cut = ScoredTraining(), ScoredTraining()
    search(whole, LANES + 2, plan, tmp_path / "whole")
    if how == "killed":
        cut.dies_at = calls
        with pytest.raises(KeyboardInterrupt):
            search(cut, LANES + 2, plan, tmp_path / "cut")
        cut.dies_at = None
    else:
        with pytest.raises(Interrupted):
            search(cut, LANES + 2, plan, tmp_path / "cut", stop=lambda: len(cut.calls) == calls)
    assert len(cut.calls) == calls
    search(cut, LANES + 2, plan, tmp_path / "cut")
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    assert cut.calls == whole.calls, "no group of trials is repeated"


def test_a_search_that_another_launch_is_at_is_waited_for(search, tmp_path):
    training = ScoredTraining()
    search(training, 5, workdir=tmp_path / "theirs")
    (path,) = (tmp_path / "theirs" / "trials").glob("tiny-concat-joint-*")
    training.calls.clear()
    with contextlib.ExitStack() as another:
        another.enter_context(Locks(tmp_path / "locks").take(path.stem))

        def wait(seconds):
            assert [call["fusion"] for call in training.calls] == ["unimodal/sight"] * 2 + ["unimodal/sound"] * 2
            shutil.copy(path, tmp_path / "trials")
            another.close()

        search(training, 5, wait=wait)
    assert len(training.calls) == 4 and files(tmp_path) == files(tmp_path / "theirs")


def test_what_was_searched_under_a_lock_that_is_lost_is_not_written(search, tmp_path):
    """A launch that was suspended for long finds that another has taken its search over, and ended it."""
    training, theirs = ScoredTraining(), tmp_path / "theirs"
    search(training, 5, workdir=theirs)

    def score(*values):
        for lock in (tmp_path / "locks").glob("tiny-concat-*.json"):
            lock.unlink()
            shutil.copy(next((theirs / "trials").glob("tiny-concat-joint-*")), tmp_path / "trials")
        return 0.1

    search(ScoredTraining(score), 5)
    assert files(tmp_path)["tiny-concat-joint"] == files(theirs)["tiny-concat-joint"]


def test_a_damaged_file_is_trained_anew_and_a_finished_search_is_not(search, tmp_path):
    training = ScoredTraining()
    search(training, 5)
    before, calls = files(tmp_path), len(training.calls)
    search(training, 5)
    assert len(training.calls) == calls
    (path,) = (tmp_path / "trials").glob("tiny-concat-joint-*")
    path.write_text(path.read_text()[:100])
    search(training, 5)
    assert files(tmp_path) == before
    assert [call["fusion"] for call in training.calls[calls:]] == ["concat", "concat"]


def test_another_search_has_a_file_of_its_own(search, plan, tmp_path):
    training = ScoredTraining()
    elsewhere = [(dataclasses.replace(task, fingerprint="beef"), cell) for task, cell in plan]
    wider = [(task, dataclasses.replace(cell, config=CONFIG.replace(width=128))) for task, cell in plan]
    for count, changes in enumerate([{}, {"trials": 6}, {"seeds": 2}, {"plan": elsewhere}, {"plan": wider}], start=1):
        search(training, **{"trials": 5} | changes)
        assert len(list((tmp_path / "trials").iterdir())) == count * len(TRAINED)
    forget_trials(plan, Tuning(5), tmp_path)
    assert len(list((tmp_path / "trials").iterdir())) == (count - 1) * len(TRAINED)


def test_a_lane_that_fails_is_a_failed_trial_and_the_others_count(search, tmp_path):
    search(ScoredTraining(lambda fusion, rate, *rest: math.nan if rate > 1e-3 else rate), 12)
    content = files(tmp_path)["tiny-concat-joint"]
    failed = [trial["values"]["learning_rate"] > 1e-3 for trial in content["trials"]]
    assert any(failed) and not all(failed[:LANES])
    assert [trial["status"] == "failed: the loss is not finite" for trial in content["trials"]] == failed
    assert content["chosen"]["learning_rate"] == 1e-3


def test_a_trial_fails_with_any_of_its_seeds(search, tmp_path):
    search(ScoredTraining(lambda *values: math.nan if values[-1] > FIRST_SEED else 0.9), 2, seeds=2)
    assert {trial["status"][:6] for trial in files(tmp_path)["tiny-concat-joint"]["trials"]} == {"failed"}


def test_what_was_asked_for_stands_where_every_trial_fails(search):
    cell, state = search(ScoredTraining(lambda *values: math.nan), 6)["concat"]
    assert cell.config == CONFIG and state.chosen == OWN and state.trials == 6


def test_a_model_that_finds_no_memory_is_a_failed_trial(search, tmp_path):
    def score(fusion, rate, config, seed):
        if config.width != CONFIG.width:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory\nmore")
        return 0.5

    search(ScoredTraining(score), 24)
    trials = files(tmp_path)["tiny-concat-joint"]["trials"]
    fit = [trial["values"]["width"] == CONFIG.width for trial in trials]
    assert {True, False} == set(fit)
    assert [trial["status"] == "done" for trial in trials] == fit
    assert {t["status"] for t in trials} == {"done", "failed: RESOURCE_EXHAUSTED: out of memory"}


def test_the_least_error_is_the_best_of_a_regression(search, regression_task, tmp_path):
    plan = [(regression_task, cell) for cell in cells_of(regression_task, ["concat"], ["joint"], CONFIG)]
    search(ScoredTraining(lambda *values: 1 - accuracy(*values)), 12, plan=plan)
    for content in files(tmp_path).values():
        scores = [trial["score"] for trial in content["trials"]]
        assert content["chosen"] == content["trials"][scores.index(min(scores))]["values"]


def test_a_cell_that_is_not_defined_is_not_searched(regression_task):
    cells = {cell.fusion: cell for cell in cells_of(regression_task, ["evidential", "mean"], ["joint"], CONFIG)}
    searched = {name for name, cell in cells.items() if is_trained(regression_task, cell)}
    assert searched == {"unimodal/sight", "unimodal/sound"}


@pytest.mark.parametrize(
    "fusion, width, tried", [("concat", 64, {32, 64, 128}), ("concat", 1, {1, 2}), ("block", 12, {8, 12, 24})]
)
def test_widths_are_halved_and_doubled_to_what_chunks_divide(task, search, tmp_path, fusion, width, tried):
    config = CONFIG.replace(width=width, chunks=4)
    plan = [(task, cell) for cell in cells_of(task, [fusion], ["joint"], config)]
    training = ScoredTraining()
    search(training, 60, plan=plan)
    assert {call["config"].width for call in training.calls if call["fusion"] == fusion} == tried


def test_a_width_that_the_model_refuses_is_never_tried(search, monkeypatch):
    def refuse(task, fusion, strategy, config):
        if config.width > CONFIG.width:
            raise InputError("too wide")

    monkeypatch.setattr("experiments.search.check_cell", refuse)
    training = ScoredTraining()
    search(training, 60)
    assert {call["config"].width for call in training.calls} == {32, 64}


def test_only_the_fields_that_were_asked_for_are_searched(search, tmp_path):
    training = ScoredTraining()
    cell, state = search(training, 24, fields=("learning_rate", "dropout"))["concat"]
    assert {(call["config"].width, call["config"].weight_decay) for call in training.calls} == {(64, 0.0)}
    assert len({call["config"].dropout for call in training.calls}) > 1
    assert set(state.chosen) == {"learning_rate", "dropout"} and cell.config.width == 64


def test_a_rule_combines_the_tuned_models_and_says_so_in_its_name(search, plan):
    found = search(ScoredTraining(), 12)
    rule, _ = found["mean"]
    assert rule.parts == tuple(found[name][0] for name in ("unimodal/sight", "unimodal/sound"))
    assert rule.config == CONFIG, "a rule has nothing to tune"
    task, untuned = next((task, cell) for task, cell in plan if cell.fusion == "mean")
    (one,), (other,) = runs_of(rule, task, [0]), runs_of(untuned, task, [0])
    assert one.name != other.name and "parts" not in other.identity


class Launched:
    """Stands in for `train_cell` in a whole launch: searches are scored, runs counted."""

    def __init__(self, counted):
        self.scored, self.counted, self.configs = ScoredTraining(), counted, {}

    def __call__(self, *arguments, **named):
        if "learning_rates" in named:
            return self.scored(*arguments, **named)
        self.configs[arguments[1]] = arguments[3]
        return self.counted(*arguments, **named)


@pytest.fixture
def training(training):
    return Launched(training)


@pytest.fixture
def launch(task, training, combine, tmp_path):
    """A launch with six trials a cell."""

    def run(**changes):
        request = Request(["trimodal"], ["concat", "mean"], seeds=2, overrides={"batch_size": 4, "epochs": 1},
                          workdir=str(tmp_path / "work"), **{"tune": 6} | changes)  # fmt: skip
        return {row["fusion"]: row for row in run_grid(request, lambda name, data_dir: task, training, combine)}

    return run


def test_what_was_chosen_is_trained_and_stands_in_the_tables(launch, training, tmp_path):
    records = launch()
    assert {record["status"] for record in records.values()} == {"done"}
    with open(tmp_path / "work" / "table.csv", newline="") as file:
        rows = {row["fusion"]: row for row in csv.DictReader(file)}
    for content in files(tmp_path / "work").values():
        fusion, chosen = content["identity"]["fusion"], content["chosen"]
        assert {name: getattr(training.configs[fusion], name) for name in FIELDS} == chosen
        assert {name: float(rows[fusion][name]) for name in FIELDS} == chosen
        assert rows[fusion]["width"] == str(chosen["width"]), "a whole number"
    for fusion in ("majority", "oracle", "mean"):
        assert {rows[fusion][name] for name in FIELDS} == {""}
    note = "Tuned: 6 trials a cell on validation (learning rate, weight decay, width, dropout)"
    page = (tmp_path / "work" / "report.html").read_text()
    assert note in page and note in (tmp_path / "work" / "table.md").read_text()
    assert "number of trials to choose hyper-parameters by" in page and "and hyper-parameters." not in page


def test_a_tuned_launch_is_not_repeated_and_noresume_searches_again(launch, training):
    launch()
    trials, runs = len(training.scored.calls), len(training.counted.calls)
    launch()
    assert (len(training.scored.calls), len(training.counted.calls)) == (trials, runs)
    launch(resume=False)
    assert (len(training.scored.calls), len(training.counted.calls)) == (2 * trials, 2 * runs)


def test_a_dry_run_says_how_many_trials_there_would_be(launch, training, tmp_path, capsys):
    launch(dry_run=True)
    assert "18 trials would be run first, 6 of every cell" in capsys.readouterr().out
    assert training.scored.calls == [] and not (tmp_path / "work").exists()
    training.scored.dies_at = 3
    with pytest.raises(KeyboardInterrupt):
        launch()
    capsys.readouterr()
    launch(dry_run=True)
    assert "8 trials would be run first" in capsys.readouterr().out


def test_matched_widths_are_not_searched(launch, training, tmp_path):
    launch(match="parameters")
    assert {tuple(trial["values"]) for content in files(tmp_path / "work").values() for trial in content["trials"]} == {
        ("learning_rate", "weight_decay", "dropout")
    }
    table = (tmp_path / "work" / "table.md").read_text()
    assert "(learning rate, weight decay, dropout)" in table


def test_a_table_of_matched_budgets_has_the_widths(launch, tmp_path):
    """Of what is trained; none of the majority."""
    for tune in (None, 1):
        records = launch(match="parameters", tune=tune)
        assert records["majority"]["width"] is None and records["concat"]["width"] == DEFAULTS.width
        table = (tmp_path / "work" / "table.md").read_text()
        assert "| width | budget |" in table and f"| {DEFAULTS.width} | 1.00 |" in table


@pytest.mark.parametrize("changes", [{"tune": 0}, {"tune": -3}, {"tune": "many"}, {"tune_seeds": 0}])
def test_a_number_that_is_none_is_refused_before_anything_is_written(launch, training, tmp_path, changes):
    ((name, value),) = changes.items()
    with pytest.raises(InputError, match=f"{name} = {value!r} is not accepted: give how many, from 1 to 10,000"):
        launch(**changes)
    assert training.scored.calls == [] and not (tmp_path / "work").exists()


def test_a_search_on_real_training(regression_task, tmp_path):
    """Six learning rates of two seeds, some of which diverge; the test split is not there to be read."""
    splits = {name: split for name, split in regression_task.splits.items() if name != "test"}
    task = dataclasses.replace(regression_task, splits=splits)
    config = CONFIG.replace(encoders={"vector": "linear"}, width=4, epochs=30, learning_rate=0.025, optimizer="sgd")
    (cell,) = (cell for cell in cells_of(task, ["concat"], ["joint"], config) if is_trained(task, cell))
    search_plan([(task, cell)], Tuning(6, seeds=2), tmp_path, Placement(), Reporter(1, Console(file=io.StringIO())))
    (content,) = files(tmp_path).values()
    done = [trial for trial in content["trials"] if trial["status"] == "done"]
    assert 0 < len(done) < len(content["trials"]) == 6
    best = min(done, key=lambda trial: trial["score"])
    assert content["chosen"] == best["values"]
    seeds = (FIRST_SEED, FIRST_SEED + 1)
    alone = train_cell(task, "concat", "joint", config.replace(**best["values"]), seeds, splits=("validation",))
    errors = [min(line["validation_error"] for line in run.history) for run in alone.runs]
    # A lane's learning rate is a multiple of the config's in float32, 6e-8 off at most; ninety steps may add to that.
    assert best["score"] == pytest.approx(sum(errors) / 2, rel=1e-4)
