"""What a run says of new examples, made ready by the preprocessing that was kept with it.

    mmjax launch --tasks=rosmap --fusions=concat --keep_parameters
    mmjax predict --run=workdir/runs/<run> --inputs=new.npz --output=predictions.csv

--inputs is a folder with a task.yaml as that of the task (its target may be empty), or an npz file: under each
modality's name its raw values, as they are before preprocessing, [n, ...]; `<modality>.present` [n], truth values or
0 and 1, says who has it, `<modality>.lengths` [n] how many steps are valid, `<modality>.rate` the samples a second of
sound. A modality that is not there is absent. New examples are brought to what training found (columns by name, their
types and decimal marks; the rate of sound; size, depth and colours of pictures) or refused; what is cut or unknown is
told. The CSV has a line an example: the decision, and the probability of every class (or the values). Names of classes
that a spreadsheet would take for a formula have an apostrophe before them; numbers are as they are.
The exit code is 2 for bad input.
"""

import json
import warnings

from absl import flags

from benchmarks import command
from mmjax.disk import writing

FLAGS = flags.FLAGS

flags.DEFINE_string("run", None, "Folder of a run that was launched with --keep_parameters.", required=True)
flags.DEFINE_string("inputs", None, "New examples: an npz file, or a folder with a task.yaml.", required=True)
flags.DEFINE_string("output", "predictions.csv", "Where the CSV goes.")


def main() -> int:
    """Reads the run and the examples, and writes what the one says of the others."""
    output = command.path_of("output")
    command.check_writable(output)
    from benchmarks.escaping import without_formulas  # imports JAX, as the others do
    from experiments.new_examples import NewExamplesWarning, read_new_examples, tell_of_classes
    from experiments.trained_run import read_run

    warnings.simplefilter("always", NewExamplesWarning)
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    run, inputs = read_run(command.path_of("run")), command.path_of("inputs")
    columns = read_new_examples(inputs, run.kept.preprocessing)
    tell_of_classes(inputs, run.kept.class_names)
    frame = run.predict(columns)
    with writing(output):
        partial = output.with_name(output.name + ".partial")
        without_formulas(frame).to_csv(partial, index_label="row")
        partial.replace(output)
    print(f"wrote {len(frame):,} predictions of {json.dumps(run.title)} to {FLAGS.output}")
    return 0


if __name__ == "__main__":
    command.run(main)
