"""One run: the parts of a configuration are built, and the loop runs to its end."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from al_lightning.cli.build import Parts, build, make_advice, make_console, make_records
from al_lightning.cli.composition import Composition, completed
from al_lightning.cli.left_labels import require_none_left
from al_lightning.cli.projects import others_with
from al_lightning.cli.run_folder import alone_in, clear, remove_leftovers_in
from al_lightning.run.keys import NO_EFFECT_ON_FITS
from al_lightning.training.quiet import quiet_lightning
from al_lightning.utils.errors import UsageError
from al_lightning.utils.process import disable_nvml_polling, freeze_imports_from_gc, usable_cores
from al_lightning.utils.torchrun import local_world_size, rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning.pytorch.callbacks import Callback

    from al_lightning.callbacks.console import ConsoleProgress
    from al_lightning.callbacks.loop_callback import LoopCallback
    from al_lightning.callbacks.tensorboard import TensorBoardDashboard
    from al_lightning.run.journal import Journal
    from al_lightning.run.record import RunRecord
    from al_lightning.training.learner import Learner


def run(cfg: DictConfig) -> "Journal":
    """Instantiate and run; the run's folder is Hydra's output folder."""
    with freeze_imports_from_gc():
        from al_lightning.callbacks.stop_advice import StopAdvice  # noqa: PLC0415
        from al_lightning.callbacks.tensorboard import TensorBoardDashboard  # noqa: PLC0415
        from al_lightning.loop.loop import ActiveLearningLoop  # noqa: PLC0415
        from al_lightning.run.journal import Journal  # noqa: PLC0415
        from al_lightning.training.environment import require_neutral_environment  # noqa: PLC0415

    require_neutral_environment()
    disable_nvml_polling()
    quiet_lightning()
    composition = completed(cfg)
    cfg = composition.cfg
    folder = Path(HydraConfig.get().runtime.output_dir)
    parts = build(cfg, folder)
    console = make_console(cfg, parts.budget, folder)
    board = TensorBoardDashboard(folder / "tensorboard")
    learner = _learner(parts, composition, board, console)
    _ = learner.facts  # what cannot be had must show before anything is begun or removed
    with ExitStack() as stack:
        stack.enter_context(quiet_full_disk())
        if rank() == 0:
            stack.enter_context(alone_in(folder, cfg.overwrite))
            if cfg.overwrite:  # only now: what cannot be used must not cost the run that is there
                clear(folder)
            remove_leftovers_in(folder, Path(cfg.output_root) / ".cache")
        journal = Journal(folder / "journal.jsonl")
        require_none_left(journal, parts.oracle)
        if cfg.project is not None and journal.start is None and rank() == 0:
            _print_other_projects(cfg, folder)
        _set_threads(cfg.threads, journal)
        if composition.recipe is not None and rank() == 0:
            print(f"recipe={composition.recipe}, by model.mode={cfg.model.mode}")  # noqa: T201
        callbacks: list[LoopCallback] = []
        if rank() == 0:
            records = make_records(composition, folder, parts, stack)
            callbacks = [
                stack.enter_context(closing(board)),
                *records,
                stack.enter_context(console),
            ]
            if (advice := make_advice(cfg)) is not None:
                show_advice = partial(_show_advice, parts, console)
                callbacks.append(StopAdvice(folder, advice, show_advice, board.write_scalars))
        loop = ActiveLearningLoop(
            learner, parts.query, parts.oracle, journal, parts.budget, callbacks
        )
        return loop.run()


def _print_other_projects(cfg: DictConfig, folder: Path) -> None:
    """Name the projects that label the same images, before one more begins."""
    if others := others_with(cfg.dataset.get("path"), folder):
        print(  # noqa: T201
            f"{cfg.dataset.path} is labeled in {', '.join(others)} too. This project is a new one, "
            f"without its labels; project={others[0]} goes on with that one"
        )


def _learner(
    parts: Parts,
    composition: Composition,
    board: "TensorBoardDashboard",
    console: "ConsoleProgress",
) -> "Learner":
    from al_lightning.training.embedding_cache import EmbeddingCache  # noqa: PLC0415
    from al_lightning.training.fit_cache import FitCache  # noqa: PLC0415
    from al_lightning.training.learner import Learner  # noqa: PLC0415
    from al_lightning.training.trainers import RoundTrainers  # noqa: PLC0415

    cfg, recipe = composition.cfg, parts.recipe
    advice = make_advice(cfg)
    cache, shown = Path(cfg.output_root) / ".cache", rank() == 0
    trainers = RoundTrainers(
        parts.make_trainer,
        recipe,
        board.training_curves if shown else None,
        partial(_progress, parts, console) if shown else tuple,
    )
    return Learner(
        parts.datamodule,
        parts.make_classifier,
        trainers,
        seed=cfg.seed,
        warm_start=recipe.warm_start,
        fall_back=recipe.fall_back if recipe.on_divergence == "retry" else None,
        record=_record(composition),
        fit_cache=FitCache(cache, _print_waiting_for_fit, board) if cfg.cache else None,
        save_minutes=cfg.save_minutes,
        pool_sample=0 if advice is None else advice.images,
        embeddings=EmbeddingCache(cache / "embeddings", print),
    )


def _progress(parts: Parts, console: "ConsoleProgress") -> "list[Callback]":
    """Return what follows the steps of a fit: for the terminal, and for the page of a person."""
    from al_lightning.callbacks.live_feed import InnerLive  # noqa: PLC0415

    live = parts.oracle.live
    return [*console.trainer_callbacks(), *([] if live is None else [InnerLive(live)])]


def _show_advice(parts: Parts, console: "ConsoleProgress", advice: "Sequence[str]") -> None:
    """Show the advice on the terminal, and on the page of a person."""
    console.advise(advice)
    if parts.oracle.live is not None:
        parts.oracle.live.publish(advice=" ".join(advice))


def _record(composition: Composition) -> "RunRecord":
    from al_lightning.run.record import RunRecord  # noqa: PLC0415

    code = ["code"] if composition.cfg.changed_code == "accept" else []
    return RunRecord(
        composition.recorded(),
        composition.arguments(),
        (*composition.irrelevant(), *code),
        NO_EFFECT_ON_FITS,
        project=composition.cfg.project is not None,
    )


def _print_waiting_for_fit() -> None:
    print("Another run trains the first round, which this run shares; waiting for it")  # noqa: T201


@cache
def _initial_threads() -> int:
    """Return the threads this process came with, whatever an earlier job of a sweep has set."""
    import torch  # noqa: PLC0415

    return torch.get_num_threads()


def _set_threads(wanted: int | None, journal: "Journal") -> None:
    """Compute with the threads that the journal began with, since the bits depend on their number."""
    import torch  # noqa: PLC0415

    initial, ranks = _initial_threads(), local_world_size()
    if ranks > 1:  # torchrun lets each have one thread
        initial = usable_cores()
    share = max(1, (wanted or initial) // ranks)
    recorded = journal.start["hardware"]["threads"] if journal.start else None
    if wanted is not None and recorded not in (None, share):
        raise UsageError(
            f"threads={wanted}, but {journal.path} was begun with {recorded}, and another number "
            "changes bits. Leave `threads` out to continue, or set overwrite=true for a new run"
        )
    torch.set_num_threads(recorded or share)


@contextmanager
def quiet_full_disk() -> Iterator[None]:
    """Keep TensorBoard's writer, a thread, from showing the traceback of a full disk.

    The writer raises the error once more where it is next written to.
    """
    others = threading.excepthook

    def show(args: threading.ExceptHookArgs) -> None:
        if not issubclass(args.exc_type, OSError):
            others(args)

    threading.excepthook = show
    try:
        yield
    finally:
        threading.excepthook = others
