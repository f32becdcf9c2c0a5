import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from al_lightning.oracles import PageOracle
from al_lightning.oracles.page import oracle as module
from al_lightning.run.class_change import ClassChange
from al_lightning.utils.errors import UsageError
from tests.oracles.page.helpers import Client, image_data, served


def test_the_page_starts_with_the_run_and_ends_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(module, "open_in_browser", opened.append)
    oracle = PageOracle.for_run(image_data(), tmp_path / "queries", seed=0)
    oracle.close()  # of what has not begun
    oracle.live.publish(phase="start", limit=9)
    address = oracle.start()
    assert opened == [address]
    assert capsys.readouterr().out == f"Label at {address}\n"
    assert Client(address).http.get("/status").json()["limit"] == 9
    oracle.close()
    with pytest.raises(httpx.ConnectError):
        Client(address)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"retrain_every": 0}, "retrain_every must be a whole number of at least 1, not 0"),
        ({"port": 99_999}, r"oracle\.port must be at most 65535, not 99999"),
        ({"port": -1}, r"oracle\.port must be a whole number of at least 0"),
        ({"host": None}, r"oracle\.host must be a str, not None"),
        ({"keys": "abc"}, r"oracle\.keys must be a Mapping or None, not 'abc'"),
        ({"keys": {"cow": "c"}}, "keys names 'cow'"),
    ],
)
def test_options_that_cannot_be_are_refused(
    tmp_path: Path, option: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        PageOracle(image_data(), tmp_path, **option)  # type: ignore[arg-type]


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        oracle = PageOracle(image_data(), tmp_path, port=port, open_browser=False)
        with pytest.raises(UsageError, match=rf"oracle\.port={port}: .*in use"):
            oracle.start()


def test_a_host_that_is_none_of_this_machine_is_refused(tmp_path: Path) -> None:
    oracle = PageOracle(image_data(), tmp_path, host="192.0.2.7", open_browser=False)
    with (
        pytest.warns(UserWarning, match="to other machines"),
        pytest.raises(UsageError, match=r"oracle\.host=192\.0\.2\.7"),
    ):
        oracle.start()


def test_a_page_for_other_machines_is_warned_of_and_takes_its_own_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    oracle = PageOracle(image_data(), tmp_path, host="0.0.0.0", open_browser=False)
    with pytest.warns(UserWarning, match=r"without encryption.*SSH tunnel"):
        address = oracle.start()
    printed = re.findall(r"http://\S+", capsys.readouterr().out)
    assert printed[0] == address
    assert urlsplit(printed[-1]).hostname == socket.gethostname().lower()
    port = urlsplit(address).port
    for host in (urlsplit(printed[0]).hostname, "127.0.0.1", "127.0.0.2"):
        client = Client(address.replace(urlsplit(address).netloc, f"{host}:{port}"))
        assert client.http.get("/status").status_code == 200
        assert client.post("/active").status_code == 200
        named = {"host": socket.gethostname().upper()}
        assert client.http.get("/status", headers=named).status_code == 200
        for foreign in ("evil.example", "10.9.8.7", "0.0.0.0"):
            assert client.http.get("/status", headers={"host": foreign}).status_code == 403
    oracle.close()


@pytest.mark.parametrize("host", ["127.0.0.2", "LocalHost"])
def test_the_printed_address_leads_to_the_page(tmp_path: Path, host: str) -> None:
    with served(tmp_path, host=host) as (_, address):
        assert urlsplit(address).hostname == host.lower()
        assert Client(address).http.get("/status").status_code == 200


def test_classes_that_change_are_shown(tmp_path: Path) -> None:
    with served(tmp_path) as (oracle, address):
        client = Client(address)
        assert client.post("/class", name="fox").status_code == 409  # no project
        oracle.live.publish(project=True)
        assert client.post("/class", name="fox").json()["name"] == "fox"
        oracle.on_classes(ClassChange(added=("fox",), renamed={"cat": "kitten"}))
        state = client.http.get("/status").json()
        assert (state["classes"], state["keys"]) == (["kitten", "dog", "owl", "fox"], [*"1234"])
