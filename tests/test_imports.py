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
    "cnnkit.embedding.compute",
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
# Beside the layers of README's diagram: training and jobs never draw.
NEVER = (("jobs", "figures"),)
# Names that do not say what a function returns or does.
SAYS_TOO_LITTLE = {
    *("show", "draw", "told", "kept", "given", "wanted", "found", "drawn", "chosen", "shown"),
    *("made", "brought", "begun", "seen", "asked", "taken", "written"),
}


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_importing_it_in_a_fresh_interpreter_loads_nothing_heavy(module):
    code = f"import {module}, sys; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    assert _fresh(code).split() == []


def test_every_public_name_is_there_after_importing_cnnkit_alone():
    code = "import cnnkit; print([getattr(cnnkit, n).__name__ for n in ('explain', 'visualize')])"
    assert _fresh(code).strip() == "['cnnkit.explain', 'cnnkit.visualize']"


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


def test_the_diagram_of_the_readme_shows_every_part():
    here = {path.stem for path in (ROOT / "cnnkit").glob("*.py")} - {"__init__"}
    here |= {path.parent.name for path in (ROOT / "cnnkit").glob("*/__init__.py")}
    assert set(_layers()) == here


def test_a_part_imports_only_parts_below_it_in_the_diagram_of_the_readme():
    layers = _layers()
    trespassers = [
        f"{path}:{line} imports {name}"
        for path in _sources()
        if path.startswith("cnnkit/") and path != "cnnkit/__init__.py"
        for line, name in _imports(path)
        if (other := _part(name)) in layers and other != (own := path.split("/")[1].split(".")[0])
        if layers[other] <= layers[own] or (own, other) in NEVER
    ]
    assert trespassers == []


def test_a_module_with_an_underscore_is_imported_by_its_own_package_alone():
    trespassers = []
    for path in _sources():
        package = path.rpartition("/")[0].replace("/", ".")
        for line, name in _imports(path):
            owner, module = _private_module(name)
            if module and not f"{package}.".startswith(f"{owner}."):
                trespassers.append(f"{path}:{line} imports {module}")
    assert trespassers == []


def test_a_function_with_an_underscore_is_used_by_its_own_module_alone():
    trespassers = []
    for path in _sources():
        imported = {name.rpartition(".")[2]: name for _, name in _imports(path) if _part(name)}
        trespassers += [f"{path} imports {name}" for name in imported.values() if _is_private(name)]
        trespassers += [
            f"{path}:{node.lineno} uses {ast.unparse(node)}"
            for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if _is_private(f"{imported.get(node.value.id)}.{node.attr}")
        ]
    assert trespassers == []


def test_no_two_public_classes_share_a_name():
    places: dict[str, list[str]] = {}
    for path, node in _definitions(ast.ClassDef):
        places.setdefault(node.name, []).append(path)
    clashes = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert clashes == {}


def test_the_name_of_a_public_function_says_what_it_returns_or_does():
    terse = {
        f"{path} {node.name}"
        for path, node in _definitions(ast.FunctionDef)
        if node.name in SAYS_TOO_LITTLE
    }
    assert sorted(terse) == []


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


def _layers() -> dict[str, int]:
    """Part of cnnkit -> its line in README's diagram; the lowest line has the largest number."""
    text = (ROOT / "README.md").read_text("utf-8")
    diagram = text.split("## How it works")[1].split("```text\n")[1].split("```")[0]
    return {
        word: number
        for number, line in enumerate(diagram.splitlines())
        for word in line.replace(",", " ").split()
        if "/" not in word and word != "app.py"
    }


def _part(name: str) -> str:
    """The part of cnnkit that an imported name belongs to; empty: another package's."""
    return f"{name}..".split(".")[1] if name.split(".")[0] == "cnnkit" else ""


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


def _definitions(kind: type[ast.stmt]):
    """Path and node of every public class or function at the top of a module of cnnkit."""
    for path in _sources():
        if path.startswith("cnnkit/"):
            for node in ast.parse((ROOT / path).read_text("utf-8")).body:
                if isinstance(node, kind) and not node.name.startswith("_"):
                    yield path, node


def _is_private(name: str) -> bool:
    """Whether a dotted name ends in one with an underscore that is no module of cnnkit."""
    last = name.rpartition(".")[2]
    path = ROOT / name.replace(".", "/")
    is_module = path.with_suffix(".py").is_file() or path.is_dir()
    return (
        bool(_part(name)) and last.startswith("_") and not last.startswith("__") and not is_module
    )


def _private_module(name: str) -> tuple[str, str]:
    """Package and full name of the first module with an underscore in a dotted name, or ""."""
    words = name.split(".")
    for number, word in enumerate(words):
        if words[0] == "cnnkit" and number and word.startswith("_") and not word.startswith("__"):
            return ".".join(words[:number]), ".".join(words[: number + 1])
    return "", ""
