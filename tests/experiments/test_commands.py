"""The commands as a shell sees them: exit code, standard output, one sentence on standard error."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_debug_shows_the_traceback(tmp_path):
    refused = shell(tmp_path, "experiments.launch", "--config=nowhere.py", "--debug")
    assert "Traceback" in refused.stderr and "nowhere.py: there is no such file" in refused.stderr


def test_ctrl_c_has_its_own_exit_code(capsys):
    def interrupted():
        raise KeyboardInterrupt

    assert command.guarded(interrupted) == 130
    assert command.guarded(lambda: None) is None
    assert "interrupted" in capsys.readouterr().err


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
