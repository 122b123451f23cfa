"""`utd_mhad` under the authors' cross-subject protocol."""

from mmjax.data.dataset import Array, Dataset, Label, Layout
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.transforms.image import Channels, Normalise, Resize
from mmjax.data.transforms.series import Centre, Resteps, Stretches
from mmjax.data.transforms.tabular import Scale
from mmjax.data.transforms.video import SampleFrames
from mmjax.data.utd_mhad import raw

HIP = 3  # the joint that skeletons are centred at
STEPS = 40  # of a skeleton, however long the action took
STRETCHES = 12  # of the sensor's time


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.utd_mhad.utd_mhad_dataset_builder import Builder

    return Builder(data_dir=data_dir)


RECIPE = Recipe(
    dataset=Dataset(
        name="utd_mhad",
        version="1.0.0",
        features={
            "depth": Array((raw.FRAMES, raw.HEIGHT, raw.WIDTH), "uint8", doc="units of 16 mm, 0 where nobody is"),
            "skeleton": Array((raw.LONGEST["skeleton"], 3 * raw.JOINTS), doc="millimetres, 30 frames a second"),
            "skeleton_length": Array((), "int32"),
            "inertial": Array((raw.LONGEST["inertial"], raw.SENSORS), doc="g and degrees a second, 50 a second"),
            "inertial_length": Array((), "int32"),
            "person": Array((), "int32"),
            "label": Label(raw.ACTIONS),
        },
        layouts=(Layout(raw.SOURCES, raw.read), Layout(raw.UPSTREAM, raw.read_upstream)),
        homepage=raw.HOMEPAGE,
    ),
    make_builder=make_builder,
    variants={
        "": Variant(
            summary="one of 27 actions from depth frames, a skeleton and a worn sensor; UTD-MHAD, across people",
            modalities={
                "depth": Modality("video", ("depth",), (SampleFrames(8), Channels(), Resize(24, 32), Normalise())),
                "skeleton": Modality(
                    "sequence", ("skeleton",), (Centre(HIP, 0.001), Resteps(STEPS), Scale()), lengths="skeleton_length"
                ),
                "inertial": Modality(
                    "sequence", ("inertial",), (Stretches(STRETCHES), Scale()), lengths="inertial_length"
                ),
            },
            target=Target("multiclass", "label", raw.ACTIONS),
            tags=("full",),
        )
    },
    source="UTD-MHAD (Chen et al. 2015)",
    tags=("driving", "sensing"),
    protocols=("official", "random_80_20"),
    groups="person",
)
