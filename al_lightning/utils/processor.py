"""What the processor computes fast."""

from collections.abc import Mapping

import torch

_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")  # x86, x86 with AMX, ARM


def computes_bfloat16() -> bool:
    """Return whether the processor has units for products of bfloat16 numbers."""
    # torch.cpu.get_capabilities is public from torch 2.11 on; before it, no is the safe answer.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in _BFLOAT16)
