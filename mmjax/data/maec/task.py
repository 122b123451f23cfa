"""`maec`: how volatile a stock is after an earnings call, by horizon, as a class or as a number."""

from mmjax.data.dataset import Array, Dataset, Label, Layout, Text
from mmjax.data.maec import upstream
from mmjax.data.maec.raw import ACOUSTIC, DAYS, DIRECTIONS, HORIZONS, PARTS, PRICES, REPOSITORY, SOURCES, read
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.transforms.tabular import Scale
from mmjax.data.transforms.text import Clean, Tokens

HIGH = ("low", "high")
MODALITIES = {
    "audio": Modality("sequence", ("audio",), (Scale(clip=10.0),)),
    "text": Modality("vector", ("text_vector",), (Scale(),)),
    "price": Modality("sequence", ("price",), (Scale(clip=10.0),)),
    "history": Modality("vector", ("past_volatility",), (Scale(),)),
}
WORDS = MODALITIES | {"text": Modality("tokens", ("text",), (Clean(), Tokens(length=512)))}


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.maec.maec_dataset_builder import Builder

    return Builder(data_dir=data_dir)


def _high(days: int) -> Target:
    return Target("binary", f"high_{days}", HIGH)


RECIPE = Recipe(
    dataset=Dataset(
        name="maec",
        version="1.0.0",
        features={
            "audio": Array((PARTS, ACOUSTIC)),
            "text_vector": Array((DIRECTIONS,)),
            "text": Text(),
            "price": Array((DAYS, PRICES), doc="log return and change of log volume, the oldest day first"),
            "past_volatility": Array((len(HORIZONS),), doc="log volatility of the 3, 7, 15 and 30 days before"),
            "ticker": Text(),
            "date": Text(),
        }
        | {f"volatility_{days}": Array(()) for days in HORIZONS}
        | {f"high_{days}": Label(HIGH) for days in HORIZONS},
        layouts=(Layout(SOURCES, read), Layout(upstream.SOURCES, upstream.read_upstream)),
        homepage=REPOSITORY,
    ),
    make_builder=make_builder,
    variants={
        "": Variant(
            "whether a stock is volatile in the 3 days after an earnings call, of sound, text and prices; MAEC",
            MODALITIES,
            _high(3),
            tags=("full",),
        ),
        "words": Variant("the same from the transcript's first 512 words", WORDS, _high(3)),
    }
    | {f"{days}": Variant(f"the same of the {days} days after", MODALITIES, _high(days)) for days in HORIZONS[1:]}
    | {
        f"volatility-{days}": Variant(
            f"log volatility of the {days} days after an earnings call; MAEC",
            MODALITIES,
            Target("regression", f"volatility_{days}"),
        )
        for days in HORIZONS
    },
    source="MAEC (Li et al. 2020) with daily prices; labels made from the prices",
    tags=("finance",),
    protocols=("official",),
)
