from al_lightning.oracles.label_studio.interface import (
    choice_of_each,
    labeling_config,
    labels_by_choice,
    offered_classes,
)


def test_earlier_names_stand_for_classes_where_todays_are_not_offered() -> None:
    classes, aliases = ["kitten", "dog", "owl"], {"cat": "kitten", "wolf": "dog", "hound": "dog"}
    labels = labels_by_choice(classes, aliases)
    assert labels == {"kitten": 0, "cat": 0, "dog": 1, "wolf": 1, "hound": 1, "owl": 2}
    config = labeling_config(["wolf", "cat", "dog", "hound", "bird"])
    assert offered_classes(config) == ["wolf", "cat", "dog", "hound", "bird"]
    assert choice_of_each(config, classes, aliases) == ["cat", "dog", None]
    assert choice_of_each("", classes, aliases) == [None, None, None]
