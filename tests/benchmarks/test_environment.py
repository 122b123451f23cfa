"""What is printed beside the figures."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np

from benchmarks import environment as module
from benchmarks.environment import PACKAGES, environment

ROOT = Path(module.__file__).parents[1]
COMMAND = """
import json
from absl import flags
from benchmarks import command
from benchmarks.environment import command_line, flag_values

flags.DEFINE_integer("seeds", 30, "")
flags.DEFINE_string("pair", "tmc", "")
command.run(lambda: print(json.dumps([flag_values(), command_line()])))
"""


def test_environment_is_complete_and_serialisable():
    found = json.loads(json.dumps(environment()))
    assert found["jax"] == jax.__version__ and found["numpy"] == np.__version__
    assert set(PACKAGES) < set(found)
    assert found["cores"] >= 1 and found["memory_bytes"] > 2**28
    assert found["devices"].startswith(f"{jax.device_count()} x ")


def test_a_record_has_every_flag_of_its_command_given_or_not(tmp_path):
    (tmp_path / "speed.py").write_text(COMMAND)
    line = [sys.executable, str(tmp_path / "speed.py"), "--pair=a b"]
    done = subprocess.run(line, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    values, command = json.loads(done.stdout)
    assert values == {"seeds": 30, "pair": "a b"}
    assert command == f"{Path(sys.executable).name} {tmp_path}/speed.py '--pair=a b'"
