"""What the keys of the command line mean to a run: which of them a result depends on.

Keys are dotted; a key includes all keys below it.
"""

from collections.abc import Collection

#: Where things are, and what is shown. A run's folder is not named after them.
NOT_IN_FOLDER = (
    "data_root",
    "output_root",
    "project",
    "overwrite",
    "progress",
    "save_minutes",
    "cache",
    "report",
    "predictions",
    "advice",
    "changed_code",
    "logger",
    "names",
    "dataset.root",
    "dataset.storage",
    "dataset.cache_dir",
    "dataset.workers",
    "oracle.project",
    *("oracle.host", "oracle.port", "oracle.open", "oracle.keys"),
    # When an answer is taken, which may be decided anew at every question.
    *("oracle.accept_partial", "oracle.retrain_every"),
    "budget.memory_limit",  # what fits, and not what is selected
)
#: These say which runs to make, and nothing about any of them.
NOT_OF_A_RUN = ("experiment=compare", "experiment=model_comparison")
#: What lies at the further places is checked by its content, not by its path.
NO_EFFECT_ON_RESULTS = (
    *NOT_IN_FOLDER,
    *("dataset.path", "dataset.columns", "dataset.download", "threads"),
    "budget_override.memory_limit",
)
#: These may hold the address of a service, and what opens it.
NOT_RECORDED = ("logger",)
#: These affect the queries and their cost, but not the training on given labels.
NO_EFFECT_ON_FITS = ("strategy", "oracle", "budget", "budget_override", "query_seed")
#: What a project may change.
OPEN_IN_PROJECTS = (
    *("strategy", "initial_strategy", "oracle", "budget", "budget_override", "query_seed"),
    *("model", "recipe", "recipe_by_mode", "classes", "dataset.classes"),
    *("dataset.image_size", "dataset.value_range", "dataset.on_error"),
)
#: What else of a project is recorded when it changes: where its images are, and what it is called.
FOLLOWED_IN_PROJECTS = ("dataset.path", "names")
#: Which of that changes the weights: the next round fits them, also without new labels.
CHANGES_WEIGHTS = ("model", "recipe", "dataset.image_size", "dataset.value_range")
#: Whoever sweeps over these looks for the best values, instead of comparing conditions.
HYPERPARAMETERS = ("recipe", "model.", "strategy.", "trainer")


def is_below(key: str, parents: Collection[str]) -> bool:
    """Return whether a key is one of these, or below one; "model." means below it alone."""
    return any(
        key.startswith(parent) if parent.endswith(".") else f"{key}.".startswith(f"{parent}.")
        for parent in parents
    )


def key_of(override: str) -> str:
    """Return the key of an override as it is given on the command line, such as "budget.query=5"."""
    return override.split("=", 1)[0].lstrip("+~")
