"""Look at the data of a task before anything is trained on them.

    mmjax data check path/to/folder      # or a task's name
    mmjax data init path/to/folder       # writes a draft of task.yaml; --force writes over one
    mmjax data report handwritten        # what is missing, constant, twice there, or tells too much

`mmjax/data/folder/README.md` says how a folder becomes a task. The exit code is 0, or 2 where something is wrong:
each of the first ten mistakes is a sentence with file and line.
"""

import sys
from pathlib import Path

from absl import app, flags

from benchmarks import command

FLAGS = flags.FLAGS

flags.DEFINE_string("data_dir", None, "Where the tasks' files lie; MMJAX_DATA_DIR otherwise.")
flags.DEFINE_bool("force", False, "Let init write over a task.yaml.")

ACTIONS = ("check", "init", "report")


def main(arguments: list[str]) -> int:
    """One action on one task."""
    from experiments import data_tables
    from mmjax.data import load_task
    from mmjax.data.folder.draft import write_draft
    from mmjax.data.folder.task import is_folder, problems_of
    from mmjax.errors import InputError

    if len(arguments) != 2 or arguments[0] not in ACTIONS:
        raise InputError(f"{' '.join(arguments)!r} is not accepted: give {', '.join(ACTIONS)}, and a folder or task")
    action, name = arguments
    if action == "init":
        print(f"wrote {write_draft(Path(name).expanduser(), FLAGS.force)}")
        return 0
    if is_folder(name) and (problems := problems_of(name)):
        for problem in problems:
            command.complain(problem)
        return command.BAD_INPUT
    task = load_task(name, data_dir=FLAGS.data_dir)
    data_tables.print_task(task) if action == "check" else data_tables.print_report(task)
    return 0


if __name__ == "__main__":
    app.run(lambda argv: sys.exit(command.guarded(lambda: main(argv[1:]))), flags_parser=command.parse_with_arguments)
