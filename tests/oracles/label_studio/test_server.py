import logging
import sys
from types import ModuleType
from typing import Any

import pytest

from al_lightning import UsageError
from al_lightning.oracles.label_studio.client import StudioClient
from tests.oracles.fake_studio import ApiError, ConnectError, FakeClient, ReadTimeoutError

URL, KEY = "http://studio.example:8080", "0123456789abcdef"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("LABEL_STUDIO_URL", URL)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", KEY)
    sdk: Any = ModuleType("label_studio_sdk")
    sdk.LabelStudio = lambda **options: options
    monkeypatch.setitem(sys.modules, "label_studio_sdk", sdk)
    return monkeypatch


def refusal() -> str:
    with pytest.raises(UsageError) as caught:
        StudioClient.from_environment()
    return str(caught.value)


def test_address_and_token_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("LABEL_STUDIO_URL", f" {URL}/label/ ")
    environment.setenv("LABEL_STUDIO_API_KEY", f"{KEY}\n")
    client = StudioClient.from_environment()._client
    assert client == {"base_url": f"{URL}/label/", "api_key": KEY, "timeout": 60}


def test_requests_are_not_logged(environment: pytest.MonkeyPatch) -> None:
    StudioClient.from_environment()
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


@pytest.mark.parametrize("name", ["LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_what_is_missing_is_named(
    environment: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    if value is None:
        environment.delenv(name)
    else:
        environment.setenv(name, value)
    assert f"needs the environment variable {name}" in refusal()


@pytest.mark.parametrize(
    "url",
    [
        *("localhost:8080", "studio.example", "ftp://studio.example", "http://", "http://x:99999"),
        *("http://ann:secret@studio.example", "http://studio.example?token=secret", "http://[x"),
    ],
)
def test_an_address_that_is_none_is_refused_and_not_shown(
    environment: pytest.MonkeyPatch, url: str
) -> None:
    environment.setenv("LABEL_STUDIO_URL", url)
    refused = refusal()
    assert "LABEL_STUDIO_URL must be an address" in refused
    assert url not in refused.replace("http://localhost:8080", "")
    assert "secret" not in refused


@pytest.mark.parametrize("key", ["two words", "päss", "a\nb"])
def test_a_token_that_is_none_is_refused_and_not_shown(
    environment: pytest.MonkeyPatch, key: str
) -> None:
    environment.setenv("LABEL_STUDIO_API_KEY", key)
    refused = refusal()
    assert "LABEL_STUDIO_API_KEY has characters" in refused
    assert key not in refused


def test_a_package_that_is_missing_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setitem(sys.modules, "label_studio_sdk", None)
    assert 'pip install "al-lightning[label_studio]"' in refusal()


def test_a_package_that_is_too_old_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.delattr(sys.modules["label_studio_sdk"], "LabelStudio")
    assert 'pip install "al-lightning[label_studio]"' in refusal()


def test_a_token_that_the_sdk_refuses(environment: pytest.MonkeyPatch) -> None:
    def expired(**options: Any) -> None:
        raise ApiError(401, {"detail": "API key has expired"})

    environment.setattr(sys.modules["label_studio_sdk"], "LabelStudio", expired)
    assert "refuses the token in LABEL_STUDIO_API_KEY (status 401)" in refusal()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ApiError(401, {"detail": "Invalid token."}), "refuses the token in LABEL_STUDIO_API_KEY"),
        (ApiError(403, {"detail": "No permission."}), "refuses the token in LABEL_STUDIO_API_KEY"),
        (ApiError(400, {"detail": "Bad\n  title"}), "look for the project (status 400): Bad title"),
        (ApiError(500, "x" * 1000), "(status 500): " + "x" * 300 + "..."),
        (ApiError(200, "<html>"), "whether LABEL_STUDIO_URL is the address of a Label Studio"),
        (ReadTimeoutError(), "did not answer within 60 s when asked to look for the project"),
        (TimeoutError(), "did not answer within 60 s"),
        (ConnectError("Connection refused"), "cannot be reached to look for the project"),
        (ConnectError("Connection refused"), "ConnectError: Connection refused"),
    ],
)
def test_what_goes_wrong_at_the_server_is_one_clear_message(error: Exception, message: str) -> None:
    client = FakeClient()
    client.fails["projects.list"] = (0, error)
    with pytest.raises(UsageError) as caught:
        StudioClient(client, URL).find_project("Animals")
    assert message in str(caught.value)
    assert URL in str(caught.value)
    assert "sessionid" not in str(caught.value)
    assert caught.value.__cause__ is error
