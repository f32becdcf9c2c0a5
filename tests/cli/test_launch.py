import socket

import pytest
from torch.distributed.elastic.rendezvous import RendezvousParameters

from al_lightning.cli.launch import _meet_on_loopback


def test_ranks_meet_where_no_other_machine_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    bound, create = [], socket.create_server

    def noted(address: tuple[str, int]) -> socket.socket:
        server = create(address)
        bound.append(server.getsockname())
        return server

    monkeypatch.setattr(socket, "create_server", noted)
    backend = "127.0.0.1"
    handler = _meet_on_loopback(RendezvousParameters(backend, backend, "run", 1, 1))
    met = handler.next_rendezvous()
    met.store.set("key", "value")
    assert met.store.get("key") == b"value"
    store = met.bootstrap_store_info
    assert store is not None
    assert [(store.master_addr, store.master_port)] == bound
    assert bound[0][0] == "127.0.0.1"
