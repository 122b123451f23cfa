"""`msrcv1` under the project's protocols."""

from mmjax.data.multiview import multiview_recipe
from mmjax.data.sources import Source

REPOSITORY = "https://github.com/ChuanbinZhang/Multi-view-datasets"
COMMIT = "03ead31e6538322e4e0701c3c28a01595c1a015d"
FILE = "MSRC-v5.mat"


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.msrcv1.msrcv1_dataset_builder import Builder

    return Builder(data_dir=data_dir)


RECIPE = multiview_recipe(
    name="msrcv1",
    views={"color_moment": 24, "hog": 576, "gist": 512, "lbp": 256, "centrist": 254},
    classes=7,
    labels="y",
    source=Source(
        "msrcv1",
        FILE,
        f"https://raw.githubusercontent.com/ChuanbinZhang/Multi-view-datasets/{COMMIT}/{FILE}",
        REPOSITORY,
    ),
    make_builder=make_builder,
    summary="object in a photograph from five sets of features; MSRC-v1",
    homepage=REPOSITORY,
)
