"""The documentation site: `make docs` builds it from README, docs/ and the docstrings."""

from importlib.metadata import version as installed_version

from sphinx.application import Sphinx

project = "al_lightning"
author = "the al_lightning developers"
release = version = installed_version("al-lightning")

extensions = [
    *("myst_parser", "sphinx.ext.autodoc", "sphinx.ext.doctest"),
    *("sphinx.ext.napoleon", "sphinx.ext.viewcode"),
]
html_theme = "furo"
html_title = project

myst_heading_anchors = 3

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes of dataclasses are documented once

# README links to files of the repository; on the site, these pages show them.
_PAGES = {
    "](CONTRIBUTING.md)": "](contributing.md)",
    "](al_lightning/loop/loop.py)": "](loop.md)",
    "](examples/own_model.py)": "](examples.md#your-own-model)",
    "](examples/own_strategy.py)": "](examples.md#your-own-strategy)",
    "](examples/own_oracle.py)": "](examples.md#your-own-oracle)",
}


def _link_to_pages(app: Sphinx, path: object, parent: str, content: list[str]) -> None:
    for link, page in _PAGES.items():
        content[0] = content[0].replace(link, page)


def setup(app: Sphinx) -> None:
    """Let the links of included files lead to pages of the site."""
    app.connect("include-read", _link_to_pages)
