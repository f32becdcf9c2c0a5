from al_lightning.run.live import LiveBoard


def test_facts_are_replaced_one_by_one_and_watchers_are_called() -> None:
    board, seen = LiveBoard(), list[dict[str, object]]()
    board.publish(phase="fit")
    board.watch(lambda: seen.append(board.facts()))
    board.publish(done=3)
    board.publish(phase="score", done=0)
    assert seen == [{"phase": "fit", "done": 3}, {"phase": "score", "done": 0}]
    board.facts()["phase"] = "else"
    assert board.facts()["phase"] == "score"
