import torch

from al_lightning import Pool
from al_lightning.inference.present_pool import present


def test_images_without_a_file_are_set_aside_and_their_labels_stay_bought() -> None:
    def ids(*some: int) -> torch.Tensor:
        return torch.tensor(some)

    pool = Pool(
        9,
        labeled_ids=ids(5, 0, 3),
        labels=ids(2, 1, 0),
        validation_ids=ids(1, 2),
        validation_labels=ids(0, 1),
        test_ids=ids(4),
        test_labels=ids(2),
        absent_ids=ids(8),
        absent_labels=1,
    )
    now = present(pool, [0, 1, 4, 7])
    assert (now.labeled_ids.tolist(), now.labels.tolist()) == ([5, 3], [2, 0])
    assert (now.validation_ids.tolist(), now.validation_labels.tolist()) == ([2], [1])
    assert now.test_ids.tolist() == now.test_labels.tolist() == []
    assert sorted(now.absent_ids.tolist()) == [0, 1, 4, 7, 8]
    assert now.unlabeled_ids.tolist() == [6]
    assert now.labels_bought == pool.labels_bought == 7
    assert repr(present(pool, [])) == repr(pool)
