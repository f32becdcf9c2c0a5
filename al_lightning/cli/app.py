"""The command line: compose, instantiate, run. Only sweeps and searches know Hydra besides."""

import logging
import os
import shutil
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException, InstantiationException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from al_lightning.cli.advice import advice_for
from al_lightning.cli.arguments import prepared
from al_lightning.cli.composition import Composition, completed
from al_lightning.cli.configuration import CONF
from al_lightning.cli.failures import JobError, end_of_output, shown_errors
from al_lightning.cli.model_choice import AUTO, with_chosen_model
from al_lightning.cli.needed import require_needed
from al_lightning.cli.recipe_by_mode import shown_recipe
from al_lightning.cli.sweep import reported, runs_beside_others
from al_lightning.run.keys import NO_EFFECT_ON_FITS
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import nearest
from al_lightning.utils.interrupts import Interrupted, interruptible
from al_lightning.utils.process import ask_once_for_gpus, imported_for_good, prepare_process

if TYPE_CHECKING:
    from al_lightning.callbacks.base import LoopCallback
    from al_lightning.callbacks.console import ConsoleProgress
    from al_lightning.data.source import ImageData
    from al_lightning.models import Backbone, ImageClassifier
    from al_lightning.run.budget import Budget
    from al_lightning.run.journal import Journal
    from al_lightning.run.questions import Oracle
    from al_lightning.strategies import Strategy
    from al_lightning.training.recipe import Recipe

# Nothing heavy is imported above: --help and --cfg must answer at once.

_SET_BY_RECIPE = {
    "precision": "recipe.precision",
    "max_epochs": "recipe.epochs",
    "min_epochs": "recipe.epochs",
    "max_steps": "recipe.max_steps",
    "min_steps": "recipe.min_steps",
    "max_time": "recipe.max_steps: by the clock, no two runs would be the same",
    "limit_test_batches": "nothing: all test images are looked at",
    "plugins": "nothing: a run starts the processes of its devices itself",
    "use_distributed_sampler": "nothing: every batch is shared out exactly",
    "logger": "logger=csv, mlflow or wandb",
    "callbacks": "nothing: callbacks must be made afresh for every round",
    "enable_checkpointing": "nothing: the last weights are always kept",
    "enable_model_summary": "nothing",
}
_ARTIFACTS = (
    *("journal.jsonl", "summary.json", "queries", "tensorboard", "checkpoints", ".hydra"),
    *("csv", "wandb"),  # of the loggers
)
_FIRST_BY = (
    "typiclust"  # budget.initial_policy=auto: it was made for pretrained networks and few labels
)
_HYDRAS_ADVICE = ", set env var HYDRA_FULL_ERROR=1 to see chained exception."
_LINE_WIDTH = 130  # characters of a line in a log file: the table's columns must not be cut


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")
def job(cfg: DictConfig) -> float | None:
    """Run what was composed; report errors of usage in a message instead of a traceback.

    Returns:
        What a sweeper may choose by; None without validation labels.
    """
    prepare_process()
    try:
        with interruptible():
            journal = run(cfg)
    except (UsageError, InstantiationException, OmegaConfBaseException) as error:
        raise JobError(f"Error: {_with_advice(error)}") from error
    except BrokenPipeError:
        end_of_output()
    except OSError as error:  # such as a full disk; what the journal has is on it
        folder = _shortest(Path(HydraConfig.get().runtime.output_dir))
        raise JobError(
            f"Error: {error}, in {folder}. What was done until then is kept: mend this (free space, "
            "permissions), and the same command goes on"
        ) from error
    except Interrupted as interrupted:
        same = "The same command without overwrite=true" if cfg.overwrite else "The same command"
        print(f"Interrupted. {same} goes on from here.", file=sys.stderr)  # noqa: T201
        sys.exit(interrupted.exit_status)
    if journal.open_question is not None and cfg.overwrite:
        print("Leave overwrite=true out of it: that would start anew")  # noqa: T201
    from al_lightning.run.summary import validation_score  # noqa: PLC0415

    return validation_score(journal)


