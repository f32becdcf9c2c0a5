import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning import Budget, ImageData, PoolDataModule
from al_lightning.loop.group_draw import check_groups, draw_groups
from al_lightning.run.pool import Pool
from al_lightning.utils.errors import UsageError
from tests.helpers import TinySource
from tests.loop.test_loop import make_loop
from tests.loop.test_loop_person import PartlyLabeled, Person, all_of_it, run_until_done

PER_GROUP = 4


def test_whole_groups_are_drawn() -> None:
    ids, groups = torch.arange(60), torch.arange(60) // 5
    drawn = draw_groups(ids, groups, 23, seed=0)
    assert len(drawn) == 20
    assert groups[drawn].bincount(minlength=12).sort().values.tolist() == [0] * 8 + [5] * 4
    assert torch.equal(drawn, draw_groups(ids, groups, 23, seed=0))
    assert not torch.equal(drawn, draw_groups(ids, groups, 23, seed=1))
    assert len(draw_groups(ids, groups, 4, seed=0)) == 0
    assert len(draw_groups(ids[:0], groups[:0], 4, seed=0)) == 0


def test_groups_that_do_not_fit_any_more_are_passed_over() -> None:
    groups = torch.tensor([0, 0, 0, 1, 2, 2])
    drawn = draw_groups(10 + torch.arange(6), groups, 3, seed=0).tolist()
    assert drawn in ([10, 11, 12], [13, 14, 15], [14, 15, 13])


def test_every_group_is_as_likely() -> None:
    times = torch.zeros(4)
    for seed in range(400):
        times[draw_groups(torch.arange(8), torch.arange(8) // 2, 4, seed)[::2] // 2] += 1
    assert all(abs(t - 200) < 50 for t in times.tolist())  # 5 standard deviations


def test_groups_that_are_too_large_are_named() -> None:
    groups = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
    with pytest.raises(UsageError, match=r"budget\.validation=1 is fewer .* raise it to 2 or more"):
        check_groups(groups, 1)
    with pytest.warns(UserWarning, match=r"1 of 3 groups .* With budget\.validation=4, each may"):
        check_groups(groups, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_groups(groups, 4)
        check_groups(groups, 0)


class Grouped(PartlyLabeled):
    """Images in groups of four."""

    def load(self) -> ImageData:
        data = super().load()
        groups = torch.arange(len(data.train)) // PER_GROUP
        return replace(data, train=replace(data.train, groups=groups))


def divided(pool: Pool) -> set[int]:
    """The groups that have images to train on, or to query, and images for validation."""
    others = {*(torch.cat([pool.labeled_ids, pool.unlabeled_ids]) // PER_GROUP).tolist()}
    return others & {*(pool.validation_ids // PER_GROUP).tolist()}


@pytest.mark.parametrize("given", [60, 10])
def test_no_group_is_divided_between_training_and_validation(tmp_path: Path, given: int) -> None:
    datamodule = PoolDataModule(Grouped(given), batch_size=4, eval_batch_size=16)
    budget = Budget(initial=9, query=6, total=40, validation=18)
    changes: dict[str, Any] = {"datamodule": datamodule, "budget": budget}
    if given == 60:
        journal = make_loop(tmp_path, **changes).run()
    else:
        journal, told = run_until_done(tmp_path, Person(all_of_it), **changes)
        assert told[0].startswith("label round_00_validation")
    assert len(journal.pool.validation_ids) == 16
    assert divided(journal.pool) == set()


def test_images_without_groups_are_drawn_as_before(tmp_path: Path) -> None:
    budget = Budget(initial=9, query=6, total=30, validation=18)
    journal = make_loop(tmp_path, budget=budget).run()
    assert TinySource().load().train.groups is None
    assert len(journal.pool.validation_ids) == 18
