"""`stocknet` and `stocknet/words`: which way a stock moves."""

from mmjax.data.dataset import Array, Dataset, Label, Layout, Text
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.stocknet import upstream
from mmjax.data.stocknet.raw import DAYS, DIRECTIONS, DOCUMENT_DAYS, PRICES, REPOSITORY, SOURCES, read
from mmjax.data.transforms.tabular import Scale
from mmjax.data.transforms.text import Clean, Tokens

MOVES = ("down", "up")
PRICE = Modality("sequence", ("price",), (Scale(clip=10.0),))


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.stocknet.stocknet_dataset_builder import Builder

    return Builder(data_dir=data_dir)


RECIPE = Recipe(
    dataset=Dataset(
        name="stocknet",
        version="1.0.0",
        features={
            "price": Array((DAYS, PRICES), doc="of the trading days before, the oldest first"),
            "documents": Array(
                (DOCUMENT_DAYS, DIRECTIONS), doc="of the days before that have tweets, the oldest first"
            ),
            "documents_length": Array((), "int32"),
            "has_text": Array((), "bool"),
            "text": Text(doc="the tweets of the five days before"),
            "stock": Text(),
            "date": Text(),
            "label": Label(MOVES),
        },
        layouts=(Layout(SOURCES, read), Layout(upstream.SOURCES, upstream.read_upstream)),
        homepage=REPOSITORY,
    ),
    make_builder=make_builder,
    variants={
        "": Variant(
            summary="which way a stock moves, from ten days of prices and five of tweets (vectors a day); StockNet",
            modalities={
                "price": PRICE,
                "text": Modality(
                    "sequence", ("documents",), (Scale(),), present="has_text", lengths="documents_length"
                ),
            },
            target=Target("binary", "label", MOVES),
            tags=("full",),
        ),
        "words": Variant(
            summary="the same from the tweets' own words",
            modalities={
                "price": PRICE,
                "text": Modality("tokens", ("text",), (Clean(), Tokens(length=64, keep="last")), present="has_text"),
            },
            target=Target("binary", "label", MOVES),
        ),
    },
    source="StockNet (Xu and Cohen 2018)",
    tags=("finance",),
    protocols=("official",),
)
