"""The worked example of "多模态大模型:技术原理与实战": a diagnosis from an image, a text and a recording.

An image of 28x28x1 goes through Conv2D(32, 3x3, ReLU) and is flattened; text and audio, 100 ids each from a vocabulary
of 10,000, go through an embedding of 128 and an LSTM of 64; the three are concatenated into one sigmoid unit. Adam,
binary cross-entropy, 10 epochs, batches of 32, a fifth of the training examples for validation.

Expected on test: 84% fused, 71 to 73% for each modality alone, where 92.8% and 75% are possible; a few minutes on two
CPU cores.

    mmjax launch --config=experiments/configs/article.py
"""


def get_config() -> dict:
    """The article's cell and the networks that it is compared with."""
    return {
        "tasks": ["trimodal"],
        "fusions": ["concat", "unimodal"],
        "strategies": ["joint"],
        "encoders": {"image": "cnn", "tokens": "lstm"},
        "channels": 32,
        "cnn_pool": 1,
        "cnn_dense": False,
        "token_size": 128,
        "width": 64,
        "encoder_layers": 1,
        "decoder": "dense",
        "epochs": 10,
        "batch_size": 32,
        "optimizer": "adam",
        "learning_rate": 1e-3,
    }
