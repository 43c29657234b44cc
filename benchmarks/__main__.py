"""`python -m benchmarks`: measure everything in one run and write `docs/benchmarks.md`.

`python -m benchmarks memory` measures one part and only prints it: a table holds the
figures of one run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import date

from benchmarks._measure import ROOT, machine

# The parts do not share a process: what one has imported would not be paid by the next.
PARTS = (
    "first_paint",
    "job_overhead",
    "memory",
    "throughput",
    "prediction",
    "predict_page",
    "model_memory",
)

HEAD = """# Benchmarks

Written by `make bench`. Everything here was taken in one run on one machine, ours and its peer in
turns; the absolute figures of such a machine swing by a factor of two, so the ratios count. A
ratio is the median over the rounds, with the smallest and the largest.

{machine}
- {date}

| what | ours | peer | ratio | target |
| --- | --- | --- | --- | --- |
{table}

{notes}
"""


def main() -> None:
    """Run the parts, print the table, and write it when it is whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="part")
    parts = parser.parse_args().parts or PARTS
    # Whoever reads the table should know what else ran.
    rows, notes = [], [f"Load average when it began: {os.getloadavg()[0]:.1f}."]
    for part in parts:
        print(f"{part} …", file=sys.stderr)
        result = run(part)
        print(*result["rows"], sep="\n", file=sys.stderr)
        rows += result["rows"]
        notes += result["notes"]
    text = document(rows, notes)
    print(text)
    if set(parts) == set(PARTS):
        (ROOT / "docs" / "benchmarks.md").write_text(text, "utf-8")


def run(part: str) -> dict:
    """Rows and notes of one part, measured in a process of its own."""
    command = [sys.executable, "-m", f"benchmarks.{part}"]
    output = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(output.splitlines()[-1])


def document(rows: list[dict], notes: list[str]) -> str:
    """The file as it is committed."""
    cells = ("what", "ours", "peer", "ratio", "target")
    return HEAD.format(
        machine="\n".join(f"- {line}" for line in machine()),
        date=date.today().isoformat(),
        table="\n".join(f"| {' | '.join(row[cell] for cell in cells)} |" for row in rows),
        notes="\n".join(f"- {note}" for note in notes),
    )


if __name__ == "__main__":
    main()
