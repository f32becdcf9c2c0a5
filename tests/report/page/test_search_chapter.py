from al_lightning.report.page.search_chapter import write_search
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.trials import searches, verdict
from tests.report.helpers import a_run


def test_the_best_trial_comes_with_its_command() -> None:
    runs = [
        a_run(
            "margin", 0, (0.5, lr), (10, 20), validation=5, config={"recipe": {"lr": lr}},
            overrides=["strategy=margin", f"recipe.lr={lr}"],
        )
        for lr in (0.1, 0.2)
    ]  # fmt: skip
    (search,) = searches(build_study(runs))
    chapter = write_search(search, "slug", "pre-")
    assert chapter.verdict == verdict(search)
    assert chapter.table.name == "pre-trials"
    assert chapter.commands == ("python -m al_lightning strategy=margin recipe.lr=0.2",)