def console_script() -> None:
    """Run the command line; modules of the working folder are found, as by ``python -m``."""
    if not sys.flags.safe_path:
        sys.path.insert(0, os.getcwd())  # noqa: PTH109 - what `python -m` puts there
    main()


def main() -> None:
    """Run the command line: a run, or a sweep and its report."""
    sys.argv[1:] = prepared(sys.argv[1:])
    with shown_errors(sys.argv[1:]), reported():
        require_needed(sys.argv[1:])
        sys.argv[1:], told = with_chosen_model(sys.argv[1:], CONF)
        if told is not None and not any(a == "-c" or a.startswith("--cfg") for a in sys.argv):
            print(told)  # noqa: T201
        sys.argv += shown_recipe(sys.argv[1:])
        job()


def run(cfg: DictConfig) -> "Journal":
    """Instantiate and run; the run's folder is Hydra's output folder."""
    with imported_for_good():  # see above
        from al_lightning.callbacks.tensorboard import TensorBoardDashboard  # noqa: PLC0415
        from al_lightning.loop.loop import ActiveLearningLoop  # noqa: PLC0415
        from al_lightning.run.journal import Journal  # noqa: PLC0415
        from al_lightning.strategies.base import require_strategy  # noqa: PLC0415
        from al_lightning.training.embedding_cache import EmbeddingCache  # noqa: PLC0415
        from al_lightning.training.environment import require_neutral_environment  # noqa: PLC0415
        from al_lightning.training.fit_cache import FitCache  # noqa: PLC0415
        from al_lightning.training.trainers import RoundTrainers  # noqa: PLC0415

    require_neutral_environment()
    ask_once_for_gpus()
    _quiet()
    composition = completed(cfg)
    cfg = composition.cfg
    _check_types(cfg)
    if HydraConfig.get().runtime.choices.get("model") == AUTO:
        raise UsageError(
            "model=auto is chosen once a command, and the jobs of this sweep differ in it: name a "
            "model, such as model=cnn"
        )
    _complete_model(cfg)
    _decide_sizes(cfg)
    folder = Path(HydraConfig.get().runtime.output_dir)
    recipe = _instantiate(cfg.recipe)
    budget = _instantiate(cfg.get("spend") or cfg.budget)
    strategy = _instantiate(cfg.strategy)
    require_strategy("strategy", strategy)
    initial_strategy = _initial_strategy(budget.initial_policy)
    datamodule = recipe.datamodule(_instantiate(cfg.dataset))
    data = datamodule.data
    oracle = _make_oracle(cfg, data, folder / "queries")
    make_backbone = _instantiate(cfg.model)
    make_trainer = _make_trainer(cfg.trainer)
    # Once, to be thrown away: what cannot be had must show before anything is begun or removed.
    _call("model", make_backbone, data.image_shape, len(data.classes))
    RoundTrainers(make_trainer, recipe)(0, len(data.train))

    with ExitStack() as stack:
        stack.enter_context(_alone_in(folder))
        if cfg.overwrite:  # only now: what cannot be used must not cost the run that is there
            _clear(folder)
        _remove_leftovers(folder, Path(cfg.output_root) / ".cache")
        journal = Journal(folder / "journal.jsonl")
        _set_threads(cfg.threads, journal)
        if composition.recipe is not None:
            _say(f"recipe={composition.recipe}, by model.mode={cfg.model.mode}")
        console = stack.enter_context(_console(cfg, budget, folder))
        board = TensorBoardDashboard(folder / "tensorboard")
        trainers = RoundTrainers(
            make_trainer, recipe, board.training_curves, console.trainer_callbacks
        )
        stack.enter_context(closing(trainers))
        loop = ActiveLearningLoop(
            datamodule,
            partial(_make_classifier, recipe, make_backbone, data.image_shape, len(data.classes)),
            trainers,
            strategy,
            oracle,
            journal,
            budget=budget,
            seed=cfg.seed,
            query_seed=cfg.query_seed,
            warm_start=recipe.warm_start,
            fall_back=recipe.fall_back if recipe.on_divergence == "retry" else None,
            config=composition.recorded(),
            overrides=composition.overrides(),
            irrelevant=(
                *composition.irrelevant(),
                *(["code"] if cfg.changed_code == "accept" else []),
            ),
            irrelevant_to_fits=NO_EFFECT_ON_FITS,
            cache=FitCache(Path(cfg.output_root) / ".cache", _say_fitted, board)
            if cfg.cache
            else None,
            embeddings=EmbeddingCache(Path(cfg.output_root) / ".cache" / "embeddings", _say),
            initial_strategy=initial_strategy,
            callbacks=[board, *_records(composition, folder, oracle, stack), console],
        )
        return loop.run()


