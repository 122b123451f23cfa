"""`mmjax <command>` finds the project's commands, wherever it is called and whatever lies there."""

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mmjax
from mmjax.__main__ import COMMANDS

ROOT = Path(mmjax.__file__).parents[1]
MODULE = [sys.executable, "-m", "mmjax"]
# As the console script has it, whose folder and not the working directory comes first on the path.
SCRIPT = [sys.executable, "-c", "import sys; from mmjax.__main__ import main; sys.exit(main())"]


@pytest.fixture
def elsewhere(tmp_path):
    """A folder of a user's own, with packages that have the names of the project's."""
    for name in ("experiments", "benchmarks"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('a package of the user, not the project')\n")
    return tmp_path


def run(folder, *arguments, start=MODULE):
    variables = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT), "MMJAX_CACHE_DIR": str(folder / "cache")}
    return subprocess.run([*start, *arguments], cwd=folder, env=variables, capture_output=True, text=True, timeout=300)


def test_help_names_every_command():
    shown = run(ROOT, "--help")
    assert shown.returncode == 0 and shown.stderr == ""
    assert all(f"mmjax {name}" in shown.stdout for name in COMMANDS)
    assert run(ROOT).stdout == shown.stdout and run(ROOT, "--version").stdout == f"mmjax {mmjax.__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_has_help_of_its_own_flags_alone(name, elsewhere):
    (elsewhere / "jax.py").write_text("raise ImportError('help must not wait for JAX')\n")
    shown = run(elsewhere, name, "--help")
    assert shown.returncode == 0 and shown.stderr == "" and f"mmjax {name}" in shown.stdout
    flags = {"launch": "--[no]multihost", "predict": "--inputs", "compare": "--pair", "report": "--launch"}
    assert [other for other, flag in flags.items() if flag in shown.stdout] == ([name] if name in flags else [])


def test_an_unknown_command_is_refused_with_the_nearest():
    refused = run(ROOT, "lanch", "--tasks=trimodal")
    assert refused.returncode == 2 and refused.stdout == "" and "did you mean 'launch'" in refused.stderr
    assert refused.stderr.startswith("error: ") and refused.stderr.count("\n") == 1


@pytest.mark.parametrize("start", [MODULE, SCRIPT], ids=["module", "script"])
def test_a_users_own_packages_are_not_taken_for_the_projects(start, elsewhere):
    listed = run(elsewhere, "list", "--json", start=start)
    assert listed.returncode == 0 and '"trimodal"' in listed.stdout, listed.stderr
    refused = run(elsewhere, "launch", "--tasks=trimodel", start=start)
    assert refused.returncode == 2 and "did you mean 'trimodal'" in refused.stderr and "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["launch", "--fusoins=concat"], "fusoins"),
        (["throughput", "--tasks=trimodel"], "did you mean 'trimodal'"),
        (["report", "--workdir=nowhere"], "--workdir=nowhere has no launch to report"),
    ],
)
def test_bad_input_of_a_command_is_one_sentence_and_exit_code_2(arguments, said, tmp_path):
    refused = run(tmp_path, *arguments)
    assert refused.returncode == 2 and said in refused.stderr
    assert refused.stderr.startswith("error: ") and refused.stderr.count("\n") == 1


def test_the_console_script_is_declared():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert config["options.entry_points"]["console_scripts"].split() == ["mmjax", "=", "mmjax.__main__:main"]
