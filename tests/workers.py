"""A visualization worker without a process: what it is told is noted, states are the test's."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from cnnkit.jobs.kinds.explain import ExplainTask
from cnnkit.jobs.session_server import WorkerContext
from cnnkit.jobs.sessions import FRAME, ORDER, SessionState, write_frame, write_state
from cnnkit.jobs.visualization import VisualizationWorker
from cnnkit.runs import Status
from cnnkit.visualize import Plan

FINISHED = SessionState(status=Status.FINISHED, step=1, steps=1)


class StillWorker(VisualizationWorker):
    """Answers questions as it was made to; sessions stand still where the test puts them."""

    layers = (
        ("conv1", "Conv2D", (24, 24, 20)),
        ("conv2", "Conv2D", (8, 8, 50)),
        ("logits", "Dense", (10,)),
    )
    reading = False  # whether the layers are still being read
    explaining = False  # whether explanations are still being made

    def __init__(self, settings):
        """Note nothing yet."""
        super().__init__(settings)
        self.sent: list[tuple] = []  # (command, values)
        self.orders: dict[str, dict[str, Any]] = {}  # session → kind and spec

    def wake(self):
        """Start no process."""

    def command(self, session, command, **values):
        """Note it, and put what was just started where it would soon be."""
        self.sent.append((command, values))
        if command == "start":
            order = json.loads((self.folder / session / ORDER).read_bytes())
            self.orders[session] = order
            getattr(self, f"_{order['kind']}")(session, order["spec"])

    def put(self, session, state=None, **changes):
        """Have a session be in a state, or change some of it."""
        write_state(self.folder / session, replace(state or self.state(session), **changes))

    def started(self, kind):
        """The specs of the sessions of a kind that were started."""
        return [order["spec"] for order in self.orders.values() if order["kind"] == kind]

    def newest(self, kind="optimize"):
        """Id of the last session of a kind."""
        return [name for name, order in self.orders.items() if order["kind"] == kind][-1]

    def _layers(self, session, spec):
        layers = [[name, kind, list(shape)] for name, kind, shape in self.layers]
        done = replace(FINISHED, details={"layers": layers})
        self.put(session, SessionState(status=Status.RUNNING) if self.reading else done)

    def _recheck(self, session, spec):
        checks = [[_check("8 bit", True), _check("8 bit", False)]] * len(spec["targets"])
        self.put(session, replace(FINISHED, details={"checks": checks}))

    def _explain(self, session, spec):
        """Explanations are made here, as the process would make them."""
        context = WorkerContext(self.settings, self.sent.append, lambda name: None)
        task = ExplainTask(spec, self.folder / session, context)
        events = task.events()
        if self.explaining:
            for _ in range(2):
                progress = next(events)
            state = SessionState(status=Status.RUNNING, step=progress.step, steps=progress.steps)
        else:
            state = replace(FINISHED, step=(last := list(events)[-1]).step, steps=last.steps)
        self.put(session, replace(state, details=task.details()))

    def _dream(self, session, spec):
        curves = {"step": [1.0, 2.0], "value": [3.0, 4.0]}
        details = {"curves": curves, "notes": []}
        self.put(session, replace(FINISHED, step=30, steps=30, details=details))
        image = self.frame(session, "image.npy")
        write_frame(self.folder / session / FRAME, np.full((1, *image.shape), 9, np.uint8))

    def _optimize(self, session, spec):
        plan = Plan.from_dict(spec["plan"])
        curves = {"step": [1.0, 2.0], "gradient_norm": [1.0, 1.0]}
        curves |= {name: [1.0, 2.0] for name in plan.names("objective")}
        details = {"plan": spec["plan"], "target": spec["target"], "curves": curves}
        details |= {"snapshots": [0, 8], "notes": [], "steered": False, "key": "", "rate": 1.0}
        running = SessionState(status=Status.RUNNING, step=10, steps=plan.steps, details=details)
        self.put(session, replace(running, seconds_per_step=0.1))
        write_frame(self.folder / session / FRAME, np.full((1, 28, 28, 1), 9, np.uint8))


def _check(form, own):
    answers = [{"index": n, "name": str(n), "probability": 0.1} for n in (7, 1, 2, 3)]
    return {"network": "LeNet", "form": form, "own": own, "answers": answers, "target": 0.9}
