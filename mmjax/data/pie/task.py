"""`pie` under the project's protocols."""

from mmjax.data.multiview import multiview_recipe
from mmjax.data.sources import Source

REPOSITORY = "https://github.com/jiajunsi/RCML"
COMMIT = "c9c5ab41e6fe62a85e5f6441a4dc7b568e1fa421"
FILE = "PIE_face_10.mat"


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.pie.pie_dataset_builder import Builder

    return Builder(data_dir=data_dir)


RECIPE = multiview_recipe(
    name="pie",
    views={"intensity": 484, "lbp": 256, "gabor": 279},
    classes=68,
    labels="gt",
    source=Source("pie", FILE, f"https://raw.githubusercontent.com/jiajunsi/RCML/{COMMIT}/data/{FILE}", REPOSITORY),
    make_builder=make_builder,
    summary="whose face it is, from intensity, LBP and Gabor features; a part of CMU-PIE",
    homepage=REPOSITORY,
)
