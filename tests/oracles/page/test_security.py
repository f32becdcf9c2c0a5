"""Nobody but the person at this machine reads images or writes labels."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.oracles.page.helpers import Asked, Client, ask, question, served

FOREIGN_HOSTS = ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", ""]
FOREIGN_ORIGINS = [None, "null", "http://evil.example", "http://127.0.0.1:1", "http://localhost"]
LABEL = {"tab": "t", "by": "", "labels": [{"id": 7, "before": None, "after": "cat"}]}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Path]]:
    folder = tmp_path_factory.mktemp("page")
    with served(folder) as (oracle, address):
        asked: Asked = ask(oracle, question(7, 3))
        yield Client(address), folder / "page.jsonl"
        oracle._session.stop()
        assert asked.end() is None


def raw(client: Client, request: str) -> bytes:
    """Send bytes that no client library would send; return the answer's first line."""
    parts = urlsplit(client.base)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(request.encode("latin-1"))
        return connection.recv(65536).partition(b"\r\n")[0]


@pytest.mark.parametrize("path", ["/", "/status", "/history", "/events", "/image/3/large"])
@pytest.mark.parametrize("token", ["", "?token=", "?token=wrong", "?token=%C3%A4%00"])
def test_reading_without_the_token_is_refused(
    page: tuple[Client, Path], path: str, token: str
) -> None:
    answer = httpx.get(f"{page[0].base}{path}{token}")
    assert answer.status_code == 403
    assert "secret token" in answer.text
    assert "set-cookie" not in answer.headers


def test_a_wrong_cookie_is_refused(page: tuple[Client, Path]) -> None:
    name = next(iter(page[0].http.cookies))
    answer = httpx.get(f"{page[0].base}/status", headers={"cookie": f"{name}=wrong"})
    assert answer.status_code == 403


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_site_has(
    page: tuple[Client, Path],
) -> None:
    client, _ = page
    answer = httpx.get(f"{client.base}/", params={"token": client.token})
    assert answer.status_code == 200
    attributes = answer.headers["set-cookie"].split("; ")[1:]
    assert attributes == ["HttpOnly", "SameSite=Strict", "Path=/"]
    assert client.token not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_another_host_is_refused_even_with_the_cookie(page: tuple[Client, Path], host: str) -> None:
    answer = page[0].http.get("/status", headers={"host": host})
    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["localhost:1234", "127.0.0.1:9", "[::1]:9", "LOCALHOST"])
def test_a_tunnel_may_have_any_port(page: tuple[Client, Path], host: str) -> None:
    client, _ = page
    assert client.http.get("/status", headers={"host": host}).status_code == 200
    headers = {"host": host, "origin": f"http://{host}"}
    answer = client.http.post("/take", json={"tab": "t", "by": "", "count": 1}, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_writing_from_another_origin_is_refused(
    page: tuple[Client, Path], origin: str | None
) -> None:
    client, log = page
    headers = {} if origin is None else {"origin": origin}
    answer = client.http.post("/submit", json=LABEL, headers=headers)
    assert answer.status_code == 403
    assert not log.exists()


def test_writing_without_the_cookie_is_refused_even_with_the_token_in_the_address(
    page: tuple[Client, Path],
) -> None:
    client, log = page
    address = f"{client.base}/submit?token={client.token}"
    answer = httpx.post(address, json=LABEL, headers={"origin": client.base})
    assert answer.status_code == 403
    assert not log.exists()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_of_another_site_could_send_is_refused(
    page: tuple[Client, Path], kind: str
) -> None:
    client, log = page
    headers = {"origin": client.base, "content-type": kind}
    answer = client.http.post("/submit", content=json.dumps(LABEL), headers=headers)
    assert answer.status_code == 415
    assert not log.exists()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(page: tuple[Client, Path], method: str) -> None:
    client, _ = page
    assert client.http.request(method, "/status").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        *("/static/..%2fapp.py", "/static/../app.py", "/static/%2e%2e/oracle.py"),
        *("/static//etc/passwd", "/image/..%2f..%2fetc%2fpasswd/large", "/image/-1/large"),
        *(
            "/image/40/large",
            "/image/3/huge",
            "/image/99999999999999999999/small",
            "/image/3/..%2f4",
        ),
    ],
)
def test_paths_lead_nowhere_else(page: tuple[Client, Path], path: str) -> None:
    client, _ = page
    cookie = "; ".join(f"{name}={value}" for name, value in client.http.cookies.items())
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    )
    assert raw(client, request).split()[1] == b"404"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 5000, 400),
        (b"[]", 400),
        (b'{"tab": 1, "by": ""}', 400),
        (b'{"tab": "t", "by": "", "labels": []}', 400),
        (b'{"tab": "t", "by": "", "labels": [7]}', 400),
        (b'{"tab": "t", "by": "", "labels": [{"id": true, "before": null, "after": "cat"}]}', 400),
        (b'{"tab": "t", "by": "", "labels": [{"id": 7, "before": null, "after": 3}]}', 400),
        (b'{"tab": "t", "by": "", "labels": [{"id": 7, "before": null, "after": "cow"}]}', 409),
        (b'{"tab": "t", "by": "", "labels": [{"id": 8, "before": null, "after": "cat"}]}', 409),
        (b'{"tab": "t", "by": "' + b"x" * 81 + b'", "labels": []}', 400),
        (b" " * (2**20 + 1), 413),
    ],
)
def test_requests_that_the_page_does_not_send_change_nothing(
    page: tuple[Client, Path], body: bytes, status: int
) -> None:
    client, log = page
    headers = {"origin": client.base, "content-type": "application/json"}
    assert client.http.post("/submit", content=body, headers=headers).status_code == status
    assert not log.exists()


def test_a_request_without_a_length_is_refused(page: tuple[Client, Path]) -> None:
    client, _ = page
    headers = {"origin": client.base, "content-type": "application/json"}
    answer = client.http.post("/submit", content=iter([b"{}"]), headers=headers)
    assert answer.status_code == 413
