import pytest
import torch

from al_lightning.utils.processor import computes_bfloat16


@pytest.mark.parametrize(
    ("capabilities", "fast"),
    [({}, False), ({"avx2": True}, False), ({"avx512_bf16": True}, True), ({"bf16": True}, True)],
)
def test_units_for_bfloat16_are_found(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], fast: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert computes_bfloat16() is fast


def test_where_torch_cannot_say_none_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not computes_bfloat16()
