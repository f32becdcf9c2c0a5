"""What Lightning is told about the processes of a run, instead of looking for a scheduler's."""

from lightning.fabric.plugins import ClusterEnvironment


class OwnProcesses(ClusterEnvironment):
    """The processes of a run's devices, which the run starts itself; or its only one.

    Without it, Lightning takes their number from the variables of SLURM, of torchrun or of others,
    wherever it finds any: then ``trainer.devices=2`` would be one process in a job of one task.

    Args:
        rank: Which process this is, from 0.
        size: Their number; None for as many as the trainer has devices.
    """

    creates_processes_externally = True
    main_address = "127.0.0.1"
    main_port = 0  # they meet at a file

    def __init__(self, rank: int = 0, size: int | None = None) -> None:
        super().__init__()
        self._rank = rank
        self._size = size

    @staticmethod
    def detect() -> bool:
        """Return whether this is found by itself; it is given."""
        return False

    def world_size(self) -> int:
        """Return the number of processes."""
        return 1 if self._size is None else self._size

    def set_world_size(self, size: int) -> None:
        """Take the number of devices over, unless the number of processes is known."""
        self._size = size if self._size is None else self._size

    def global_rank(self) -> int:
        """Return which process this is."""
        return self._rank

    def set_global_rank(self, rank: int) -> None:
        """Do nothing: it is known."""

    def local_rank(self) -> int:
        """Return which process of its machine this is; there is one machine."""
        return self._rank

    def node_rank(self) -> int:
        """Return which machine this is; there is one."""
        return 0
