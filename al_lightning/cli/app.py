"""The command line: what is composed is run, and errors of usage become messages."""

import os
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from al_lightning.cli.advice import advice_for
from al_lightning.cli.arguments import prepared
from al_lightning.cli.by_mode import shown_by_mode
from al_lightning.cli.configuration import CONF, NAME
from al_lightning.cli.failures import (
    OUT_OF_MEMORY,
    JobError,
    end_of_output,
    is_lost_connection,
    is_out_of_memory,
    shown_errors,
    shown_on_rank_zero,
)
from al_lightning.cli.launch import end_with_launcher, is_launched, launched, needs_launch
from al_lightning.cli.model_choice import with_chosen_model
from al_lightning.cli.required_groups import require_groups
from al_lightning.cli.run import run
from al_lightning.cli.run_folder import shortest
from al_lightning.cli.same_command import same_command
from al_lightning.cli.sweep import reported
from al_lightning.utils.errors import UsageError
from al_lightning.utils.interrupts import Interrupted, interruptible
from al_lightning.utils.process import prepare_process

# Nothing heavy is imported above: --help and --cfg must answer at once.

_failures: list[JobError] = []  # of this process; one at most
_HYDRAS_ADVICE = ", set env var HYDRA_FULL_ERROR=1 to see chained exception."


@hydra.main(version_base="1.3", config_path=str(CONF), config_name=NAME)
def job(cfg: DictConfig) -> float | None:
    """Run what was composed; report errors of usage in a message instead of a traceback.

    Returns:
        What a sweeper may choose by; None without validation labels.
    """
    prepare_process()
    try:
        with interruptible():
            journal = launched(cfg) if needs_launch(cfg) else run(cfg)
    except (UsageError, InstantiationException, OmegaConfBaseException) as error:
        return _failed(JobError(f"Error: {_with_advice(error)}"), error)
    except BrokenPipeError:
        end_of_output(cfg.overwrite)
    except OSError as error:  # such as a full disk; what the journal has is on it
        folder = shortest(Path(HydraConfig.get().runtime.output_dir))
        message = (
            f"Error: {error}, in {folder}. Finished work is saved. Correct the cause (free space, "
            f"permissions); then {same_command(cfg.overwrite)} continues"
        )
        return _failed(JobError(message), error)
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            return _failed(JobError(f"Error: {OUT_OF_MEMORY}"), error)
        if not is_lost_connection(error):
            raise
        if is_launched():  # the launcher says which
            sys.exit(1)
        return _failed(JobError("Error: the connection to another rank is lost"), error)
    except Interrupted as interrupted:
        if not is_launched():  # else the launcher says so
            again = same_command(cfg.overwrite).capitalize()
            print(f"Interrupted. {again} continues from here.", file=sys.stderr)  # noqa: T201
        sys.exit(interrupted.exit_status)
    if journal.open_question is not None and cfg.overwrite:
        print("Leave out overwrite=true: it would start a new run")  # noqa: T201
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
    with shown_on_rank_zero(), shown_errors(sys.argv[1:]), reported():
        require_groups(sys.argv[1:])
        sys.argv[1:], message = with_chosen_model(sys.argv[1:], CONF)
        if message is not None and not any(a == "-c" or a.startswith("--cfg") for a in sys.argv):
            print(message)  # noqa: T201
        sys.argv += shown_by_mode(sys.argv[1:])
        end_with_launcher()
        _failures.clear()
        with interruptible():  # also while other processes run the jobs: they end with this one
            job()
        if _failures:
            raise _failures.pop()


def _failed(failure: JobError, cause: Exception) -> float | None:
    """Let a job end by an error; that of a sweep at once, that of a run when Hydra has ended.

    Hydra would print the overrides before the message.
    """
    failure.__cause__ = cause
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        raise failure
    _failures.append(failure)
    return None


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
