"""The labels of a run, and the pool after any of them."""

from al_lightning.run.label_log import LabelLog


def test_labels_and_their_corrections() -> None:
    log = LabelLog()
    log.add({3: 0, 1: 2})
    log.add({7: 1}, skipped=[5])
    log.add({3: 1})
    now, before = log.pool(9), log.pool(9, entries=2)
    assert now.labeled_ids.tolist() == before.labeled_ids.tolist() == [3, 1, 7]
    assert (now.labels.tolist(), before.labels.tolist()) == ([1, 2, 1], [0, 2, 1])
    assert now.skipped_ids.tolist() == [5]
    assert log.pool(9, entries=0).labels_bought == 0
    assert len(log) == 3


def test_a_skipped_image_that_is_labeled_is_skipped_no_more() -> None:
    log = LabelLog()
    log.add({1: 0}, skipped=[5])
    log.add({5: 2})
    assert log.pool(9).skipped_ids.tolist() == []
    assert log.pool(9).labels.tolist() == [0, 2]


def test_labels_for_validation_stay_so_when_they_are_corrected() -> None:
    log = LabelLog()
    log.add({4: 0}, origin="validation")
    log.add({4: 1, 2: 2})
    pool = log.pool(9)
    assert (pool.validation_ids.tolist(), pool.validation_labels.tolist()) == ([4], [1])
    assert pool.labeled_ids.tolist() == [2]


def test_images_that_have_gone_are_in_no_part_and_keep_their_labels() -> None:
    log = LabelLog()
    log.add({1: 0, 2: 1})
    log.add({3: 1}, origin="validation")
    log.set_aside([1, 3, 6], [])
    pool = log.pool(8)
    assert pool.labeled_ids.tolist() == [2]
    assert pool.validation_ids.tolist() == []
    assert pool.absent_ids.tolist() == [1, 3, 6]
    assert pool.unlabeled_ids.tolist() == [0, 4, 5, 7]
    assert pool.labels_bought == 3
    log.set_aside([], [1, 6])
    assert log.pool(8).labeled_ids.tolist() == [1, 2]
    assert log.pool(8).absent_ids.tolist() == [3]
    assert log.pool(8, entries=2).absent_ids.tolist() == []


def test_a_label_may_be_corrected_while_its_image_is_gone() -> None:
    log = LabelLog()
    log.add({1: 0, 2: 1})
    log.set_aside([1], [])
    log.add({1: 2})
    assert log.pool(5).labels.tolist() == [1]
    log.set_aside([], [1])
    assert log.pool(5).labels.tolist() == [2, 1]


def test_a_merge_renumbers_all_that_came_before_and_nothing_after() -> None:
    log = LabelLog()
    log.add({1: 0, 2: 1, 3: 2})
    log.add({1: 1})
    log.merge([1, 0, 1])
    log.add({4: 0})
    assert log.pool(5).labels.tolist() == [0, 0, 1, 0]
    assert log.pool(5, entries=1).labels.tolist() == [1, 0, 1]
