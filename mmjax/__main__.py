"""The project's commands under one name: `mmjax launch`, or `python -m mmjax launch`.

The one file here that reaches up to `experiments` and `benchmarks`, and only once a command is chosen.
"""

from __future__ import annotations

import sys

try:
    import importlib.util
    import runpy
    from collections.abc import Sequence
    from pathlib import Path

    import mmjax
    from mmjax.errors import unknown_name
except KeyboardInterrupt:  # in the first moments, before any command could take it
    print("interrupted", file=sys.stderr)
    sys.exit(130)  # as `benchmarks.signals.INTERRUPTED`, which is not imported yet

COMMANDS = {
    "launch": ("experiments.launch", "train every pair (task, fusion) under one protocol and print the table"),
    "report": ("experiments.report", "write the tables and the report of a workdir again, from its results alone"),
    "list": ("experiments.list", "print what exists: tasks, fusions by level, encoders, decoders, strategies"),
    "data": ("experiments.data", "look at the data of a task, or draft a task.yaml for a folder"),
    "predict": ("experiments.predict", "what a run that was kept with its parameters says of new examples"),
    "reproduce": ("experiments.reproduce", "run a published protocol again and put our figure beside it"),
    "throughput": ("benchmarks.throughput", "how fast every cell trains and predicts, and what it costs"),
    "compare": ("benchmarks.compare", "ours and a peer at the same work, in turns on the same machine"),
}


def main() -> int:
    """Runs the command that comes first on the command line; the flags after it are its own.

    Returns:
      The exit code: 0 for help, 2 for an unknown command, 130 after Ctrl-C. A command that runs ends the process
      with its own.
    """
    try:
        return _run()
    except KeyboardInterrupt:  # before the command takes it
        print("interrupted", file=sys.stderr)
        return 130


def _run() -> int:
    name, *arguments = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h", "help"):
        print(_help())
        return 0
    if name == "--version":
        print(f"mmjax {mmjax.__version__}")
        return 0
    if name not in COMMANDS:
        print(f"error: {unknown_name('command', name, COMMANDS)}; mmjax --help tells of each", file=sys.stderr)
        return 2
    load_beside(("experiments", "benchmarks"))
    sys.argv[1:] = arguments
    runpy.run_module(COMMANDS[name][0], run_name="__main__", alter_sys=True)
    return 0


def load_beside(packages: Sequence[str]):
    """Imports packages from beside this one, whatever else the working directory or the path has of their names."""
    for package in packages:
        folder = Path(mmjax.__file__).resolve().parents[1] / package
        spec = importlib.util.spec_from_file_location(
            package, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[package])


def _help() -> str:
    widest = max(map(len, COMMANDS))
    commands = "\n".join(f"  mmjax {name:{widest}}  {what}" for name, (_, what) in COMMANDS.items())
    return (
        "mmjax: given several modalities and a budget, which way of fusing them wins, by how much, at what speed?\n\n"
        f"{commands}\n\nmmjax <command> --help tells the flags of each; mmjax --version tells the version."
    )


if __name__ == "__main__":
    sys.exit(main())
