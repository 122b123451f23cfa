"""The machine and the versions beside every figure."""

import functools
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy", "scikit-learn")


def environment() -> dict[str, str | int]:
    """What a reader needs to judge a time or to repeat a run; a pure look, nothing is changed.

    Returns:
      `versions` and `hardware`, and the commit of this code ("-modified" if files differ from it), where there is one.
    """
    found = versions() | hardware()
    if commit := commit_of_code():
        found["commit"] = commit
    return found


def versions() -> dict[str, str]:
    """Of Python and of the packages that results depend on."""
    return {
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in PACKAGES},
    }


def hardware() -> dict[str, str | int]:
    """Operating system, processor, cores that this process may use, memory in bytes, and the devices that JAX sees."""
    import jax

    devices = jax.devices()
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "devices": f"{len(devices)} x {devices[0].device_kind}",
    }


def flag_values() -> dict[str, object]:
    """Every flag of the command that runs, with its default where it was not given; absl's own are left out."""
    from absl import flags

    flags_of_command = flags.FLAGS.get_key_flags_for_module(sys.modules["__main__"])
    return {flag.name: flag.value for flag in flags_of_command}


def command_line() -> str:
    """The command that runs, as a shell would take it."""
    program, *arguments = sys.orig_argv
    return shlex.join([Path(program).name, *arguments])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


@functools.cache
def commit_of_code() -> str | None:
    """The commit of this code as it was when first asked for, or None where there is none."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("-modified" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
