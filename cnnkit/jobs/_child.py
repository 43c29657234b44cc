"""The process of a job: started here, or adopted by its pid."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

import cnnkit
from cnnkit.jobs._fork_server import UNKNOWN, ForkedProcess, fork_server
from cnnkit.jobs.forking import ForkOrder
from cnnkit.runs import IMPATIENT, Run
from cnnkit.settings import Settings

LOG_FILE = "log.txt"
ATTEMPT = "=== attempt"  # how the log of each attempt begins
CLOCK_SLACK = 2.0  # seconds by which two readings of a process's birth may differ

Process = subprocess.Popen | ForkedProcess  # what this process has started


class Child:
    """A job's process; `process` is its handle if this process started it."""

    def __init__(self, pid: int, process: Process | None = None):
        self.pid = pid
        self._process = process
        self._adopted = None if process else psutil.Process(pid)

    @classmethod
    def adopt(cls, run: Run) -> Child | None:
        """The living process that a run names on this machine, if there is one."""
        if run.pid is None or run.pid_created is None:
            return None
        try:
            child = cls(run.pid)
            same = abs(child.created - run.pid_created) < CLOCK_SLACK
        except psutil.NoSuchProcess:
            return None
        return child if same and child.alive() else None

    @property
    def created(self) -> float:
        """When the process began, seconds since 1970; with the pid it is unique."""
        if isinstance(self._process, ForkedProcess):
            return self._process.created  # it may be over already, and nothing is left of it
        return (self._adopted or psutil.Process(self.pid)).create_time()

    def alive(self) -> bool:
        """Whether it still runs; a dead one that nobody has waited for does not."""
        if self._adopted is None:
            return self._process is not None and self._process.poll() is None
        try:
            return self._adopted.is_running() and self._adopted.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    @property
    def returncode(self) -> int | None:
        """Negative: killed by that signal; None: not known, or alive."""
        code = self._process.poll() if self._process else None
        return None if code == UNKNOWN else code

    def wait(self, seconds: float) -> None:
        """Until it ends, or for so long; asleep where the system can wake us at its end."""
        forked = isinstance(self._process, ForkedProcess)
        if not forked and _wait_asleep(self.pid, seconds):
            return
        if self._process:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                return
        else:
            time.sleep(seconds)

    def kill(self) -> None:
        """End it and whatever it has started, without asking."""
        if not self.alive():
            return  # its pid may be another's by now
        try:
            # It leads a process group of its own from the moment it takes a run.
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _wait_asleep(pid: int, seconds: float) -> bool:
    """Wait for the end of a process without looking again and again; False: not possible here.

    `Popen.wait` looks twenty times a second as soon as it is given a time.
    """
    try:
        end = os.pidfd_open(pid)  # Linux
    except ProcessLookupError:
        return True
    except (AttributeError, OSError):
        return False
    try:
        waiting = select.poll()
        waiting.register(end, select.POLLIN)
        waiting.poll(1000 * seconds)
    finally:
        os.close(end)
    return True


def start_child(settings: Settings, run_id: str, lease: str | None, shared: bool) -> Process:
    """A new process for a run, in a session of its own: it outlives its starter.

    With no `lease`, the right to write the run, it takes one itself. `shared` keeps
    checkpoints in the artifact store too.
    """
    arguments = [run_id, *(["--lease", lease] if lease else []), *(["--shared"] if shared else [])]
    return start_process(settings, *arguments, log=log_file(settings, run_id), outlives=True)


def wake_fork_server(settings: Settings) -> None:
    """Have `start_process` fork, as soon as everything is imported."""
    fork_server.wake(child_environment(settings), settings.jobs / "fork-server.log")


def start_warm_worker(settings: Settings) -> Process:
    """A process that imports what jobs need, learns something tiny and waits for `hand_over`."""
    log = settings.jobs / "warm-worker.log"
    log.unlink(missing_ok=True)
    return start_process(settings, "--warm", log=log)


def start_process(
    settings: Settings, *arguments: str, log: Path, outlives: bool = False
) -> Process:
    """`cnnkit worker` with some arguments, its output appended to `log`.

    It is forked from the fork server where that is ready, else it is a new interpreter. One that
    `outlives` this process goes on after it; else it reads from a pipe, and ends with it.
    """
    environment = child_environment(settings)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        order = ForkOrder(list(arguments), environment, outlives)
        return fork_server.fork(order, output=output.fileno()) or subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "cnnkit", "worker", *arguments],
            stdin=subprocess.DEVNULL if outlives else subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=outlives,
        )


def hand_over(worker: Process, run_id: str, lease: str, shared: bool) -> bool:
    """Give a warm worker its run. False: it has died meanwhile."""
    order = json.dumps({"run_id": run_id, "lease": lease, "shared": shared}) + "\n"
    if worker.stdin is None or worker.poll() is not None:
        return False
    try:
        worker.stdin.write(order.encode())
        worker.stdin.close()
    except BrokenPipeError:
        return False
    return True


def child_environment(settings: Settings) -> dict[str, str]:
    """This process's environment, with our settings and quiet libraries."""
    package = Path(cnnkit.__file__).resolve().parent.parent
    paths = [str(package), os.environ.get("PYTHONPATH", "")]
    values = {
        "CNNKIT_HOME": str(settings.home),
        **{
            f"CNNKIT_{name.upper()}": str(max(1, getattr(settings, name) // 2**20))
            for name in ("model_memory", "results_memory", "features_memory", "images_memory")
        },
        "CNNKIT_OFFLINE": str(int(settings.offline)),
        "CNNKIT_DATA_DIR": str(settings.data_dir or ""),
        "MLFLOW_TRACKING_URI": settings.tracking_uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONUNBUFFERED": "1",
        "KERAS_BACKEND": "tensorflow",
    }
    # Nobody waits for a job's record: it has MLflow's own patience with a server that is away.
    inherited = {name: value for name, value in os.environ.items() if IMPATIENT.get(name) != value}
    return {"TF_CPP_MIN_LOG_LEVEL": "2"} | inherited | values


def log_file(settings: Settings, run_id: str) -> Path:
    """Where a job's process writes what it has to say."""
    folder = settings.jobs / run_id
    folder.mkdir(parents=True, exist_ok=True)
    return folder / LOG_FILE


def last_lines(settings: Settings, run_id: str, count: int = 15) -> str:
    """The end of what the last attempt at a job wrote."""
    try:
        text = log_file(settings, run_id).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    lines = text.rpartition(ATTEMPT)[2].splitlines()[1:] if ATTEMPT in text else text.splitlines()
    return "\n".join(lines[-count:])
