"""What may be committed, and what the README promises."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks import readme
from cnnkit.settings import get_settings

ROOT = Path(__file__).resolve().parent.parent
LARGEST = 2 * 2**20  # bytes
TEXT = {".md", ".py", ".pyi", ".toml", ".txt", ".yaml", ".yml"}  # what people write


def test_no_committed_file_is_larger_than_two_mebibytes():
    large = {str(path.relative_to(ROOT)): path.stat().st_size for path in _committed()}
    assert {path: size for path, size in large.items() if size > LARGEST} == {}


def test_nothing_of_the_operators_data_is_committed():
    folder = _data_folder()
    if folder is None:
        pytest.skip("CNNKIT_DATA_DIR names no folder: there is nothing to compare with")
    theirs = [path for path in folder.rglob("*") if path.is_file()]
    names, digests = {path.name for path in theirs}, {_digest(path) for path in theirs}
    ours = [path for path in _committed() if path.name in names - {"SOURCES.md", "README.md"}]
    assert ours == []
    assert [path for path in _committed() if _digest(path) in digests] == []


def test_pages_end_without_losing_clicks():
    """`page.end_page` says why `st.stop` is not for us."""
    files = [path for path in _committed() if path.suffix == ".py"]
    call = re.compile(r"^\s*st\.stop\(", re.MULTILINE)
    assert [str(path) for path in files if call.search(path.read_text("utf-8"))] == []


def test_text_files_end_with_one_line_feed_and_have_no_trailing_space():
    wrong = []
    for path in _committed():
        text = path.read_bytes() if path.suffix in TEXT else b""
        stray = any(line != line.rstrip() for line in text.split(b"\n"))
        if text and (not text.endswith(b"\n") or text.endswith(b"\n\n") or stray):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


@pytest.mark.parametrize("table", readme.TABLES)
def test_the_tables_of_the_readme_are_those_of_the_registries(table):
    assert f"<!-- table: {table} -->" in _readme()
    assert readme.render(_readme()) == _readme(), "README.md is stale: run `make docs`"


def test_readme_shows_exactly_two_setup_commands():
    section = re.search(r"\n## Run it\n(.*?)\n## ", _readme(), re.DOTALL)
    assert section
    first_block = re.search(r"```(?:sh|bash)\n(.*?)```", section[1], re.DOTALL)
    assert first_block
    commands = [line.split("#")[0].strip() for line in first_block[1].splitlines()]
    assert commands == ["make run", "make test"]


def test_links_of_documents_lead_to_files_and_headings_that_are_there():
    broken = []
    for path in (path for path in _committed() if path.suffix == ".md"):
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)", path.read_text("utf-8")):
            name, _, heading = target.partition("#")
            file = path.parent / name if name else path
            if not file.exists() or (heading and heading not in _headings(file)):
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []


def _headings(path: Path) -> set[str]:
    """Names of the headings of a document, as GitHub makes them for links."""
    titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize(
    "target", ("setup", "run", "test", "lint", "fix", "bench", "docs", "screenshots")
)
def test_the_makefile_has_its_targets(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", ("requirements.txt", "requirements-dev.txt"))
def test_every_requirement_has_a_lower_and_an_upper_bound(name):
    lines = (ROOT / name).read_text("utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert [line for line in wanted if not re.fullmatch(r"[\w\[\]-]+>=[\d.]+,<[\d.]+", line)] == []


def test_requirements_are_exactly_what_is_imported():
    imported = _third_party() - set(_extras())
    assert _required() == {_DISTRIBUTIONS.get(name, name) for name in imported}


def test_extras_are_exactly_what_is_imported_and_not_required():
    assert set(_extras()) <= _third_party() and not set(_extras().values()) & _required()


def test_the_package_ships_what_it_reads():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["cnnkit"]
    shipped = {path for pattern in patterns for path in (ROOT / "cnnkit").glob(pattern)}
    data = {path for path in _committed() if path.is_relative_to(ROOT / "cnnkit")}
    assert {path for path in data if path.suffix != ".py"} <= shipped


def test_telemetry_is_off_by_default():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert config["browser"]["gatherUsageStats"] is False


# Import name -> name on the package index, where they differ.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "google": "protobuf",
    "lazy_loader": "lazy-loader",
    "pillow_heif": "pillow-heif",
    "prometheus_client": "prometheus-client",
    "pythonjsonlogger": "python-json-logger",
    "sklearn": "scikit-learn",
    "streamlit_drawable_canvas": "streamlit-drawable-canvas",
}


def _required() -> set[str]:
    """Names of the distributions in requirements.txt."""
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    return {re.split(r"[\[><=]", line)[0] for line in lines if line and line[0] != "#"}


def _extras() -> dict[str, str]:
    """Extra -> its distribution; an extra is called as the package that is imported."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project.get("optional-dependencies", {})
    return {name: re.split(r"[\[><=]", one[0])[0] for name, one in extras.items()}


def _third_party() -> set[str]:
    """Top-level packages that the program imports and Python does not ship."""
    files = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "cnnkit").rglob("*.py")]
    names = set()
    for node in (n for path in files for n in ast.walk(ast.parse(path.read_text("utf-8")))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"cnnkit"}


def _readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def _committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is not a git checkout: nothing is committed")
    paths = [ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def _data_folder() -> Path | None:
    folder = get_settings().data_dir
    return folder if folder and folder.is_dir() else None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
