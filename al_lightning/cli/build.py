"""From a composed configuration to the objects of a run."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException
from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.composition import Composition
from al_lightning.cli.configuration import CONF
from al_lightning.cli.model_choice import AUTO
from al_lightning.cli.run_folder import shortest
from al_lightning.cli.sweep import runs_beside_others
from al_lightning.cli.values import require_values
from al_lightning.utils.checks import require_kind
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import did_you_mean

if TYPE_CHECKING:
    from al_lightning.callbacks.console import ConsoleProgress
    from al_lightning.callbacks.loop_callback import LoopCallback
    from al_lightning.data.datamodule import PoolDataModule
    from al_lightning.data.source import ImageData, ImageSource
    from al_lightning.loop.query import Query
    from al_lightning.models import Backbone, ImageClassifier
    from al_lightning.run.advice.settings import AdviceSettings
    from al_lightning.run.budget import Budget
    from al_lightning.run.questions import Oracle
    from al_lightning.strategies import Strategy
    from al_lightning.training.recipe import Recipe

_SET_BY_RECIPE = {
    "precision": "use recipe.precision",
    "max_epochs": "use recipe.epochs",
    "min_epochs": "use recipe.epochs",
    "max_steps": "use recipe.max_steps",
    "min_steps": "use recipe.min_steps",
    "max_time": "use recipe.max_steps: by the clock, no two runs would be the same",
    "limit_test_batches": "all test images are used",
    "plugins": "a run starts the processes of its devices itself",
    "use_distributed_sampler": "every batch is split exactly",
    "logger": "use logger=csv, mlflow or wandb",
    "callbacks": "callbacks must be new in every round",
    "enable_checkpointing": "the last weights are always kept",
    "enable_model_summary": "the journal has the number of parameters",
}
#: The strategy of budget.initial_policy=auto: it was made for pretrained networks and few labels.
_FIRST_BY = "typiclust"
_LINE_WIDTH = 130  # characters of a line in a log file: the table's columns must not be cut


@dataclass(frozen=True)
class Parts:
    """What a configuration names, made.

    Attributes:
        recipe: How classifiers are trained.
        budget: How many labels to buy, and when.
        query: Selects the images to query.
        datamodule: Owns the data.
        oracle: Gives the labels.
        make_classifier: Makes an untrained classifier.
        make_trainer: Makes a trainer from its options.
    """

    recipe: "Recipe"
    budget: "Budget"
    query: "Query"
    datamodule: "PoolDataModule"
    oracle: "Oracle"
    make_classifier: "Callable[[], ImageClassifier]"
    make_trainer: Callable[..., Any]


def build(cfg: DictConfig, folder: Path) -> Parts:
    """Make what a configuration names; what cannot be had must show before anything is begun.

    Args:
        cfg: Composed; ``auto`` is replaced in it by what it means.
        folder: Of the run.

    Raises:
        UsageError: If a value or a part is not what it must be; names its key.
    """
    from al_lightning.loop.query import Query  # noqa: PLC0415
    from al_lightning.run.budget import Budget  # noqa: PLC0415
    from al_lightning.training.recipe import Recipe  # noqa: PLC0415

    require_values(cfg)
    if HydraConfig.get().runtime.choices.get("model") == AUTO:
        raise UsageError(
            "model=auto is chosen once per command, but the jobs of this sweep need different "
            "models: name one, such as model=cnn"
        )
    _complete_model(cfg)
    _decide_sizes(cfg)
    recipe, budget = instantiate(cfg.recipe), instantiate(cfg.get("budget_override") or cfg.budget)
    require_kind("recipe", recipe, Recipe)
    require_kind("budget", budget, Budget)
    initial_strategy = _initial_strategy(budget.initial_policy)
    query = Query(instantiate(cfg.strategy), cfg.query_seed, initial_strategy)
    datamodule = recipe.datamodule(_source(cfg, folder))
    data = datamodule.data
    oracle = _make_oracle(cfg, data, folder / "queries")
    make_trainer = _make_trainer(cfg.trainer)
    make_classifier = partial(_make_classifier, recipe, instantiate(cfg.model), datamodule)
    make_classifier()
    return Parts(recipe, budget, query, datamodule, oracle, make_classifier, make_trainer)


def _source(cfg: DictConfig, folder: Path) -> "ImageSource":
    """Return the data set; that of a project knows which images and classes it has."""
    from al_lightning.data.project.project_source import ProjectSource  # noqa: PLC0415
    from al_lightning.run.journal import Journal  # noqa: PLC0415

    source: ImageSource = instantiate(cfg.dataset)
    if cfg.project is None:
        return source
    journal = None if cfg.overwrite else Journal(folder / "journal.jsonl")
    return ProjectSource(source, folder, journal)


def _initial_strategy(policy: str) -> "Strategy | None":
    """Return the strategy that chooses the first labels, by the name of its YAML; None if none does."""
    from al_lightning.loop.query import require_embeddings_alone  # noqa: PLC0415
    from al_lightning.run.budget import AUTO_POLICY, POLICIES  # noqa: PLC0415

    if policy in POLICIES:
        return None
    name = _FIRST_BY if policy == AUTO_POLICY else policy
    try:
        found = hydra.compose("config", overrides=[f"strategy={name}"])
    except CompactHydraException as error:
        names = sorted(path.stem for path in (CONF / "strategy").glob("*.yaml"))
        raise UsageError(
            f"budget.initial_policy must be {', '.join(POLICIES)}, auto or a strategy that needs "
            f"embeddings alone, such as l2, not {policy!r}{did_you_mean(policy, [*POLICIES, *names])}"
        ) from error
    strategy: Strategy = instantiate(found.strategy)
    require_embeddings_alone(strategy)
    return strategy


def _decide_sizes(cfg: DictConfig) -> None:
    """Put numbers in the places of `auto`: what the network takes, and what images are decoded at."""
    from al_lightning.data.folder.file_source import AUTO_SIZE  # noqa: PLC0415
    from al_lightning.models.pretrained.modes import input_size  # noqa: PLC0415

    taken = None
    if cfg.model is not None and "image_size" in cfg.model:
        factory = instantiate(cfg.model)
        own_size_of = getattr(getattr(factory, "func", None), "own_size", None)
        own_size = None if own_size_of is None else own_size_of(**factory.keywords)
        taken = input_size(cfg.model.image_size, str(cfg.model.get("mode")), own_size)
        cfg.model.image_size = taken
    if cfg.dataset is None or "image_size" not in cfg.dataset:
        return
    decoded = cfg.dataset.image_size
    if decoded == "auto":
        cfg.dataset.image_size = taken or AUTO_SIZE
    elif isinstance(taken, int) and isinstance(decoded, int) and decoded < taken:
        print(  # noqa: T201
            f"Images are decoded at {decoded} pixels, and enlarged to the {taken} pixels of the "
            f"network: dataset.image_size={taken} keeps more detail"
        )


def _complete_model(cfg: DictConfig) -> None:
    """Let a model that does not say so take more arguments: the shape of the images, the classes."""
    if isinstance(cfg.get("model"), DictConfig) and "_partial_" not in cfg.model:
        OmegaConf.update(cfg, "model._partial_", True, force_add=True)


def make_records(
    composition: Composition, folder: Path, parts: Parts, stack: ExitStack
) -> "list[LoopCallback]":
    """Return what writes a run down, beside its journal and TensorBoard."""
    from al_lightning.callbacks.config_files import ConfigFiles  # noqa: PLC0415
    from al_lightning.callbacks.live_feed import LiveFeed  # noqa: PLC0415
    from al_lightning.callbacks.logger import ScalarLogger  # noqa: PLC0415
    from al_lightning.callbacks.prediction_files import PredictionFiles  # noqa: PLC0415
    from al_lightning.callbacks.query_sheet import QuerySheets  # noqa: PLC0415
    from al_lightning.callbacks.summary_file import SummaryFile  # noqa: PLC0415

    cfg, names = composition.cfg, composition.recorded()["names"]
    records: list[LoopCallback] = [
        SummaryFile(folder / "summary.json", {**names, "seed": cfg.seed}, make_advice(cfg)),
        ConfigFiles(folder / ".hydra", composition.files()),
    ]
    if not parts.oracle.keeps_sheets:
        records.append(QuerySheets(folder / "queries"))
    if cfg.predictions:
        records.append(PredictionFiles(folder / "predictions"))
    if cfg.get("logger") is not None:
        lock = Path(cfg.output_root) / ".logger.lock"
        records.append(stack.enter_context(closing(ScalarLogger(instantiate(cfg.logger), lock))))
    if parts.oracle.live is not None:
        records.append(LiveFeed(parts.oracle.live, parts.budget))
    return records


def make_advice(cfg: DictConfig) -> "AdviceSettings | None":
    """Return what advice is asked for; None for none."""
    if cfg.advice is None:
        return None
    if not isinstance(cfg.advice, DictConfig):
        raise UsageError(
            f"advice is a group of settings, such as advice.target=0.95, not {cfg.advice!r}; "
            "advice=null gives none"
        )
    settings: AdviceSettings = instantiate(cfg.advice)
    return settings


def instantiate(node: DictConfig) -> Any:
    """Make what a node of the configuration names."""
    # "all": constructors get lists and dicts, never OmegaConf's own containers.
    return hydra.utils.instantiate(node, _convert_="all")


def _make_oracle(cfg: DictConfig, data: "ImageData", folder: Path) -> "Oracle":
    """Make the oracle; one whose YAML is not partial is made already."""
    from al_lightning.oracles.answers import require_oracle  # noqa: PLC0415

    made = instantiate(cfg.oracle)
    if callable(made):
        try:
            made = made(data, folder, cfg.seed)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"oracle cannot be made: {error}. It is called with the data, the folder of its files "
                "and the seed; oracle._partial_=false makes one that takes no arguments"
            ) from error
    require_oracle(made)
    oracle: Oracle = made
    return oracle


def _make_classifier(
    recipe: "Recipe",
    make_backbone: Callable[..., "Backbone"],
    datamodule: "PoolDataModule",
) -> "ImageClassifier":
    data = datamodule.data  # the classes of a project may change
    try:
        backbone = make_backbone(data.image_shape, len(data.classes))
    except (TypeError, ValueError) as error:
        raise UsageError(f"model cannot be made: {error}") from error
    return recipe.classifier(backbone, len(data.classes))


def _make_trainer(node: DictConfig) -> Callable[..., Any]:
    """Return what makes trainers; refuse keys that the recipe decides."""
    for key in sorted(set(map(str, node)) & _SET_BY_RECIPE.keys()):
        raise UsageError(f"trainer.{key} would do nothing here: {_SET_BY_RECIPE[key]}")
    factory = instantiate(node)

    def make(**options: Any) -> Any:
        try:
            return factory(**options)
        # Of all kinds: what accelerators and strategies need is their own.
        except Exception as error:
            raise UsageError(f"trainer cannot be made: {error}") from error

    return make


def make_console(cfg: DictConfig, budget: "Budget", folder: Path) -> "ConsoleProgress":
    """Return what shows the run in the terminal, or in a log file."""
    from al_lightning.callbacks.console import ConsoleProgress, RunConsole  # noqa: PLC0415

    console = RunConsole()
    if not console.is_terminal:
        console.width = _LINE_WIDTH
    beside = runs_beside_others()
    bars = console.is_terminal and not beside if cfg.progress == "auto" else bool(cfg.progress)
    title = f"{cfg.names.strategy} on {cfg.names.dataset} with {cfg.names.model}, seed {cfg.seed}"
    return ConsoleProgress(console, title, budget, shortest(folder), bars, beside)
