"""`leaves100` under the project's protocols."""

from mmjax.data.multiview import multiview_recipe
from mmjax.data.sources import Source

REPOSITORY = "https://github.com/ChuanbinZhang/Multi-view-datasets"
COMMIT = "03ead31e6538322e4e0701c3c28a01595c1a015d"
FILE = "100Leaves.mat"


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.leaves100.leaves100_dataset_builder import Builder

    return Builder(data_dir=data_dir)


RECIPE = multiview_recipe(
    name="leaves100",
    views={"view0": 64, "view1": 64, "view2": 64},
    classes=100,
    labels="y",
    source=Source(
        "leaves100",
        FILE,
        f"https://raw.githubusercontent.com/ChuanbinZhang/Multi-view-datasets/{COMMIT}/{FILE}",
        REPOSITORY,
    ),
    make_builder=make_builder,
    summary="species of a leaf from its shape, margin and texture; UCI one-hundred plant species",
    homepage=REPOSITORY,
)
