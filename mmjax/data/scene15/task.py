"""`scene15` under the project's protocols."""

from mmjax.data.multiview import multiview_recipe
from mmjax.data.sources import Source

REPOSITORY = "https://github.com/jiajunsi/RCML"
COMMIT = "c9c5ab41e6fe62a85e5f6441a4dc7b568e1fa421"
FILE = "scene15_mtv.mat"


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.scene15.scene15_dataset_builder import Builder

    return Builder(data_dir=data_dir)


RECIPE = multiview_recipe(
    name="scene15",
    views={"gist": 20, "phog": 59, "lbp": 40},  # the names are the papers'; the file has none
    classes=15,
    labels="gt",
    source=Source(
        folder="scene15",
        file=FILE,
        url=f"https://raw.githubusercontent.com/jiajunsi/RCML/{COMMIT}/data/{FILE}",
        origin=f"{REPOSITORY} (data)",
    ),
    make_builder=make_builder,
    summary="kind of scene from GIST, PHOG and LBP features of a photograph; Scene-15",
    homepage=REPOSITORY,
)
