from al_lightning.report.study.label_mix import all_of, mix, query_mix


def test_labels_are_counted_by_class() -> None:
    events = [{"labels": [0, 2]}, {}, {"labels": [2]}]
    assert all_of(events, "labels") == [0, 2, 2]
    assert mix([0, 2, 2], 3) == (1, 0, 2)


def test_queries_count_for_the_round_that_they_led_to() -> None:
    asked = [(1, [0]), (1, [1, 1]), (3, [2]), (4, [0, 0]), (5, [1])]
    queries = [{"round": index, "labels": labels} for index, labels in asked]
    rounds = [{"round": index} for index in (0, 1, 2, 4)]  # 3 was fitted again as 4; 5 is not done
    assert query_mix(queries, rounds, 3) == ((1, 2, 0), (0, 0, 0), (2, 0, 1))
    assert query_mix(queries, rounds[1:], 3) == ((0, 0, 0), (2, 0, 1))
    assert query_mix(queries, [], 3) == ()
