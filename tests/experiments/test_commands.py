"""The commands as a shell sees them: exit code, standard output, one sentence on standard error."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from absl import flags

from benchmarks import command
from experiments.registries import contents
from mmjax.data import TASKS
from mmjax.errors import InputError
from mmjax.fusion import LEVELS

ROOT = Path(command.__file__).parents[1]


def shell(tmp_path, *arguments, **environment):
    """Runs `python -m <arguments>` from the root of the project, with caches under tmp_path."""
    variables = os.environ | {"JAX_PLATFORMS": "cpu", "MMJAX_CACHE_DIR": str(tmp_path / "cache")} | environment
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("module", ["launch", "list", "reproduce", "data"])
def test_help_succeeds_and_imports_nothing_heavy(tmp_path, module):
    (tmp_path / "jax.py").write_text("raise ImportError('help must not wait for JAX')\n")
    help_ = shell(tmp_path, f"experiments.{module}", "--help", PYTHONPATH=f"{ROOT}:{tmp_path}")
    # `python -m` puts the working directory first; jax.py comes before site-packages all the same.
    assert help_.returncode == 0 and help_.stderr == ""
    assert f"mmjax {module}" in help_.stdout


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["experiments.launch", "--fusoins=concat"], "fusoins"),
        (["experiments.launch", "--seeds=0"], "seeds=0"),
        (["experiments.launch", "--seeds=three"], "seeds=three"),
        (["experiments.launch", "--seeds=99999999999"], "seeds = 99999999999 is not accepted: give how many, from 1"),
        (["experiments.launch", "--tune=99999999999"], "tune = 99999999999 is not accepted: give how many, from 1"),
        (["experiments.launch", "--epochs=99999999999"], "epochs = 99999999999 is not accepted: give at most"),
        (["experiments.launch", "--config.fusion_layers=99999"], "fusion_layers = 99999 is not accepted: give at most"),
        (["experiments.launch", "--tune=0"], "tune=0"),
        (["experiments.launch", "--tune=many"], "tune=many"),
        (["experiments.launch", "--parallel=threads"], "parallel=threads"),
        (["experiments.launch", "trimodal"], "argument 'trimodal' is not accepted"),
        (["experiments.launch", "--config=nowhere.py"], "--config=nowhere.py: there is no such file"),
        (["experiments.reproduce"], "--paper"),
    ],
)
def test_a_wrong_flag_is_one_sentence_and_exit_code_2(tmp_path, arguments, said):
    refused = shell(tmp_path, *arguments)
    assert refused.returncode == 2 and refused.stdout == ""
    assert said in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr


def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path):
    refused = shell(tmp_path, "experiments.launch", "--tasks=trimodel", f"--workdir={tmp_path / 'work'}")
    assert refused.returncode == 2 and refused.stdout == ""
    assert "unknown task or tag 'trimodel'" in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr
    assert not (tmp_path / "work").exists()


def test_flags_of_several_processes_belong_to_multihost(tmp_path):
    for flag in ("--num_processes=2", "--process_id=0", "--coordinator_address=localhost:1"):
        refused = shell(tmp_path, "experiments.launch", flag, "--dry_run", f"--workdir={tmp_path / 'work'}")
        said = f"error: {flag} belongs to --multihost: give that too, or leave it out\n"
        assert refused.returncode == 2 and refused.stderr == said


def test_debug_shows_the_traceback(tmp_path):
    refused = shell(tmp_path, "experiments.launch", "--config=nowhere.py", "--debug")
    assert "Traceback" in refused.stderr and "nowhere.py: there is no such file" in refused.stderr


def test_ctrl_c_has_its_own_exit_code(capsys):
    def interrupted():
        raise KeyboardInterrupt

    assert command.guarded(interrupted) == 130
    assert command.guarded(lambda: None) is None
    assert "interrupted" in capsys.readouterr().err


@pytest.fixture(autouse=True)
def ctrl_c_as_before():
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "error, said",
    [
        (PermissionError(13, "Permission denied", "/closed/file"), "error: /closed/file could not be used: permission"),
        (MemoryError("Unable to allocate 120. GiB"), "error: this machine has not enough memory (Unable to allocate"),
        (RuntimeError("Could not determine home directory."), "MMJAX_CACHE_DIR"),
    ],
)
def test_what_the_machine_refuses_is_one_sentence_and_exit_code_2(capsys, error, said):
    def refused():
        raise error

    assert command.guarded(refused) == 2
    errors = capsys.readouterr().err
    assert said in errors and errors.count("\n") == 1


def test_a_terminal_of_few_letters_gets_their_numbers(tmp_path):
    folder = tmp_path / "values"
    folder.mkdir()
    (folder / "t.csv").write_text("a,b,y\n" + "".join(f"{i},{i % 7},{i * 1.5}\n" for i in range(40)))
    modalities = "".join(f"  {name}: {{kind: table, file: t.csv, columns: [{name}]}}\n" for name in "ab")
    (folder / "task.yaml").write_text(f"modalities:\n{modalities}target: {{file: t.csv, column: y}}\n")
    for module, *arguments in (["data", "check", str(folder)], ["list"]):
        told = shell(tmp_path, f"experiments.{module}", *arguments, PYTHONIOENCODING="ascii")
        assert told.returncode == 0 and told.stdout.isascii(), told.stderr


def test_a_full_disk_below_standard_output_is_told(tmp_path):
    with open("/dev/full", "w") as full:
        words = [sys.executable, "-m", "experiments.list"]
        refused = subprocess.run(words, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1
    assert "standard output" in refused.stderr and "no space left on device" in refused.stderr


def test_devices_that_are_not_there_are_one_sentence(tmp_path):
    words = ["experiments.launch", "--tasks=trimodal", f"--workdir={tmp_path / 'work'}"]
    refused = shell(tmp_path, *words, JAX_PLATFORMS="no_such_platform")
    assert refused.returncode == 2 and "JAX_PLATFORMS=no_such_platform" in refused.stderr
    assert refused.stderr.count("\n") == 1, refused.stderr


@pytest.mark.parametrize(
    "words, told",
    [
        (["launch", "--workdir=~no_such_user/x"], "--workdir=~no_such_user/x"),
        (["report", "--workdir=~no_such_user/x"], "--workdir=~no_such_user/x"),
        (["data", "init", "~no_such_user/x"], "~no_such_user/x"),
    ],
)
def test_a_home_that_is_not_there_is_refused_by_name(tmp_path, words, told):
    refused = shell(tmp_path, f"experiments.{words[0]}", *words[1:])
    assert refused.returncode == 2 and f"error: {told} is not accepted: there is no such home folder" in refused.stderr
    assert refused.stderr.count("\n") == 1, refused.stderr


def test_a_path_of_home_is_in_it(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    values = flags.FlagValues()
    flags.DEFINE_string("workdir", "~/results", "", flag_values=values)
    monkeypatch.setattr(flags, "FLAGS", values)
    assert command.path_of("workdir") == tmp_path / "results"


def test_what_is_no_bad_input_is_not_hidden():
    def broken():
        raise ValueError("a fault of the program")

    with pytest.raises(ValueError, match="a fault of the program"):
        command.guarded(broken)
    assert issubclass(InputError, ValueError), "and yet only InputError becomes a sentence"


def test_the_list_names_everything_that_is_registered(tmp_path):
    listed = json.loads(shell(tmp_path, "experiments.list", "--json").stdout)
    assert listed == json.loads(json.dumps(contents(), default=list))
    assert set(listed) == {"tasks", "fusions", "classical", "encoders", "decoders", "strategies"}
    assert set(listed["tasks"]) == set(TASKS)
    assert listed["fusions"] == {level: list(registry) for level, registry in LEVELS.items()}
    for kind in ("classical", "encoders", "decoders", "strategies"):
        assert listed[kind] and all(isinstance(name, str) for name in listed[kind])


def test_the_list_is_a_table_too(tmp_path):
    table = shell(tmp_path, "experiments.list").stdout
    for name in [*TASKS, *(name for registry in LEVELS.values() for name in registry)]:
        assert name in table


def test_papers_can_be_listed(tmp_path):
    assert "Trusted Multi-View Classification" in shell(tmp_path, "experiments.reproduce", "--paper=list").stdout
