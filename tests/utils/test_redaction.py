import pytest

from al_lightning.utils.redaction import redacted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://me:pw@host/x", "http://***@host/x"),
        ("https://host/x?token=abc&size=3", "https://host/x?token=***&size=3"),
        ("/mnt/data?api_key=abc", "/mnt/data?api_key=***"),
        ("+model.password=abc", "+model.password=***"),
        ("+model.accessToken=abc", "+model.accessToken=***"),
        ("smtp_pass=abc", "smtp_pass=***"),
        ("x.tokens=[abc,def],seed=0", "x.tokens=***,seed=0"),
        ("x.credentials={user:a,value:b},seed=0", "x.credentials=***,seed=0"),
        ("x.password=${oc.env:PW,abc},seed=0", "x.password=***,seed=0"),
        ('{"password": "abc", "size": 3}', '{"password": "***", "size": 3}'),
        ("Authorization: Bearer abcdefgh", "Authorization: ***"),
        ("x.headers=[Bearer a.b-c_d/e=]", "x.headers=[Bearer ***]"),
        ("no bearer of news", None),
        ("model.pass_through=yes", None),
        ("model.author=me,x.path=a,x.bypass=1,x.compass=2", None),
        ("outputs/digits/cnn/margin/seed=0,budget.query=5", None),
        ("al_lightning.data.Digits", None),
        ("tokenizer=fast", None),
        ("model.design=3", None),
        ("git@host:x", None),
    ],
)
def test_what_opens_a_service_is_masked_and_all_else_is_kept(
    text: str, expected: str | None
) -> None:
    assert redacted(text) == (text if expected is None else expected)


def test_nested_values_are_looked_through() -> None:
    value = {
        "api_key": "abc",
        "tokens": 5,
        "inner": [{"uri": "ftp://a:b@c"}, None, 0.5],
        "key": "x",
        "headers": {"Authorization": ["abc", 1], "note": "abc"},
        "credentials": {"user": {"name": "abc"}},
    }
    assert redacted(value) == {
        "api_key": "***",
        "tokens": 5,
        "inner": [{"uri": "ftp://***@c"}, None, 0.5],
        "key": "x",
        "headers": {"Authorization": ["***", 1], "note": "abc"},
        "credentials": {"user": {"name": "***"}},
    }


def test_what_a_secret_variable_holds_is_masked_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "a1b2c3d4e5")
    monkeypatch.setenv("SHORT_TOKEN", "1")
    assert redacted(["x a1b2c3d4e5 y", "seed=1"]) == ["x *** y", "seed=1"]


def test_the_working_folder_of_a_shell_is_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PWD", "/mnt/pictures/images")
    monkeypatch.setenv("OLDPWD", "/mnt/pictures")
    monkeypatch.setenv("DB_PWD", "correct horse")
    assert redacted("/mnt/pictures/images/a") == "/mnt/pictures/images/a"
    assert redacted("correct horse") == "***"
