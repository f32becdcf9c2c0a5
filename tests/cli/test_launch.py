import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from torch.distributed.elastic.rendezvous import RendezvousParameters

from al_lightning.cli import launch
from al_lightning.cli.launch import _loopback_rendezvous


def test_ranks_meet_where_no_other_machine_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    bound, create = [], socket.create_server

    def noted(address: tuple[str, int]) -> socket.socket:
        server = create(address)
        bound.append(server.getsockname())
        return server

    monkeypatch.setattr(socket, "create_server", noted)
    backend = "127.0.0.1"
    handler = _loopback_rendezvous(RendezvousParameters(backend, backend, "run", 1, 1))
    met = handler.next_rendezvous()
    met.store.set("key", "value")
    assert met.store.get("key") == b"value"
    store = met.bootstrap_store_info
    assert store is not None
    assert [(store.master_addr, store.master_port)] == bound
    assert bound[0][0] == "127.0.0.1"


@pytest.mark.parametrize(
    "folder", ["outputs/seed=0", "it's/a\\b", "ends in a backslash\\", "a b,[c]{d}"]
)
def test_ranks_get_the_folder_of_the_job(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    for mode, project in ((RunMode.RUN, []), (RunMode.MULTIRUN, ["project=null"])):
        job = SimpleNamespace(overrides=SimpleNamespace(task=["seed=1"]), mode=mode)
        monkeypatch.setattr(HydraConfig, "get", lambda job=job: job)
        monkeypatch.setattr(launch, "configuration_options", list)
        *others, given = launch._arguments(Path(folder))
        assert others[-2 - len(project) :] == ["seed=1", *project, "hydra.mode=RUN"]
        assert OverridesParser.create().parse_override(given).value() == str(Path(folder))
