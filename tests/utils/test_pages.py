import pytest
from jinja2 import UndefinedError

from al_lightning.utils.pages import environment


def test_what_is_put_in_is_text() -> None:
    template = environment("al_lightning.report.page").from_string("<p>{{ name }}</p>\n")
    assert template.render(name="<b>") == "<p>&lt;b&gt;</p>\n"


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment("al_lightning.report.page").from_string("{{ name }}").render()


def test_templates_come_from_the_package() -> None:
    assert environment("al_lightning.oracles.csv_sheet").get_template("contact_sheet.html.j2").name
