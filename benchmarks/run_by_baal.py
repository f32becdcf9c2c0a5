"""The same with baal's ActiveLearningLoop and ModelWrapper (`pip install .[bench]`)."""

import numpy as np
import torch
from baal.active import ActiveLearningDataset, ActiveLearningLoop
from baal.active.heuristics import Entropy
from baal.modelwrapper import ModelWrapper, TrainingArgs
from run_task import BATCH, EPOCHS, LR, QUERY, TOTAL, Task, main, network
from torch import nn
from torch.utils.data import TensorDataset


def run(task: Task, precision: str) -> list[float]:  # noqa: ARG001 - baal computes in float32
    """Return the test accuracy of each round."""
    pool = ActiveLearningDataset(TensorDataset(task.images, task.labels))
    pool.label(task.initial.tolist())
    test = TensorDataset(task.test_images, task.test_labels)
    accuracies = []
    while True:
        model = network(task.seed)
        wrapper = ModelWrapper(
            model,
            TrainingArgs(
                optimizer=torch.optim.Adam(model.parameters(), lr=LR),
                criterion=nn.CrossEntropyLoss(),
                batch_size=BATCH,
                epoch=EPOCHS,
                use_cuda=False,
                workers=0,  # the default of 4 is slower here: the images are in memory
                replicate_in_memory=False,
            ),
        )
        wrapper.train_on_dataset(pool)
        outputs = wrapper.predict_on_dataset(test, iterations=1, verbose=False)
        predicted = outputs[..., 0].argmax(1)
        accuracies.append(float(np.mean(predicted == task.test_labels.numpy())))
        if len(pool) >= TOTAL:
            return accuracies
        # baal's Entropy normalises logits itself.
        loop = ActiveLearningLoop(
            pool,
            wrapper.predict_on_dataset,
            heuristic=Entropy(),
            query_size=QUERY,
            iterations=1,
            verbose=False,
        )
        loop.step()


if __name__ == "__main__":
    main(run)
