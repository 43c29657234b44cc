"""The field's words everywhere: coinages that were replaced once must not come back.

A row is a pattern, what to say instead, and the files in which the pattern may stand, with why.
"""

from __future__ import annotations

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SEARCHED = (
    "app.py",
    "pages/*.py",
    "cnnkit/*.py",
    "docs/*.md",
    "*.md",
    "benchmarks/*.py",
    "tests/*",
)
COMPATIBLE = "reads what earlier versions wrote"
FORMER = {
    "tests/test_former_homes.py": COMPATIBLE,
    "tests/test_glossary.py": "the table",
    "CHANGELOG.md": "says what was renamed",
}

# Pattern, what to say instead, file -> why the pattern may stand there.
COINAGES: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        r"\bpictures?\b",
        "image",
        {
            "cnnkit/_cli/gradcheck.py": "former option",
            "cnnkit/datasets/_store.py": "file names in existing homes",
            "cnnkit/datasets/folders/report.py": COMPATIBLE,
            "cnnkit/runs/_store.py": COMPATIBLE,
            "cnnkit/ui/common/page.py": "former addresses",
            "cnnkit/visualize/plan.py": COMPATIBLE,
            "cnnkit/visualize/results.py": COMPATIBLE,
            "tests/datasets/*.py": "file names in existing homes",
        },
    ),
    (r"\bclimb", "activation maximization, optimize the image", {}),
    (r"\bwants? to see\b", "optimized image of a unit", {}),
    (r"\bexcit(e|es|ed|ing)\b", "maximize; top activating image", {}),
    (
        r"(?<!contact.)\bsheets?\b",
        "feature visualization grid, mosaic",
        {
            "cnnkit/ui/fine_tune/*.py": "contact sheet, as photographers call it",
        },
    ),
    (r"\brestrain(s|ed|ing|ts?)?\b|\bhold(s|ing)? down\b", "regularizer", {}),
    (r"\brungs?\b", "variant, ablation", {}),
    (r"\bverdicts?\b", "re-classification check", {}),
    (r"\bsittings?\b", "session", {}),
    (r"\bstudios?\b", "visualization worker", {"benchmarks/mutants.py": "name of a filter"}),
    (r"\bnursery\b|\bspare child", "warm worker", {}),
    (r"\bfree place\b", "slot; queued (2 ahead of you)", {}),
    (r"\bkept features\b", "cached features", {}),
    (r"\btrunks?\b", "frozen base", {"cnnkit/training/feature_cache.py": "digests of version 1"}),
    (r"\bnumbers? (to learn|learnt)\b|\bparameters that learn\b", "trainable parameters", {}),
    (r"\bdivisions?\b", "split", {"cnnkit/ui/fine_tune/experiment.py": "former address"}),
    (r"\bright on the test\b", "test accuracy", {}),
    (r"\bso of new\b", "95 % confidence interval", {}),
    (r"\bwhich was read as\b|\bwere read as\b", "confusion matrix; true and predicted class", {}),
    (r"\bfools\b", "misclassified images", {}),
    (r"\bweights of epoch\b", "best epoch (weights restored)", {}),
    (r"\bhow sure\b", "predicted probability", {}),
    (r"\bbest answers\b", "top-k predictions", {}),
    (r"\blargest of \d×", "max pooling", {}),
    (r"\bsees all \d", "dense (fully connected) layer", {}),
    (r"\banswers? of (a|the|this|every|each) (layer|filter)\b", "feature map, activation", {}),
    (r"\bwhat it sees\b", "receptive field", {}),
    (r"\bwhat reaches it\b", "gradient, delta", {}),
    (
        r"\btwins?\b",
        "NumPy model; residual and plain network; duplicate",
        {
            "cnnkit/datasets/_store.py": "key in existing homes",
        },
    ),
    (r"\bother noise\b", "random seed, initial noise", {}),
    (
        r"\bbrought\b|\bbring(s|ing)?\b",
        "uploaded, imported",
        {
            "tests/test_imports.py": "a name that is refused",
            "tests/test_networks.py": "former paths",
        },
    ),
    (r"\bone's own\b", "your, imported, uploaded", {}),
    (
        r"\bheadless\b",
        "model without top",
        {
            "benchmarks/_app.py": "a browser without a window",
            "tests/browser/*": "a browser without a window",
        },
    ),
    (r"\bways? downhill\b", "optimizers", {}),
    (r"\bthe way through\b|\bany layer closely\b", "feature maps, layer activations", {}),
    (
        r"\blearnt\b",
        "trained on; learned",
        {
            "cnnkit/ui/backpropagation/example.py": "former address",
            "tests/browser/test_backpropagation.py": "former address",
            "tests/ui/test_backpropagation_page.py": "former address",
        },
    ),
    (
        r"colour|behaviour|favour|\bcent(re|red|ring)s?\b|neighbour|\bgrey\b|artefact|labelled"
        r"|\b\w*(normal|visual|optim|initial|regular|serial|recogn|organ|general)is(e|ing|ation)",
        "American spelling",
        {
            "cnnkit/datasets/folders/*.py": "key in existing homes",
            "cnnkit/visualize/components.py": COMPATIBLE,
            "tests/datasets/folders/test_importing.py": "key in existing homes",
            "tests/visualize/test_registry.py": COMPATIBLE,
        },
    ),
)


@pytest.mark.parametrize(("pattern", "say", "exceptions"), COINAGES, ids=[c[1] for c in COINAGES])
def test_a_coinage_does_not_come_back(pattern, say, exceptions):
    coinage = re.compile(pattern, re.IGNORECASE)
    excused = [*exceptions, *FORMER]
    lines = [
        f"{path}:{number}: {line.strip()[:90]}"
        for path in _texts()
        if not any(fnmatch(path, one) for one in excused)
        for number, line in enumerate((ROOT / path).read_text("utf-8").splitlines(), start=1)
        if coinage.search(line)
    ]
    assert lines == [], f"say: {say}"


def test_every_exception_is_still_needed():
    idle = [
        f"{one}: {pattern}"
        for pattern, _, exceptions in COINAGES
        for one in exceptions
        if not any(
            re.search(pattern, (ROOT / path).read_text("utf-8"), re.IGNORECASE)
            for path in _texts()
            if fnmatch(path, one)
        )
    ]
    assert idle == []


def _texts() -> list[str]:
    """Code, pages, documents and tests: what git knows and what is new, as text."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *SEARCHED]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [
        path
        for path in listed.stdout.split("\n")
        if path.endswith((".py", ".pyi", ".md")) and (ROOT / path).is_file()
    ]
