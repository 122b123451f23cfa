"""Transforms by name, as saved preprocessing and task.yaml name them."""

from mmjax.data.transforms.audio import LogMel, Loudest, Mfcc, Resample
from mmjax.data.transforms.image import Channels, Flatten, Grayscale, Normalise, Resize
from mmjax.data.transforms.points import NormalisePoints, VoxelSubsample
from mmjax.data.transforms.series import Centre, Differences, Resteps, Returns, Stretches, Window
from mmjax.data.transforms.tabular import Impute, OneHot, Scale, Table
from mmjax.data.transforms.text import Clean, HashedTerms, TfIdf, Tokens
from mmjax.data.transforms.video import SampleFrames

TRANSFORMS = {
    "Centre": Centre,
    "Channels": Channels,
    "Clean": Clean,
    "Differences": Differences,
    "Flatten": Flatten,
    "Grayscale": Grayscale,
    "HashedTerms": HashedTerms,
    "Impute": Impute,
    "LogMel": LogMel,
    "Loudest": Loudest,
    "Mfcc": Mfcc,
    "Normalise": Normalise,
    "NormalisePoints": NormalisePoints,
    "OneHot": OneHot,
    "Resample": Resample,
    "Resize": Resize,
    "Resteps": Resteps,
    "Returns": Returns,
    "SampleFrames": SampleFrames,
    "Scale": Scale,
    "Stretches": Stretches,
    "Table": Table,
    "TfIdf": TfIdf,
    "Tokens": Tokens,
    "VoxelSubsample": VoxelSubsample,
    "Window": Window,
}
