from experiments.grid import STRATEGIES
from experiments.overrides import GRID_FIELDS, read_overrides
from mmjax.config import config_for
from mmjax.fusion import FUSIONS

ARTICLE = "experiments/configs/article.py"


def test_the_article_is_a_config_of_known_fields(pytestconfig):
    values = read_overrides([str(pytestconfig.rootpath / ARTICLE)])
    grid = {name: values.pop(name) for name in GRID_FIELDS if name in values}
    config = config_for("trimodal").replace(**values)
    assert set(grid["strategies"]) <= set(STRATEGIES) and "concat" in grid["fusions"] and "concat" in FUSIONS
    assert (config.epochs, config.batch_size, config.learning_rate, config.optimizer) == (10, 32, 1e-3, "adam")
    assert (config.encoder_of("image", "image"), config.encoder_of("text", "tokens")) == ("cnn", "lstm")
    assert (config.channels, config.cnn_pool, config.cnn_dense, config.token_size, config.width) == (
        32,
        1,
        False,
        128,
        64,
    )
