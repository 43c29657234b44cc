"""The visualization worker, as a page sees it: steps a second, sliders, stopping, memory.

All of it from outside: commands go to a real child, and states are read from its folder as
a page reads them. There is no peer: no neighbor can be steered.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks._measure import Row, save
from cnnkit.jobs.sessions import SessionState, read_state
from cnnkit.jobs.visualization import VisualizationWorker
from cnnkit.models import pretrained_info
from cnnkit.networks import NetworkRef
from cnnkit.settings import Settings, get_settings
from cnnkit.visualize import Plan, class_logit, presets
from cnnkit.visualize.presets import completed

STARTER = NetworkRef("run", "starter")
NETWORKS = {  # title → (source, image's side, class, steps a second that were wanted)
    "GoogLeNet": (NetworkRef("pretrained", "googlenet"), 224, 130, 5),
    "MobileNetV2": (NetworkRef("pretrained", "mobilenet_v2"), 224, 130, 10),
    "Starter (LeNet)": (STARTER, 28, 7, 10),
}
RECIPES = ("all", "quick")
LONG, RUNS, SHORT = 1000, 50, 32  # steps of a long run; runs in a row, and their steps
EARLY = 0.1  # of a run or of the runs, after which nothing more should be needed
READ_SECONDS = 0.02  # between two reads, where moments count
PAGE_SECONDS = 0.2  # between two reads of a page
MIB = 2**20


@contextmanager
def worker() -> Iterator[VisualizationWorker]:
    """A worker with a home of its own, whose child has TensorFlow."""
    with tempfile.TemporaryDirectory() as home:
        known = {"CNNKIT_HOME": home, "CNNKIT_DATA_DIR": str(get_settings().data_dir or "")}
        running = VisualizationWorker(Settings.from_environment(known))
        try:
            running.wake()
            yield running
        finally:
            running.close()


def plan(name: str, unit: int, side: int, **changes) -> Plan:
    """As the page makes it, every regularizer ready to be turned up."""
    return completed(presets.get(name).plan(class_logit(unit), size=(side, side), **changes))


def until(
    running: VisualizationWorker,
    session: str,
    reached,
    seconds: float = 600,
    every: float = READ_SECONDS,
) -> SessionState:
    """Read the state until something is so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = running.state(session)
        if state and state.status in ("failed", "interrupted"):
            raise SystemExit(f"The session {state.status}: {state.reason}")
        if state and not state.wish and reached(state):
            return state
        time.sleep(every)
    raise SystemExit(f"Nothing came within {seconds:.0f} s.")


def rates(running: VisualizationWorker, rounds: int) -> list[Row]:
    """Steps a second of each network, told frames and kept steps included."""
    rows = []
    for title, (source, side, unit, wanted) in NETWORKS.items():
        if source.kind == "pretrained" and not pretrained_info(source.name).available:
            continue
        for recipe in RECIPES:
            found = [
                _rate(running, source, plan(recipe, unit, side, seed=n)) for n in range(rounds)
            ]
            rows.append(
                Row(
                    what=f"{title}, “{presets.get(recipe).title}”",
                    ours=f"{statistics.median(found):.1f} steps/s",
                    peer="none",
                    ratio=f"{min(found):.1f} to {max(found):.1f}",
                    target=f"at least {wanted}",
                )
            )
            print(rows[-1], file=sys.stderr)
    return rows


def _rate(running: VisualizationWorker, source: NetworkRef, wanted: Plan) -> float:
    session = running.optimize(source, wanted)
    first = until(running, session, lambda state: state.step >= 8)
    began = time.monotonic()
    last = until(running, session, lambda state: state.over, every=PAGE_SECONDS)
    return (last.step - first.step) / (time.monotonic() - began)


def slider(running: VisualizationWorker, rounds: int) -> Row:
    """From turning total variation up to a frame that was made with it."""
    seconds = []
    for number in range(rounds):
        wanted = plan("all", 130, 224, seed=number)
        session = running.optimize(NETWORKS["GoogLeNet"][0], wanted)
        until(running, session, lambda state: state.step >= 8)
        numbers = wanted.numbers()
        path = next(name for name in numbers if name.endswith(".weight") and numbers[name] == -0.01)
        seconds.append(_effect(running, session, path, -1.0))
        running.command(session, "stop")
    return _seconds_row("GoogLeNet: a slider's effect in the image", seconds, "at most .5 s")


def _effect(running: VisualizationWorker, session: str, path: str, value: float) -> float:
    """Seconds from turning a number to a frame of a step that was made with it."""
    began = time.monotonic()
    running.command(session, "steer", numbers={path: value})
    until(
        running,
        session,
        lambda state: _number(state, path) == value and state.frame_step == state.step,
    )
    return time.monotonic() - began


def stopping(running: VisualizationWorker, rounds: int) -> Row:
    """From Stop until the child takes no more steps, in the slowest network there is."""
    seconds = []
    source = NetworkRef("built", "vgg16")
    for number in range(rounds):
        session = running.optimize(source, plan("all", 130, 224, seed=number))
        until(running, session, lambda state: state.step >= 2)
        began = time.monotonic()
        running.command(session, "stop")
        while (state := read_state(running.folder / session)) is None or not state.over:
            time.sleep(READ_SECONDS)  # the child's own word
        seconds.append(time.monotonic() - began)
    return _seconds_row("VGG16: Stop until no more steps are taken", seconds, "within a second")


def memory(running: VisualizationWorker) -> list[Row]:
    """Of the child, after a tenth and at the end: of a long run, and of many."""
    source, side, unit, _ = NETWORKS["MobileNetV2"]
    if not pretrained_info(source.name).available:
        source, side, unit, _ = NETWORKS["Starter (LeNet)"]
    session = running.optimize(source, plan("all", unit, side, steps=LONG))
    until(running, session, lambda state: state.step >= EARLY * LONG)
    early = _resident(running)
    until(running, session, lambda state: state.over, 1200, PAGE_SECONDS)
    rows = [_memory_row(f"{LONG} steps of one image", early, _resident(running))]
    taken = []
    for number in range(RUNS):
        session = running.optimize(source, plan("all", unit, side, steps=SHORT, seed=number))
        until(running, session, lambda state: state.over, every=PAGE_SECONDS)
        taken.append(_resident(running))
    early = taken[int(EARLY * RUNS) - 1]
    return [*rows, _memory_row(f"{RUNS} runs of {SHORT} steps", early, taken[-1])]


def _number(state: SessionState, path: str) -> object:
    return Plan.from_dict(state.details["plan"]).numbers()[path]


def _resident(running: VisualizationWorker) -> float:
    return psutil.Process(running.pid).memory_info().rss / MIB


def _seconds_row(what: str, seconds: list[float], target: str) -> Row:
    return Row(
        what=what,
        ours=f"{statistics.median(seconds):.2f} s",
        peer="none",
        ratio=f"{min(seconds):.2f} to {max(seconds):.2f} s",
        target=target,
    )


def _memory_row(what: str, early: float, late: float) -> Row:
    return Row(
        what=f"Memory of the child: {what}",
        ours=f"{late:.0f} MiB",
        peer=f"{early:.0f} MiB after a tenth",
        ratio=f"{late / early - 1:+.1%}",
        target="flat",
    )


def main() -> None:
    """Measure and print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with worker() as running:
        rows = rates(running, rounds)
        if pretrained_info("googlenet").available:
            rows.append(slider(running, rounds))
        rows.append(stopping(running, rounds))
        rows += memory(running)
    save(rows, [f"Read from {Path('state.json')} of the session, as the page does."])


if __name__ == "__main__":
    main()
