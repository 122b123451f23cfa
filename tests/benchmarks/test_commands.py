"""The commands as a shell sees them: help, and bad input in one sentence with exit code 2."""

import subprocess
import sys

import pytest


def run(module, *arguments):
    return subprocess.run([sys.executable, "-m", f"benchmarks.{module}", *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("module", ["throughput", "compare", "kills"])
def test_help(module):
    result = run(module, "--help")
    assert result.returncode == 0 and "--output" in result.stdout


@pytest.mark.parametrize(
    ("module", "argument", "said"),
    [
        ("throughput", "--tasks=trimodel", "did you mean 'trimodal'"),
        ("throughput", "--seeds=none", "seeds"),
        ("throughput", f"--output={__file__}/out.json", "out.json cannot be written"),
        ("throughput", "trimodal", "give flags"),
        ("compare", "--pair=tcm", "did you mean 'tmc'"),
        ("kills", "--kills=0", "kills=0"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(module, argument, said, tmp_path):
    output = () if argument.startswith("--output") else (f"--output={tmp_path / 'out.json'}",)
    result = run(module, argument, *output)
    assert result.returncode == 2
    assert said in result.stderr and "Traceback" not in result.stderr
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
