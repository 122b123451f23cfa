"""The commands as a shell sees them: help, and bad input in one sentence with exit code 2."""

import subprocess
import sys

import pytest


def run(module, *arguments):
    return subprocess.run([sys.executable, "-m", f"benchmarks.{module}", *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("module", ["throughput", "compare", "kills", "equalities", "precision", "data_speed"])
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
        ("equalities", "--strategy=ogm_gee", "did you mean 'ogm_ge'"),
        ("precision", "--fusions=cocnat", "did you mean 'concat'"),
        ("data_speed", "--tasks=ful", "did you mean 'full'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(module, argument, said, tmp_path):
    output = () if argument.startswith("--output") else (f"--output={tmp_path / 'out.json'}",)
    result = run(module, argument, *output)
    assert result.returncode == 2
    assert said in result.stderr and "Traceback" not in result.stderr
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_what_may_not_matter_does_not(tmp_path):
    assert run("equalities", "--seeds=2", f"--output={tmp_path / 'out.json'}").returncode == 0


@pytest.mark.slow
def test_bfloat16_stands_beside_float32(tmp_path):
    result = run("precision", "--fusions=concat", "--seeds=2", "--epochs=1", f"--output={tmp_path / 'out.json'}")
    assert result.returncode == 0 and "difference" in result.stdout
