"""Who may know whom: the rules that keep start-up fast and the parts apart."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cnnkit

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("keras", "tensorflow", "streamlit", "mlflow", "distributed", "plotly")
LIGHT_MODULES = (
    "cnnkit",
    "cnnkit.assets",
    "cnnkit.backprop",
    "cnnkit.datasets",
    "cnnkit.errors",
    "cnnkit.jobs",
    "cnnkit.jobs.visualization",
    "cnnkit.models",
    "cnnkit.networks",
    "cnnkit.runs",
    "cnnkit.settings",
    "cnnkit.training",
    "cnnkit.visualize.presets",
    "cnnkit.__main__",
)
# Top-level package -> the only places that may import it, at any depth of nesting.
PRIVILEGES = {
    "streamlit": ("app.py", "pages/", "cnnkit/ui/"),
    "streamlit_drawable_canvas": ("cnnkit/ui/",),
    "plotly": ("cnnkit/figures", "cnnkit/ui/"),
    "mlflow": ("cnnkit/runs/",),
    "distributed": ("cnnkit/jobs/",),
    "dask": ("cnnkit/jobs/",),
}
# Part -> parts of cnnkit that it must not import: it works without them.
FORBIDDEN = {
    "training": ("figures", "jobs", "runs", "ui"),
    "models": ("figures", "jobs", "runs", "training", "ui"),
    "datasets": ("figures", "jobs", "models", "runs", "training", "ui"),
    "predict": ("figures", "jobs", "runs", "ui"),
    "runs": ("figures", "jobs", "ui"),
    "jobs": ("figures", "ui"),
    "anatomy": ("figures", "jobs", "runs", "ui"),
    "backprop": ("figures", "jobs", "runs", "ui"),
    "visualize": ("figures", "jobs", "runs", "ui"),
    "explain": ("figures", "jobs", "runs", "ui"),
    "figures": ("jobs", "runs", "ui"),
}


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_importing_it_in_a_fresh_interpreter_loads_nothing_heavy(module):
    code = f"import {module}, sys; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    assert _fresh(code).split() == []


def test_listing_models_data_sets_and_recipes_loads_nothing_heavy():
    code = (
        "import cnnkit, sys;"
        "cnnkit.list_models(); cnnkit.list_datasets(); cnnkit.list_recipes();"
        f"print(*sorted(set({HEAVY}) & set(sys.modules)))"
    )
    assert _fresh(code).split() == []


@pytest.mark.parametrize("package", PRIVILEGES)
def test_only_the_parts_that_may_import_a_library_do(package):
    trespassers = [
        f"{path}:{line}"
        for path in _sources()
        if not path.startswith(PRIVILEGES[package])
        for line, name in _imports(path)
        if name.split(".")[0] == package
    ]
    assert trespassers == []


@pytest.mark.parametrize("part", FORBIDDEN)
def test_a_part_does_not_know_the_parts_above_it(part):
    above = tuple(f"cnnkit.{name}" for name in FORBIDDEN[part])
    trespassers = [
        f"{path}:{line} imports {name}"
        for path in _sources()
        if path.startswith((f"cnnkit/{part}/", f"cnnkit/{part}.py"))
        for line, name in _imports(path)
        if any(name == other or name.startswith(f"{other}.") for other in above)
    ]
    assert trespassers == []


def test_pages_hold_no_functions_but_fragments_and_dialogs():
    strays = [
        f"{path}:{node.lineno} {node.name}"
        for path in _sources()
        if path.startswith(("app.py", "pages/"))
        for node in ast.parse((ROOT / path).read_text("utf-8")).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and not any(
            "fragment" in ast.unparse(d) or "dialog" in ast.unparse(d) for d in node.decorator_list
        )
    ]
    assert strays == []


def test_all_lists_exactly_the_public_names():
    stub = ast.parse((ROOT / "cnnkit" / "__init__.pyi").read_text("utf-8"))
    imported = {
        alias.asname or alias.name
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    written = next(
        ast.literal_eval(node.value)
        for node in stub.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert written == sorted(imported)
    assert sorted(cnnkit.__all__) == written
    assert set(dir(cnnkit)) >= set(written)


@pytest.mark.parametrize("name", cnnkit.__all__)
def test_every_public_name_can_be_touched(name):
    assert getattr(cnnkit, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="attribute creat_model"):
        _ = cnnkit.creat_model


def _fresh(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def _sources() -> list[str]:
    """Paths of everything that runs, relative to the project, with forward slashes."""
    found = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "cnnkit").rglob("*.py")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found if path.is_file())


def _imports(path: str) -> list[tuple[int, str]]:
    """Line and full name of every import, also of those inside functions."""
    found = []
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            # `from cnnkit import ui` names a part in its last word.
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found
