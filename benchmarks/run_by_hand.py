"""The loop that somebody writes who knows PyTorch and wants it fast: all tensors in memory.

float32 contiguous, or bf16 autocast with channels-last; nothing is written to a disk.
"""

import torch
import torch.nn.functional as F
from run_task import BATCH, EPOCHS, LR, QUERY, TOTAL, Task, main, network
from torch import Tensor, nn

_EVAL_BATCH = 512


def run(task: Task, precision: str) -> list[float]:
    """Return the test accuracy of each round."""
    layout = torch.channels_last if precision == "bf16" else torch.contiguous_format
    images = task.images.contiguous(memory_format=layout)
    test_images = task.test_images.contiguous(memory_format=layout)
    labeled = torch.zeros(len(images), dtype=torch.bool)
    labeled[task.initial] = True
    accuracies = []
    while True:
        model = network(task.seed).to(memory_format=layout)
        ids = labeled.nonzero().squeeze(1)
        _fit(model, images[ids], task.labels[ids], precision, task.seed)
        predicted = _probabilities(model, test_images, precision).argmax(1)
        accuracies.append(float((predicted == task.test_labels).float().mean()))
        if len(ids) >= TOTAL:
            return accuracies
        pool = (~labeled).nonzero().squeeze(1)
        entropy = torch.special.entr(_probabilities(model, images[pool], precision)).sum(1)
        labeled[pool[entropy.topk(QUERY).indices]] = True


def _fit(model: nn.Module, images: Tensor, labels: Tensor, precision: str, seed: int) -> None:
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, fused=True)
    model.train()
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(images)), BATCH):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                loss = F.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()


@torch.inference_mode()
def _probabilities(model: nn.Module, images: Tensor, precision: str) -> Tensor:
    model.eval()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        return torch.cat(
            [model(part).float().softmax(1) for part in torch.split(images, _EVAL_BATCH)]
        )


if __name__ == "__main__":
    main(run)
