"""Every default of the project, in one place, checked when built.

`Config` holds what a cell needs beyond (task, fusion, strategy). `config_for(task)` is the
default of a task: `Config` with that task's line of PRESETS laid over it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from mmjax.errors import InputError, unknown_name

ENCODERS = {  # by kind of modality
    "image": "cnn", "tokens": "lstm", "sequence": "gru", "vector": "mlp", "video": "video", "points": "pointnet",
    "waveform": "log_mel",
}  # fmt: skip


MOST_SEEDS = 10_000  # of a cell; those of trials of --tune come after
MOST_EPOCHS = 1_000_000  # so that 2,000 steps of each are counted in int32
MOST_LAYERS = 1_000  # that a model builds one after the other
MOST = 2**31 - 1  # of any whole number, which devices take as int32


@dataclasses.dataclass(frozen=True)
class Config:
    """Hyper-parameters of a cell."""

    # Encoders f_i
    encoders: Mapping[str, str] = dataclasses.field(default_factory=dict)  # by modality's name or kind, over ENCODERS
    width: int = 64  # d of a pooled embedding h_i, and of F
    encoder_layers: int = (
        2  # of an mlp, pointnet or recurrent encoder; blocks of tcn, transformer, and of each resnet stage
    )
    channels: int = 32  # filters of a cnn's convolution and of resnet's first stage
    cnn_pool: int = 2  # max-pool after a cnn's convolution; 1 leaves it out
    cnn_dense: bool = True  # project a cnn's flattened map to `width`; False hands over the map itself
    token_size: int = 128  # width of a token's embedding
    bidirectional: bool = False  # recurrent encoders read both ways
    patch: int = 4  # side of the patches, in pixels, that a transformer reads an image in
    frame_seconds: float = 0.064  # of log_mel's frames
    hop_seconds: float = 0.032  # from one frame's start to the next's
    mel_bands: int = 32  # of log_mel
    dropout: float = 0.0  # after every hidden layer, in [0, 1)

    # Fusion g
    rank: int = 4  # of low_rank_tensor, and of the core of mutan and block
    chunks: int = 4  # of block; divides `width`
    factors: int = 4  # products that mfb and mfh add up to one output
    cascades: int = 2  # of mfh
    sketch_size: int = 1024  # numbers that mcb sketches an outer product to
    tensor_limit: int = 16384  # entries of tensor's outer product; embeddings are narrowed until it fits
    widest: int = 128  # multiplicative narrows wider embeddings to this
    set_pool: str = "mean"  # of deep_sets: mean or max
    heads: int = 4  # of every attention; divides `width` where there is any
    fusion_layers: int = 2  # blocks, one after the other, of a model-level transformer
    bottleneck_tokens: int = 4  # B of bottleneck
    fusion_layer: int = 1  # L_f of bottleneck: the first block that sees Z
    latents: int = 8  # of perceiver, at least 2
    latent_layers: int = 1  # blocks on the latents alone, a round of perceiver
    perceiver_rounds: int = 2  # how often perceiver's latents read all tokens
    memory_size: int = 64  # of memory's u, and of its networks' hidden layer
    squeeze: int = 4  # mmtm's joint embedding is the channels' sum over this
    experts: int = 4  # of mixture_of_experts
    active_experts: int = 2  # experts that an example is given to
    load_balance: float = 0.01  # weight of the loss that keeps all experts busy
    temperature: float = 1.0  # tau of entropy, in nats
    conflict_weight: float = 1.0  # gamma of evidential_average

    # Decoder h
    decoder: str = "dense"  # dense, mlp, cnn or rnn

    # Loss
    kl_epochs: int = 50  # T of the evidential loss: the KL term's weight is min(1, epoch / T)
    auxiliary_weight: float = 1.0  # lambda_i of every modality's own loss, where a fusion or `auxiliary` has one

    # Strategy
    modality_dropout: float = 0.3  # share of the modalities that modality_dropout leaves out, in [0, 1)
    pareto_gamma: float = 1.5  # of mmpareto: how much longer an encoder's gradient is made
    prototype_weight: float = 1.0  # alpha of pmr: of the modalities that lag
    prototype_momentum: float = 0.2  # of pmr: what a prototype keeps from epoch to epoch, in [0, 1)
    prototype_entropy: float = 0.1  # mu of pmr: of the modalities that lead
    prototype_entropy_epochs: int = 10  # of pmr: how many, the first with prototypes, have the entropy term
    ogm_alpha: float = 0.3  # of ogm and ogm_ge: how much the modality that is ahead is slowed down
    agm_alpha: float = 1.0  # of agm: how strongly gradients follow the scores; the authors use 1 to 4
    # Width that contrastive and cca align projections of; cca's is (batch_size - 1) / 4 at most.
    alignment_size: int = 16
    contrastive_weight: float = 0.1  # of contrastive's InfoNCE
    cca_weight: float = 0.1  # of cca's total correlation
    cca_ridge: float = 1e-3  # r, what cca adds to every variance
    reconstruction_weight: float = 0.1  # of the errors in reconstruction's inputs
    kl_weight: float = 1e-3  # of the divergence of reconstruction's code from its prior, above 0
    information_weight: float = 1e-3  # lambda of functional_entropy

    # Optimisation
    epochs: int = 20  # at most; of each stage, for `staged`
    fine_tune_epochs: int = 0  # of joint training after the last stage of `staged`
    batch_size: int = 32  # over all devices
    optimizer: str = "adam"  # adam, adamw or sgd (momentum 0.9)
    learning_rate: float = 1e-3  # at its highest
    schedule: str = "constant"  # constant or cosine (to 0)
    warmup_epochs: int = 0  # linear rise from 0, before the schedule
    weight_decay: float = 0.0  # adam: added to the gradient (L2); adamw, sgd: decoupled
    accumulate: int = 1  # parts that a batch is taken in, one after the other, for one update
    held_out: float = 0.1  # share of the training split that gradient_blend measures generalisation on
    clip_norm: float = 0.0  # highest global norm of a gradient; 0 does not clip
    augment: str = ""  # in training: some of crop, flip, colour (images, videos) and mask (sequences), as "crop,flip"
    precision: str = "float32"  # of activations: float32 or bfloat16; parameters stay float32

    # Choice of the epoch, on validation
    evaluate_every: int = 1  # epochs between evaluations
    patience: int = 0  # evaluations without a better one before a seed stops; 0 never stops
    selection: str = "metric"  # metric (accuracy, or error), loss, or last (no choice)
    evaluation_batch_size: int = 500  # examples at once in evaluation

    def __post_init__(self):
        object.__setattr__(self, "encoders", {**ENCODERS, **self.encoders})
        for name in ("width", "encoder_layers", "channels", "cnn_pool", "token_size", "patch", "mel_bands", "rank",
                     "chunks", "factors", "cascades", "sketch_size", "tensor_limit", "widest", "experts",
                     "active_experts", "heads", "fusion_layers", "latent_layers", "perceiver_rounds", "memory_size",
                     "bottleneck_tokens", "squeeze", "kl_epochs", "epochs", "batch_size", "accumulate",
                     "evaluate_every", "evaluation_batch_size", "alignment_size"):  # fmt: skip
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in ("fusion_layer", "fine_tune_epochs", "warmup_epochs", "weight_decay", "clip_norm", "patience",
                     "auxiliary_weight", "load_balance", "conflict_weight", "prototype_weight", "prototype_entropy",
                     "prototype_entropy_epochs", "ogm_alpha", "agm_alpha", "contrastive_weight", "cca_weight",
                     "reconstruction_weight", "information_weight"):  # fmt: skip
            self._require(name, getattr(self, name) >= 0, "at least 0")
        for name in ("encoder_layers", "fusion_layers", "latent_layers", "perceiver_rounds", "factors", "cascades",
                     "experts"):  # fmt: skip
            self._require(name, getattr(self, name) <= MOST_LAYERS, f"at most {MOST_LAYERS:,}")
        for name in ("epochs", "fine_tune_epochs", "warmup_epochs"):
            self._require(name, getattr(self, name) <= MOST_EPOCHS, f"at most {MOST_EPOCHS:,}")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            self._require(field.name, not isinstance(value, int) or value <= MOST, f"at most {MOST:,}")
            self._require(field.name, not isinstance(value, float) or math.isfinite(value), "a finite number")
        for name in ("dropout", "modality_dropout", "prototype_momentum"):
            self._require(name, 0 <= getattr(self, name) < 1, "in [0, 1)")
        self._require("held_out", 0 < self.held_out < 1, "in (0, 1)")
        self._require("learning_rate", self.learning_rate > 0, "above 0")
        for name in ("frame_seconds", "hop_seconds", "cca_ridge", "kl_weight"):
            self._require(name, getattr(self, name) > 0, "above 0")
        self._require("pareto_gamma", self.pareto_gamma > 0, "above 0")
        self._require("temperature", self.temperature > 0, "above 0")
        self._require(
            "fusion_layer", self.fusion_layer <= self.fusion_layers, f"at most fusion_layers ({self.fusion_layers})"
        )
        self._require("latents", self.latents >= 2, "at least 2, since they attend to each other")
        self._require("active_experts", self.active_experts <= self.experts, f"at most experts ({self.experts})")
        wrong = [name for name in self.augment.split(",") if name and name not in AUGMENTATIONS]
        self._require("augment", not wrong, f"some of {', '.join(AUGMENTATIONS)}, joined by commas")
        for name, accepted in CHOICES.items():
            self._require(name, getattr(self, name) in accepted, "one of " + ", ".join(accepted))

    def _require(self, name: str, holds: bool, accepted: str):
        if not holds:
            raise InputError(f"config.{name} = {getattr(self, name)!r} is not accepted: give {accepted}")

    def encoder_of(self, name: str, kind: str) -> str:
        """The encoder's name for a modality: by its name, unless that is another kind's, else by its kind."""
        own = name in self.encoders and name not in ENCODERS
        return self.encoders[name if own else kind]

    def to_dict(self) -> dict:
        """Plain values, as JSON takes them."""
        return {
            f.name: dict(v) if isinstance(v := getattr(self, f.name), Mapping) else v for f in dataclasses.fields(self)
        }

    def replace(self, **changes) -> Config:
        """This config with some fields changed, each checked and of the default's type.

        `encoders` is merged: `replace(encoders={"image": "lenet"})` leaves the others.

        Raises:
          InputError: for an unknown field, or a value that is not accepted.
        """
        fields = {f.name: type(getattr(self, f.name)) for f in dataclasses.fields(self)}
        for name, value in changes.items():
            if name not in fields:
                raise unknown_name("config field", name, fields)
            if name == "encoders":
                changes[name] = {**self.encoders, **_as_names(value)}
            else:
                changes[name] = _as_type(name, value, fields[name])
        return dataclasses.replace(self, **changes)


AUGMENTATIONS = ("crop", "flip", "colour", "mask")
CHOICES = {
    "optimizer": ("adam", "adamw", "sgd"),
    "schedule": ("constant", "cosine"),
    "precision": ("float32", "bfloat16"),
    "selection": ("metric", "loss", "last"),
    "set_pool": ("mean", "max"),
}

DEFAULTS = Config()

# The worked example of the founding article: its encoders, batch, optimiser and epochs.
ARTICLE = {
    "cnn_pool": 1,
    "cnn_dense": False,
    "epochs": 10,
    "batch_size": 32,
    "learning_rate": 1e-3,
    "encoder_layers": 1,
}

# Feature vectors of few examples: on the dozens that validation has, the best epoch is one of luck, so the last counts.
# Without a rise to it, a step this long loses models of attention for good.
FEW_EXAMPLES = {
    "encoder_layers": 1,
    "epochs": 40,
    "batch_size": 32,
    "learning_rate": 3e-3,
    "schedule": "cosine",
    "warmup_epochs": 5,
    "selection": "last",
    "evaluate_every": 5,
}

PRESETS = {
    "trimodal": ARTICLE,
    "handwritten": {
        "batch_size": 200,
        "epochs": 30,
        "learning_rate": 3e-3,
        "schedule": "cosine",
        "weight_decay": 1e-5,
    },
    "pie": FEW_EXAMPLES | {"encoders": {"vector": "linear"}, "width": 128, "batch_size": 16, "epochs": 100},
    "leaves100": FEW_EXAMPLES | {"width": 128, "dropout": 0.5, "epochs": 60},
    "msrcv1": FEW_EXAMPLES | {"encoders": {"vector": "linear"}, "width": 128, "epochs": 100},
    "rosmap": FEW_EXAMPLES | {"dropout": 0.5, "optimizer": "adamw", "weight_decay": 0.1},
    "student": FEW_EXAMPLES | {"encoder_layers": 2, "dropout": 0.5, "optimizer": "adamw", "weight_decay": 0.5},
    "xapi": FEW_EXAMPLES
    | {
        "width": 128,
        "dropout": 0.7,
        "optimizer": "adamw",
        "weight_decay": 0.1,
        "epochs": 60,
        "learning_rate": 1e-3,
    },
    # Thousands of vectors: two layers pay, and a cosine.
    "scene15": {
        "width": 256,
        "dropout": 0.5,
        "batch_size": 100,
        "epochs": 60,
        "learning_rate": 3e-3,
        "schedule": "cosine",
    },
    # X-rays and tweets' pictures, few and hard to tell from: small encoders that are mostly dropped.
    "covid_cxr": {"encoder_layers": 1, "dropout": 0.5},
    "mvsa_single": {"encoder_layers": 1, "dropout": 0.5, "epochs": 5},
    # Validation cannot choose: features were made from its labels too (the card says so).
    "mosi": {"encoder_layers": 1, "dropout": 0.3, "epochs": 10, "selection": "last", "evaluate_every": 5},
    "stocknet": {"epochs": 5},
    "maec": {
        "width": 16,
        "encoder_layers": 1,
        "dropout": 0.5,
        "optimizer": "adamw",
        "weight_decay": 0.3,
        "epochs": 30,
        "selection": "loss",
    },
    # 324 sequences of 27 actions, brought to one length, read as pictures of time.
    "utd_mhad": {
        "encoders": {"sequence": "lenet", "inertial": "cnn"},
        "dropout": 0.5,
        "batch_size": 16,
        "epochs": 60,
        "schedule": "cosine",
        "selection": "last",
        "evaluate_every": 10,
    },
    # Sixteen steps that hardly change: a flat layer reads them as well as a recurrence, and overfits less.
    "jaad_crossing": {"encoders": {"sequence": "mlp"}, "dropout": 0.5, "epochs": 10},
    "synthetic": {
        "encoders": {"tokens": "gru"},
        "width": 32,
        "encoder_layers": 1,
        "channels": 8,
        "token_size": 16,
        "batch_size": 100,
        "epochs": 20,
        "learning_rate": 3e-3,
        "schedule": "cosine",
    },
    "avdigits": {
        "encoders": {"image": "lenet", "audio": "lenet"},
        "batch_size": 128,
        "epochs": 2,
        "learning_rate": 3e-3,
        "schedule": "cosine",
    },
}


def config_for(task: str) -> Config:
    """The defaults of a task, named as in `--tasks`; a variant (`avdigits/clean`) shares its base's."""
    return DEFAULTS.replace(**PRESETS.get(task.split("/")[0], {}))


def _as_names(encoders) -> dict[str, str]:
    if not isinstance(encoders, Mapping) or not all(
        isinstance(name, str) for pair in encoders.items() for name in pair
    ):
        raise InputError(f"config.encoders = {encoders!r} is not accepted: give modality or kind -> encoder")
    return dict(encoders)


def _as_type(name: str, value, kind: type):
    """`value` as the default's type; an int serves as a float, nothing else is converted."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise InputError(f"config.{name} = {value!r} is not accepted: give {kind.__name__}")
    return value