def _initial_strategy(policy: str) -> "Strategy | None":
    """Return the strategy that chooses the first labels, by the name of its YAML; None if none does."""
    from al_lightning.loop.first_labels import require_embeddings_alone  # noqa: PLC0415
    from al_lightning.run.budget import AUTO_POLICY, POLICIES  # noqa: PLC0415

    if policy in POLICIES:
        return None
    name = _FIRST_BY if policy == AUTO_POLICY else policy
    try:
        found = hydra.compose("config", overrides=[f"strategy={name}"])
    except CompactHydraException as error:
        names = sorted(path.stem for path in (CONF / "strategy").glob("*.yaml"))
        meant = nearest(policy, [*POLICIES, *names])
        raise UsageError(
            f"budget.initial_policy must be {', '.join(POLICIES)}, auto or a strategy that needs "
            f"embeddings alone, such as l2, not {policy!r}"
            + (f"; did you mean {meant}?" if meant else "")
        ) from error
    strategy: Strategy = _instantiate(found.strategy)
    require_embeddings_alone(strategy)
    return strategy


def _remove_leftovers(folder: Path, cache: Path) -> None:
    """Remove what killed processes have left half-written in a run's folder and in the caches."""
    from al_lightning.utils.files import remove_leftovers  # noqa: PLC0415

    places = [folder / name for name in (".", "queries", "checkpoints", ".hydra")]
    for place in (*places, cache, cache / "embeddings"):
        remove_leftovers(place)


def _decide_sizes(cfg: DictConfig) -> None:
    """Put numbers in the places of `auto`: what the network takes, and what images are decoded at."""
    from al_lightning.data.folder.image_folder import AUTO_SIZE  # noqa: PLC0415
    from al_lightning.models.pretrained.modes import input_size  # noqa: PLC0415

    taken = None
    if cfg.model is not None and "image_size" in cfg.model:
        factory = _instantiate(cfg.model)
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
        _say(
            f"Images are decoded at {decoded} pixels, and enlarged to the {taken} that the "
            f"network takes: dataset.image_size={taken} shows it more"
        )


def _check_types(cfg: DictConfig) -> None:
    """Refuse values of a wrong type where nobody else would notice them."""
    for key, least in (("seed", 0), ("query_seed", 0), ("threads", 1)):
        value = cfg.get(key)
        if value is None and key != "seed":
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise UsageError(f"{key} must be a whole number of at least {least}, not {value!r}")
    for key in ("overwrite", "cache", "report"):
        if not isinstance(cfg[key], bool):
            raise UsageError(f"{key} must be true or false, not {cfg[key]!r}")
    if cfg.changed_code not in ("refuse", "accept"):
        raise UsageError(f"changed_code must be refuse or accept, not {cfg.changed_code!r}")
    if cfg.progress not in ("auto", True, False):
        raise UsageError(f"progress must be auto, true or false, not {cfg.progress!r}")


def _complete_model(cfg: DictConfig) -> None:
    """Let a model that does not say so take more arguments: the shape of the images, the classes."""
    if isinstance(cfg.get("model"), DictConfig) and "_partial_" not in cfg.model:
        OmegaConf.update(cfg, "model._partial_", True, force_add=True)


