import argparse
from pathlib import Path

import pytest

from al_lightning.inference.run_arguments import add_run, positive


def test_a_run_is_needed_and_nothing_is_trusted_by_itself(
    capsys: pytest.CaptureFixture[str],
) -> None:
    parser = argparse.ArgumentParser()
    add_run(parser, "the folder of a project")
    assert vars(parser.parse_args(["a"])) == {"run": Path("a"), "trust": False}
    assert parser.parse_args(["a", "--trust"]).trust
    with pytest.raises(SystemExit):
        parser.parse_args([])
    assert "required: RUN" in capsys.readouterr().err
    assert "RUN the folder of a project" in " ".join(parser.format_help().split())


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "two", "²"])
def test_what_must_be_positive_is_a_whole_number(text: str) -> None:
    assert positive("12") == 12
    with pytest.raises(argparse.ArgumentTypeError, match="must be a whole number >= 1"):
        positive(text)
