"""What the first of several processes trains, the others train too, and nothing else."""

import contextlib
import dataclasses
import json
import signal

import jax
import pytest

from experiments import leading
from experiments.leading import follow
from experiments.locks import Lost
from mmjax.config import Config
from mmjax.errors import InputError
from mmjax.training.checkpoint import Keep
from mmjax.training.parallel import Placement
from mmjax.training.results import Interrupted


@pytest.fixture
def told(monkeypatch):
    """Stands in for two processes: what the first says is kept, in order, and then heard by the other."""
    said, hearing = [], []

    def from_first(value):
        if hearing:
            return said.pop(0)
        said.append(json.loads(json.dumps(value)))
        return value

    monkeypatch.setattr(leading, "from_first", from_first)
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    return said, hearing


class Noted:
    """A training that only notes how it is called, and may fail."""

    def __init__(self, fails=None):
        self.calls, self.fails = [], fails

    def __call__(self, task, fusion, strategy, config, seeds, placement, keep, on_progress, **options):
        options.pop("stop", None)
        self.calls.append((task.name, fusion, strategy, config, seeds, placement, keep, options))
        if self.fails:
            raise self.fails


CONFIG = Config(width=8, encoders={"vector": "linear"})


@pytest.mark.parametrize("fails", [None, jax.errors.JaxRuntimeError("no memory"), Interrupted()], ids=repr)
def test_others_are_called_as_the_first_is(told, task, tmp_path, fails):
    said, hearing = told
    first, other = Noted(), Noted(fails)
    keep, placement = Keep(tmp_path / "steps", "identity", 3, 1.5), Placement(len(jax.devices()))
    with leading.leading(first) as train:
        train(task, "concat", "joint", CONFIG, (0, 1), placement, keep, print, stop=bool, data="stream")
        rates = (1e-3, 1e-2)
        train(task, "gmu", "staged", CONFIG, (5, 5), placement, None, print, learning_rates=rates,
              splits=("validation",), data="auto")  # fmt: skip
        train(task, "concat", "joint", CONFIG, (0, 1), placement, None, print, splits=("validation", "test"),
              finished=(str(tmp_path / "0"), str(tmp_path / "1")))  # fmt: skip
    hearing.append(True)
    follow([task], placement, other, stop=bool)
    assert other.calls == first.calls and not said


def test_of_two_tasks_of_one_name_the_others_train_the_one_that_the_first_trains(told, task, tmp_path):
    said, hearing = told
    tasks = [dataclasses.replace(task, label=f"tiny ({place})", fingerprint=place) for place in ("a/tiny", "b/tiny")]
    trained = []

    def note(task, *_, **__):
        trained.append(task.fingerprint)

    placement = Placement(len(jax.devices()))
    with leading.leading(note) as train:
        for each in tasks[::-1]:
            train(each, "concat", "joint", CONFIG, (0,), placement, None, print, stop=bool)
    hearing.append(True)
    follow(tasks, placement, note, stop=bool)
    assert trained == 2 * ["b/tiny", "a/tiny"]


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, Interrupted])
@pytest.mark.parametrize("trains", [True, False])
def test_others_are_dismissed_when_the_first_is_stopped(told, task, stopped, trains):
    """In a training that all of them leave, or between two."""
    said, hearing = told
    placement = Placement(len(jax.devices()))
    with pytest.raises(stopped), leading.leading(Noted(Interrupted())) as train:
        try:
            if trains:
                train(task, "concat", "joint", CONFIG, (0,), placement, None, print, stop=bool)
        finally:
            raise stopped
    assert said[-1] is None and len(said) == 1 + trains
    hearing.append(True)
    follow([task], placement, Noted(Interrupted()), stop=bool)
    assert not said


@pytest.mark.parametrize("error", [OSError("disk full"), InputError("a fault"), KeyboardInterrupt()], ids=repr)
def test_others_are_not_told_anything_in_a_training_that_only_the_first_left(told, task, error):
    """They would take it for an operation of the training; that the first has failed they hear from its watch."""
    said, _ = told
    with pytest.raises(type(error)), leading.leading(Noted(error)) as train:
        train(task, "concat", "joint", CONFIG, (0,), Placement(len(jax.devices())), None, print, stop=bool)
    assert len(said) == 1


def test_an_error_between_two_trainings_dismisses_nobody(told):
    said, _ = told
    with pytest.raises(OSError, match="disk full"), leading.leading(Noted()):
        raise OSError("disk full")
    assert not said


@pytest.mark.parametrize("trains_again", [True, False])
def test_the_first_cannot_go_on_from_a_training_that_only_it_left(told, task, trains_again):
    """As it would when another launch took over the lock of what is trained."""
    said, _ = told
    with pytest.raises(InputError, match="the others are still at"), leading.leading(Noted(Lost("taken"))) as train:
        for _ in range(1 + trains_again):
            with contextlib.suppress(Lost):
                train(task, "concat", "joint", CONFIG, (0,), Placement(len(jax.devices())), None, print, stop=bool)
    assert len(said) == 1


def test_ctrl_c_takes_effect_in_another_process_when_it_is_dismissed(told, task):
    said, hearing = told
    placement = Placement(len(jax.devices()))
    with leading.leading(Noted()) as train:
        for seed in (0, 1):
            train(task, "concat", "joint", CONFIG, (seed,), placement, None, print, stop=bool)
    hearing.append(True)
    trained = []

    def train_and_interrupt(task, fusion, strategy, config, seeds, *_, **__):
        trained.append(seeds)
        if seeds == (0,):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        follow([task], placement, train_and_interrupt, stop=bool)
    assert trained == [(0,), (1,)] and not said


def test_one_process_leads_nobody():
    train = Noted()
    with leading.leading(train) as led:
        assert led is train
