import torch
from torch import Tensor, nn

from al_lightning.models.offered import Stemmed, for_evaluation, for_sampling


class Offering(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quick, self.divided = nn.Identity(), nn.Identity()

    def for_evaluation(self) -> nn.Module:
        return self.quick

    def for_sampling(self) -> nn.Module:
        return self.divided


def test_what_a_classifier_offers_is_used_and_else_itself() -> None:
    offering, plain = Offering(), nn.Identity()
    assert for_evaluation(offering) is offering.quick
    assert for_sampling(offering) is offering.divided
    assert for_evaluation(plain) is for_sampling(plain) is plain


def test_a_stem_comes_first() -> None:
    class Double(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return 2 * images

    network = Stemmed(Double(), nn.Flatten(), nn.Identity())
    images = torch.rand(2, 1, 2, 3)
    assert torch.equal(network.embed(images), 2 * images.flatten(1))
    assert torch.equal(network(images), 2 * images.flatten(1))
