"""Every Python and shell block of the documents, and every example of a docstring, is run.

A comment before a block says what keeps it from running: `<!-- not run: the reason -->`, or
`<!-- needs: weights -->` with markers of `pyproject.toml`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser

from cnnkit.__main__ import main
from tests.old_files import hdf5_file, teachable_machine

pytestmark = pytest.mark.usefixtures("decoded")

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
MODULES = [path for path in (ROOT / "cnnkit").rglob("*.py") if ">>> " in path.read_text("utf-8")]
LANGUAGES = {"python", "sh", "text"}  # text: drawings and other things that are not to be run
LIMIT = 600  # seconds
COMMENT = re.compile(r"<!-- (not run|needs): ([^>]+?) -->\n\s*$")
# What the documents call `cnnkit` and `python` is this interpreter with this checkout.
SHELL = 'cnnkit() { "$PYTHON" -m cnnkit "$@"; }\npython() { "$PYTHON" "$@"; }\n'


def run_shell(example: Example) -> None:
    """Run a block until the first command that fails."""
    lines = example.parsed.strip().splitlines()
    if all(line.startswith("cnnkit ") for line in lines):
        run_verbs(lines)
    else:
        run_bash(example)


def run_verbs(lines: Iterable[str]) -> None:
    """Run each verb in this process, which has imported TensorFlow already."""
    for line in lines:
        _, *arguments = shlex.split(line, comments=True)
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"


def run_bash(example: Example) -> None:
    """Run a script that ends at the first command that fails."""
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", SHELL + example.parsed],
        env={**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert result.returncode == 0, f"{example.parsed}\n{result.stdout}\n{result.stderr}"


SYBIL = Sybil(
    [PythonCodeBlockParser(), CodeBlockParser("sh", run_shell)], path=str(ROOT), patterns=["*.md"]
)
DOCSTRINGS = Sybil([DocTestParser()], path=str(ROOT), patterns=["*.py"])


def _blocks():
    for path in (*DOCUMENTS, *sorted(MODULES)):
        document = (DOCSTRINGS if path.suffix == ".py" else SYBIL).parse(path)
        for example in document.examples():
            comment = COMMENT.search(document.text[: example.start])
            marks = _marks(*comment.groups()) if comment else []
            name = f"{path.relative_to(ROOT).as_posix()}:{example.line}"
            yield pytest.param(example, id=name, marks=marks)


def _marks(word: str, text: str) -> list[pytest.MarkDecorator]:
    if word == "not run":
        return [pytest.mark.skip(reason=text)]
    return [getattr(pytest.mark, name) for name in text.split(", ")]


@pytest.fixture
def own_files(tmp_path, monkeypatch, forking, decoded):
    """A working folder with the files that the documents name as the reader's own."""
    noise = np.random.default_rng(0).integers(0, 255, (2, 8, 32, 32, 3), dtype=np.uint8)
    for name, images in zip(("cats", "dogs"), noise, strict=True):
        (tmp_path / name).mkdir()
        for number, image in enumerate(images):
            Image.fromarray(image).save(tmp_path / name / f"{number}.png")
    (tmp_path / "keras_model.h5").write_bytes(hdf5_file(*teachable_machine(classes=2)))
    (tmp_path / "labels.txt").write_text("0 Cat\n1 Dog\n")
    Image.fromarray(noise[0, 0]).resize((224, 224)).save(tmp_path / "photo.jpg")
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for path in tmp_path.glob("*/*.png"):
            archive.write(path, path.relative_to(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("example", list(_blocks()))
def test_a_block_runs_as_it_stands(example, own_files):
    example.evaluate()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_block_names_its_language(path):
    opened = re.findall(r"^ *```(.*)$", path.read_text("utf-8"), re.MULTILINE)[::2]
    assert set(opened) <= LANGUAGES


def test_every_comment_about_running_stands_before_a_block():
    for path in DOCUMENTS:
        text = path.read_text("utf-8")
        comments = re.findall(r"^ *<!-- (?:not run|needs)\b", text, re.MULTILINE)
        assert len(comments) == len(re.findall(r"<!-- (?:not run|needs): [^>]+ -->\n *```", text))