def _records(
    composition: Composition, folder: Path, oracle: "Oracle", stack: ExitStack
) -> "list[LoopCallback]":
    """Return what writes a run down, beside its journal and TensorBoard."""
    from al_lightning.callbacks.config_files import ConfigFiles  # noqa: PLC0415
    from al_lightning.callbacks.logger import ScalarLogger  # noqa: PLC0415
    from al_lightning.callbacks.query_sheet import QuerySheets  # noqa: PLC0415
    from al_lightning.callbacks.summary_file import SummaryFile  # noqa: PLC0415

    cfg, names = composition.cfg, composition.recorded()["names"]
    records: list[LoopCallback] = [
        SummaryFile(folder / "summary.json", {**names, "seed": cfg.seed}),
        ConfigFiles(folder / ".hydra", composition.files()),
    ]
    if not oracle.keeps_sheets:
        records.append(QuerySheets(folder / "queries"))
    if cfg.get("logger") is not None:
        lock = Path(cfg.output_root) / ".logger.lock"
        records.append(stack.enter_context(ScalarLogger(_instantiate(cfg.logger), lock)))
    return records


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a run's folder; where another process does, leave it alone.

    The jobs of a sweep wait instead: the one before them may be left over from a sweep that was killed,
    and a run that two sweeps share is the result of both.
    """
    from al_lightning.utils.locks import only_one  # noqa: PLC0415

    of_a_sweep = HydraConfig.get().mode == RunMode.MULTIRUN
    on_wait = partial(_say_waiting, folder) if of_a_sweep else None
    with ExitStack() as stack:
        try:
            stack.enter_context(only_one(folder / ".lock", on_wait))
        except BlockingIOError as error:
            raise UsageError(
                f"{_shortest(folder)} is in use by {error}, and two processes cannot make one run. Let "
                "that one end, or stop it: the same command then goes on from there"
            ) from error
        except OSError as error:
            raise UsageError(
                f"{folder} cannot be locked against other processes: {error}. Let output_root be a "
                "folder that can be written, on a file system with locks"
            ) from error
        yield


def _say_waiting(folder: Path, who: str) -> None:
    print(f"{_shortest(folder)} is in use by {who}; waiting for it to end (Ctrl-C to stop)")  # noqa: T201


def _say_fitted() -> None:
    _say("Another run makes the first fit, which this run shares; waiting for it")


def _say(text: str) -> None:
    print(text)  # noqa: T201


def _instantiate(node: DictConfig) -> Any:
    # "all": constructors get lists and dicts, never OmegaConf's own containers.
    return hydra.utils.instantiate(node, _convert_="all")


def _make_oracle(cfg: DictConfig, data: "ImageData", folder: Path) -> "Oracle":
    """Make the oracle; one whose YAML is not partial is made already."""
    from al_lightning.oracles.answers import require_oracle  # noqa: PLC0415

    made = _instantiate(cfg.oracle)
    if callable(made):
        try:
            made = made(data, folder, cfg.seed)
        except TypeError as error:
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
    image_shape: tuple[int, int, int],
    num_classes: int,
) -> "ImageClassifier":
    backbone = _call("model", make_backbone, image_shape, num_classes)
    return recipe.classifier(backbone, num_classes)


def _make_trainer(node: DictConfig) -> Callable[..., Any]:
    """Return what makes trainers; refuse keys that the recipe decides."""
    for key in sorted(set(map(str, node)) & _SET_BY_RECIPE.keys()):
        raise UsageError(f"trainer.{key} would do nothing; use {_SET_BY_RECIPE[key]}")
    return _TrainerMaker(_instantiate(node))


@dataclass(frozen=True)
class _TrainerMaker:
    """Makes trainers, here and in the processes of other devices."""

    factory: Callable[..., Any]

    def __call__(self, **options: Any) -> Any:
        try:
            return self.factory(**options)
        except (
            Exception
        ) as error:  # of all kinds: what accelerators and strategies need is their own
            raise UsageError(f"trainer cannot be made: {error}") from error


def _call(key: str, factory: Callable[..., Any], *arguments: Any) -> Any:
    """Call a factory that the configuration completed; name its key if the arguments do not fit."""
    try:
        return factory(*arguments)
    except TypeError as error:
        raise UsageError(f"{key} cannot be made: {error}") from error


@cache
def _initial_threads() -> int:
    """Return the threads this process came with, whatever an earlier job of a sweep has set."""
    import torch  # noqa: PLC0415

    return torch.get_num_threads()


def _set_threads(wanted: int | None, journal: "Journal") -> None:
    """Compute with the threads that the journal began with, since the bits depend on their number."""
    import torch  # noqa: PLC0415

    _initial_threads()
    recorded = journal.start["hardware"]["threads"] if journal.start else None
    if wanted is not None and recorded not in (None, wanted):
        raise UsageError(
            f"threads={wanted}, but {journal.path} was begun with {recorded}, and another number "
            "gives other bits. Leave `threads` out to go on, or set overwrite=true to start anew"
        )
    torch.set_num_threads(recorded or wanted or _initial_threads())


def _clear(folder: Path) -> None:
    """Remove what a run left in its folder, and nothing else; keep what a person has made for it."""
    journal = folder / "journal.jsonl"
    if journal.is_file() and b'"event": "question"' in journal.read_bytes():
        count = len(list(folder.glob("overwritten_*")))
        kept = folder / f"overwritten_{count:02d}"
        kept.mkdir()
        for name in ("queries", "journal.jsonl"):  # the journal last: with it, this is done
            if (folder / name).exists():
                (folder / name).rename(kept / name)
        print(f"What was asked and answered before is kept in {_shortest(kept)}")  # noqa: T201
    for name in _ARTIFACTS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _console(cfg: DictConfig, budget: "Budget", folder: Path) -> "ConsoleProgress":
    from al_lightning.callbacks.console import ConsoleProgress, RunConsole  # noqa: PLC0415

    console = RunConsole()
    if not console.is_terminal:
        console.width = _LINE_WIDTH
    beside = runs_beside_others()
    bars = console.is_terminal and not beside if cfg.progress == "auto" else bool(cfg.progress)
    title = f"{cfg.names.strategy} on {cfg.names.dataset} with {cfg.names.model}, seed {cfg.seed}"
    return ConsoleProgress(console, title, budget, _shortest(folder), bars, beside)


def _shortest(path: Path) -> Path:
    """Return a path relative to the working folder where that is possible."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _quiet() -> None:
    """Keep Lightning from repeating its hardware report and its advice every round.

    And TensorBoard's writer from showing the traceback of a full disk, which it raises once more where
    it is next written to.
    """
    threading.excepthook = _excepthook
    logging.getLogger("lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for advice in (
        ".*does not have many workers.*",
        ".*smaller than the logging interval.*",
        ".*`val_dataloader` but have no `validation_step`.*",
        ".*Experiment logs directory .* exists and is not empty.*",  # of a run that goes on
        ".*module\\(s\\) in eval mode at the start of training.*",  # what a backbone keeps frozen
        ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",  # Lightning's own call of torch
    ):
        warnings.filterwarnings("ignore", message=advice)


def _excepthook(args: threading.ExceptHookArgs) -> None:
    if not issubclass(args.exc_type, OSError):
        threading.__excepthook__(args)


def _with_advice(error: BaseException) -> str:
    """Return what went wrong, and which keys help."""
    advice = advice_for(error)
    return _message(error) if advice is None else f"{_message(error)}. {advice}"


def _message(error: BaseException) -> str:
    """Return what went wrong, without the layers of how it was called."""
    cause = error.__cause__
    if isinstance(error, InstantiationException) and isinstance(cause, UsageError):
        return str(cause)
    return str(error).replace(_HYDRAS_ADVICE, f" ({cause}).")
