"""`python -m benchmarks`: measure every part and write `docs/benchmarks.md`.

`python -m benchmarks memory` measures one part anew and leaves the others' tables as they
are: within a part, ours and its peer were always taken in one run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import date

import psutil

from benchmarks._measure import ROOT, machine
from benchmarks._torch_env import MISSING, torch_python

# Name -> title. The parts do not share a process: what one has imported would not be paid
# by the next.
PARTS = {
    "first_paint": "First paint",
    "job_overhead": "Jobs",
    "job_start": "Starting a job",
    "memory": "Memory of a long training",
    "throughput": "Training",
    "prediction": "Predicting",
    "predict_page": "The page Predict",
    "inside": "The page Inside",
    "model_memory": "Networks in memory",
    "activation_maximization": "Activation maximization",
    "explain": "Explanations",
    "bare_pytorch": "Against PyTorch",
    "equal_quality": "Time to an image of equal quality",
    "steering": "The visualization worker",
    "page_switches": "Page switches beside others' work",
    "load": "A class of fifty",
    "soak": "A day of one server",
    "features": "Computing features",
    "transfer": "Fine-tuning",
    "camera": "The page Camera",
    "embedding": "Embeddings",
    "backprop": "The NumPy network",
    "builder": "Networks put together layer by layer",
}
DOCUMENT = ROOT / "docs" / "benchmarks.md"
RESULTS = ROOT / "docs" / "benchmarks.json"  # what the document is made of

HEAD = """# Benchmarks

Written by `make bench`. Every table was taken in one run, ours and its peer in turns; the absolute
figures of such a machine swing by a factor of two, so the ratios count. A ratio is the median over
the rounds, with the smallest and the largest.

"Against PyTorch" needs an environment of its own, `.venv-torch`: `make torch` makes it, and `make
torch TORCH=...` installs a wheel or release of your choice (PyTorch's build without CUDA is much
smaller). `CNNKIT_TORCH_PYTHON` names another Python that has PyTorch. Without one the part is
skipped.
"""


def main() -> None:
    """Run the parts, keep what they found, and write the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="part")
    for part in parser.parse_args().parts or PARTS:
        print(f"{part} …", file=sys.stderr)
        if missing := lacking(part):
            print(f"Skipped: {missing}", file=sys.stderr)
            continue
        result = run(part)
        print(*result["rows"], sep="\n", file=sys.stderr)
        known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
        known[part] = result
        RESULTS.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
        DOCUMENT.write_text(document(known), "utf-8")


def lacking(part: str) -> str:
    """What a part needs and this machine does not have, in a sentence; "": nothing."""
    return MISSING if part == "bare_pytorch" and torch_python() is None else ""


def run(part: str) -> dict:
    """Rows and notes of one part, measured in a process of its own, and where and when."""
    # Whoever reads the table should know what else ran.
    load = f"Load average when it began: {os.getloadavg()[0]:.1f}."
    command = [sys.executable, "-m", f"benchmarks.{part}"]
    before = psutil.cpu_times()
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    load += f" {_stolen(before, psutil.cpu_times()):.0%} of the processor went to other machines."
    result = json.loads(output.splitlines()[-1])
    where = [*machine(), date.today().isoformat(), load]
    return {"rows": result["rows"], "notes": result["notes"], "where": where}


def _stolen(before, after) -> float:
    """Share of the time between two looks that the host gave to others, 0 to 1.

    Where the system does not say (only Linux does), 0.
    """
    spent = sum(after) - sum(before)
    return (getattr(after, "steal", 0.0) - getattr(before, "steal", 0.0)) / max(spent, 1e-9)


def document(results: dict[str, dict]) -> str:
    """The file as it is committed: a section for each part that was measured."""
    sections = [_section(title, results[part]) for part, title in PARTS.items() if part in results]
    return "\n".join([HEAD, *sections])


def _section(title: str, result: dict) -> str:
    cells = ("what", "ours", "peer", "ratio", "target")
    lines = [
        cells,
        ["---"] * len(cells),
        *([row[cell] for cell in cells] for row in result["rows"]),
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    notes = "\n".join(f"- {note}" for note in (*result["notes"], *result["where"]))
    return f"## {title}\n\n{table}\n\n{notes}\n"


if __name__ == "__main__":
    main()
