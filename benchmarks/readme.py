"""The tables of README.md, from the registries: `make docs`.

A table stands between two comments: see `_regions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from benchmarks import _regions
from benchmarks._measure import ROOT
from cnnkit.datasets import dataset_info, list_datasets
from cnnkit.models import list_models, model_info
from cnnkit.settings import Settings
from cnnkit.ui.common.page import PAGES
from cnnkit.variables import Variable, variables

README = ROOT / "README.md"


def main() -> None:
    """Write the tables anew."""
    README.write_text(render(README.read_text("utf-8")), "utf-8")


def render(text: str) -> str:
    """The text with each table made from its registry."""
    return _regions.render(text, TABLES)


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (columns, ("---",) * len(columns), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _pages() -> str:
    rows = ((f"{page.title} (`{page.file}`)", page.summary) for page in PAGES)
    return _table(("page", "what one does there"), rows)


def _screenshots() -> str:
    images = []
    for page in PAGES:
        stem = page.file.split("/")[-1].removesuffix(".py").replace("_", "-")
        path = f"docs/screenshots/{'home-dark' if stem == 'app' else stem}.png"
        if (ROOT / path).exists():
            images.append(f"![{page.title}]({path})")
    pairs = zip(images[::2], [*images[1::2], ""], strict=False)
    return _table(("", ""), pairs)


def _models(*groups: str) -> str:
    specs = [model_info(name) for group in groups for name in list_models(group)]
    rows = ((f"`{one.name}`", one.description, f"{one.parameters:,}") for one in specs)
    return _table(("network", "what it is", "parameters"), rows)


def _datasets() -> str:
    specs = map(dataset_info, list_datasets())
    rows = ((f"`{one.name}`", one.description, one.source, one.license) for one in specs)
    return _table(("data set", "what it is", "source", "license"), rows)


def _settings() -> str:
    rows = ((_name(one), one.meaning, _default(one)) for one in variables(Settings).values())
    return _table(("variable", "meaning", "default"), rows)


def _name(one: Variable) -> str:
    former = " and ".join(f"`{name}`" for name in one.former)
    return f"`{one.name}` (formerly {former})" if former else f"`{one.name}`"


def _default(one: Variable) -> str:
    return one.shown or f"`{one.default}`"


TABLES: dict[str, Callable[[], str]] = {
    "pages": _pages,
    "screenshots": _screenshots,
    "networks": lambda: _models("digits", "photos"),
    "classics": lambda: _models("classic"),
    "datasets": _datasets,
    "settings": _settings,
}


if __name__ == "__main__":
    main()
