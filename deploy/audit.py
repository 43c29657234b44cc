"""Ask what is known against the installed packages: `make audit`.

pip-audit asks the package index's vulnerability service. Where that cannot be reached, or knows
none of the packages, nothing was audited: this says so and does not fail.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

EXCEPTIONS = Path(__file__).with_name("audit.toml")
SECONDS = 90.0  # in all
COMMAND = ("-m", "pip_audit", "--local", "--progress-spinner=off", "--format=json", "--timeout=5")


def main() -> str:
    """Audit; returns what makes the audit fail, empty if nothing does."""
    ignored = tomllib.loads(EXCEPTIONS.read_text("utf-8"))["ignored"]
    for name, reason in ignored.items():
        print(f"Ignored {name}: {reason}")
    options = [word for name in ignored for word in ("--ignore-vuln", name)]
    try:
        done = subprocess.run(
            [sys.executable, *COMMAND, *options], capture_output=True, text=True, timeout=SECONDS
        )
        packages = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return _nothing(f"the vulnerability service did not answer within {SECONDS:.0f} s")
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return _nothing(f"the vulnerability service could not be reached ({last})")
    return summary(packages)


def summary(packages: list[dict]) -> str:
    """Say what pip-audit found; returns what makes the audit fail."""
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        return _nothing(f"the vulnerability service knows none of {len(packages)} packages")
    found = [
        f"{package['name']} {package['version']}: {one['id']}, fixed in "
        f"{', '.join(one['fix_versions']) or 'no version'}"
        for package in audited
        for one in package["vulns"]
    ]
    print(f"{len(audited)} of {len(packages)} packages audited.")
    return "\n".join(found)


def _nothing(reason: str) -> str:
    print(f"Nothing was audited: {reason}.")
    return ""


if __name__ == "__main__":
    sys.exit(main() or None)
