"""What the tests of fusions that join stages share."""

import numpy as np


def stages_of(model, variables, batch):
    """Modality -> [h^0, ..., h]: each stage of its encoder averaged over valid steps, and last the pooled embedding."""
    bound, stages = model.bind(variables), {}
    for name, encoder in bound.encoders.items():
        features, stages[name] = encoder.start(*bound._inputs(batch, name)), []
        for index in range(encoder.stages):
            features = encoder.stage(index, features, False)
            values = np.asarray(features.values)
            if values.ndim == 3:
                mask = np.asarray(features.mask)[..., None]
                values = (values * mask).sum(1) / mask.sum(1)
            stages[name].append(values)
        stages[name].append(np.asarray(encoder.finish(features, False).pooled))
    return stages
