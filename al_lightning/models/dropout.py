"""Dropout that costs less on a CPU."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LEVELS = 256  # values of a byte


class ByteDropout(nn.Dropout):
    """Dropout (Srivastava et al. 2014) whose masks are drawn a byte an element.

    torch draws a floating-point number for each element, which took a tenth of a training step of the
    CNN; eight bytes of one 64-bit draw serve as well wherever the probability is a multiple of
    1/256, as .25 and .5 are. Elsewhere, and on other devices than the CPU, this is torch's dropout.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Zero elements at random while training, and scale the rest up."""
        dropped = self.p * _LEVELS
        if not self.training or input.device.type != "cpu" or dropped % 1 or self.p in (0.0, 1.0):
            return F.dropout(input, self.p, self.training, self.inplace)
        words = torch.empty(-(-input.numel() // 8), dtype=torch.int64)
        # The full range: random_() alone leaves the sign bit, and so one byte in eight, without chance.
        words.random_(torch.iinfo(torch.int64).min, None)
        kept = words.view(torch.uint8)[: input.numel()] >= int(dropped)
        mask = torch.empty_like(input, requires_grad=False)
        mask.copy_(kept.view(input.shape)).mul_(1 / (1 - self.p))
        return input * mask
