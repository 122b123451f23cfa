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
    from mmjax.errors import InputError

    if len(arguments) != 2 or arguments[0] not in ACTIONS:
        raise InputError(f"{' '.join(arguments)!r} is not accepted: give {', '.join(ACTIONS)}, and a folder or task")
    action, name = arguments
    if action == "init":
        return _init(command.expanded(name, name))
    task, problems = _understood(name)
    for problem in problems:
        command.complain(problem)
    if task is None:
        return command.BAD_INPUT
    data_tables.print_task(task) if action == "check" else data_tables.print_report(task)
    return 0


def _init(folder: Path) -> int:
    """Writes a draft, and what it leaves open, or `check` says of it, below it and on the terminal."""
    from mmjax.data.folder.draft import add_questions, write_draft

    path, draft = write_draft(folder, FLAGS.force)
    problems = _understood(str(path))[1] if draft.complete else []
    if problems:
        add_questions(path, problems)
    print(f"wrote {path}")
    for kind, sentences in (("note", draft.notes), ("open", (*draft.questions, *problems))):
        for sentence in sentences:
            print(f"{kind}: {sentence}")
    return 0


def _understood(name: str):
    """The task and no problems, or None and the first of them."""
    from mmjax.data import load_task
    from mmjax.data.folder.task import is_folder, problems_of
    from mmjax.errors import InputError

    problems = problems_of(name) if is_folder(name) else []
    if problems:
        return None, problems
    try:
        return load_task(name, data_dir=FLAGS.data_dir), []
    except InputError as error:
        if FLAGS.debug:
            raise
        return None, [str(error)]


if __name__ == "__main__":
    app.run(lambda argv: sys.exit(command.guarded(lambda: main(argv[1:]))), flags_parser=command.parse_with_arguments)
