"""The rounds of `make faults`: each lets one thing fail, and looks at what is left.

A round takes a `Bench`, and returns the sentence that a person saw, or "" where nobody looked.
It raises `Broken` where something does not hold.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks._fault_site import SPEC, Broken, Site, end
from cnnkit.runs import Status

DISK = 640  # MB of the small disk; imports leave 512 of them free
LONG = SPEC | {"epochs": 14}  # 4 s
MINUTE = SPEC | {"epochs": 60, "seconds": 0.15}  # a minute and a half


@dataclass
class Bench:
    """Where rounds happen, and what they may share.

    Args:
        folder: for homes.
        generator: draws everything that is drawn.
    """

    folder: Path
    generator: random.Random

    def __post_init__(self):
        """One home for all rounds that need none of their own: no run may get lost in it."""
        self.site = Site(self.folder / "home", self.generator)

    def new_site(self, **environment: str) -> Site:
        """A home of its own."""
        home = Path(tempfile.mkdtemp(dir=self.folder)) / "home"
        return Site(home, self.generator, **environment)


Round = Callable[[Bench], str]
ROUNDS: dict[str, tuple[int, str, Round]] = {}  # name -> share, title, round


def fault(share: int, title: str) -> Callable[[Round], Round]:
    """Register a round: of each hundred about `share` are of this kind."""

    def register(function: Round) -> Round:
        ROUNDS[function.__name__] = share, title, function
        return function

    return register


@fault(12, "SIGKILL to a job's process")
def kill_job(bench: Bench) -> str:
    """Kill the child at a random moment, perhaps while it starts or ends."""
    site = bench.site
    with site.pool() as pool:
        run = pool.submit(kind="rehearsal", spec=SPEC)
        site.until(run, lambda run: run.pid or run.status.over)
        site.pause(4)
        site.kill_child(run)
        site.ended(run)
    seen = site.command("runs", "show", run.id)[1].splitlines()[0]
    site.check(site.finish(run))
    return seen


@fault(4, "the web server ended while a job works")
def end_server(bench: Bench) -> str:
    """End the server by any signal; the next one takes over the job, which goes on."""
    site = bench.site
    run = site.store.create("rehearsal", SPEC, "served")
    first = site.serve()
    site.pause(3)
    end(first, site.generator.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
    second = site.serve()
    try:
        site.ended(run)
    finally:
        end(second)
    site.check(site.finish(run))
    return ""


@fault(2, "SIGKILL to web server and job at once")
def end_both(bench: Bench) -> str:
    """Nobody is left to write the end down; the next server has to notice."""
    site = bench.site
    run = site.store.create("rehearsal", SPEC, "alone")
    first = site.serve()
    site.until(run, lambda run: run.pid)
    site.pause(3)
    end(first)
    site.kill_child(run)
    second = site.serve()
    try:
        run = site.ended(run)
    finally:
        end(second)
    seen = site.command("runs", "show", run.id)[1].splitlines()[0]
    site.check(site.finish(run))
    return seen


@fault(3, "two servers on one home")
def two_servers(bench: Bench) -> str:
    """Both find the same queued runs: each is done once."""
    site = bench.site
    runs = [site.store.create("rehearsal", SPEC, f"queued {number}") for number in range(2)]
    servers = [site.start(_server_command(), stdout=subprocess.PIPE, text=True) for _ in "ab"]
    try:
        attempts = [site.ended(run).attempt for run in runs]
    finally:
        for server in servers:
            end(server)
    if attempts != [1, 1]:
        raise Broken(f"Runs were begun {attempts} times.")
    site.check(*runs)
    return ""


@fault(25, "SIGKILL to an import")
def kill_import(bench: Bench) -> str:
    """An import is there whole or not at all, and can be repeated."""
    site = bench.new_site()
    source = _images(Path(tempfile.mkdtemp(dir=bench.folder)), count=60)
    process = site.start([sys.executable, "-m", "cnnkit", "datasets", "import", str(source)])
    site.pause(9)
    end(process)
    code, said = site.command("datasets", "import", str(source))
    if code:
        raise Broken(f"The import cannot be repeated: {said}")
    listed = site.command("datasets")[1]
    if listed.count("60") < 1:
        raise Broken(f"The import is not whole: {listed}")
    site.check()
    return said.splitlines()[0]


@fault(33, "a file cut off or overwritten: record, checkpoint, artifact")
def damage_file(bench: Bench) -> str:
    """A sentence says what is damaged; `cnnkit doctor --repair` saves what can be saved."""
    site = bench.new_site()
    damages = [_damage_record, _damage_checkpoint, _damage_artifact, _damage_artifact]
    return site.generator.choice(damages)(site)


@fault(16, "the disk is full: training, import, visualization")
def fill_disk(bench: Bench) -> str:
    """A small disk is full at a random moment; with space again, all goes on."""
    with _small_disk(bench) as (site, filler):
        tasks = [_full_training, _full_import, _full_import, _full_import, _full_results]
        return site.generator.choice(tasks)(site, filler)


@fault(2, "SIGKILL to a Dask worker or the scheduler")
def kill_dask(bench: Bench) -> str:
    """A cluster loses a worker with its job, or its scheduler; the run ends as it should."""
    site, processes = _cluster(bench)
    scheduler, workers = processes[0], processes[1:]
    try:
        with site.pool() as pool:
            run = pool.submit(kind="rehearsal", spec=LONG)
            site.until(run, lambda run: run.pid)
            site.pause(4)
            victim = site.generator.choice([scheduler, *workers])
            victim.kill()
            if victim is not scheduler:
                site.kill_child(run)  # the machine of the worker is gone
            run = site.ended(run)
    finally:
        for process in processes:
            end(process)
    site.check(site.without("CNNKIT_SCHEDULER").finish(run))
    return ""


@fault(1, "the MLflow server stopped for a minute")
def stop_record(bench: Bench) -> str:
    """The record is away while a job works: nothing of the job is lost."""
    port = _free_port()
    root = Path(tempfile.mkdtemp(dir=bench.folder))
    server = _mlflow_server(root, port)
    site = bench.new_site(MLFLOW_TRACKING_URI=f"http://127.0.0.1:{port}")
    try:
        with site.pool() as pool:
            run = pool.submit(kind="rehearsal", spec=MINUTE)
            site.until(run, lambda run: run.progress)
            os.killpg(server.pid, signal.SIGSTOP)  # and the processes it has started
            began = time.monotonic()
            code, seen = site.command("runs", "list")
            took = time.monotonic() - began
            if code == 0 or took > 30:
                raise Broken(f"The command line said after {took:.0f} s: {seen}")
            time.sleep(max(0.0, 60 - took))
            os.killpg(server.pid, signal.SIGCONT)
            site.ended(run)
        site.check(site.finish(run))
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(60)
    return seen


@fault(1, "SIGKILL to the visualization worker")
def kill_visualization(bench: Bench) -> str:
    """Its sessions are interrupted with a reason, and begin again when asked."""
    from cnnkit.jobs.visualization import VisualizationWorker
    from cnnkit.networks import NetworkRef

    site = bench.new_site()
    worker = VisualizationWorker(site.settings)
    try:
        session = worker.ask_layers(NetworkRef("run", "starter"))
        site.pause(6)
        if worker.pid:
            os.kill(worker.pid, signal.SIGKILL)
        worker.wake()
        state = _session_ended(worker, session)
        seen = f"{state.status}: {state.reason.splitlines()[0] if state.reason else 'finished'}"
        if state.status is not Status.FINISHED:
            worker.command(session, "restart")
            state = _session_ended(worker, session, Status.INTERRUPTED)
        if state.status is not Status.FINISHED:
            raise Broken(f"A session that was begun again is {state}")
    finally:
        worker.close()
    site.check()
    return seen


@fault(1, "SIGKILL to a real training")
def kill_training(bench: Bench) -> str:
    """A network that trains is killed; its weights end as those of an undisturbed training."""
    from benchmarks._fault_training import compare_killed_training

    return compare_killed_training(bench.site)


def _server_command() -> list[str]:
    from benchmarks._fault_site import SERVER

    return [sys.executable, "-c", SERVER]


def _images(folder: Path, count: int) -> Path:
    """A folder of two classes of small images."""
    pixels = np.random.default_rng(0)
    for number in range(count):
        place = folder / ("light" if number % 2 else "dark")
        place.mkdir(parents=True, exist_ok=True)
        image = pixels.integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(image).save(place / f"{number}.png")
    return folder


def _cut_or_overwrite(site: Site, path: Path) -> None:
    size = path.stat().st_size
    if site.generator.random() < 0.5:
        os.truncate(path, site.generator.randrange(size))
    else:
        with path.open("r+b") as file:
            file.seek(site.generator.randrange(size // 2))
            file.write(site.generator.randbytes(size // 2))


def _damage_record(site: Site) -> str:
    """What cannot be read is lost, and said; the record works again."""
    for number in range(20):
        site.store.create("rehearsal", SPEC, f"earlier {number}", status=Status.FINISHED)
    _cut_or_overwrite(site, site.settings.home / "runs.db")
    code, seen = site.command("doctor")
    if code == 0:  # the noise hit pages that are not in use
        return ""
    code, said = site.command("doctor", "--repair")
    if code or "Repaired" not in said:
        raise Broken(f"The record was not repaired: {said}")
    code, said = site.command("runs", "list")
    if code or not list(site.settings.home.glob("runs.db.damaged-*")):
        raise Broken(f"The record does not work: {said}")
    return seen.splitlines()[0]


def _damage_checkpoint(site: Site) -> str:
    """The run begins again, and says so."""
    with site.pool() as pool:
        run = pool.submit(kind="rehearsal", spec=LONG)
        site.until(run, lambda run: len(site.store.history(run.id)) > 1)
        site.kill_child(run)
        site.ended(run)
        _cut_or_overwrite(site, site.settings.jobs / run.id / "checkpoint.npz")
    with site.pool() as pool:
        pool.resume(run.id)
        run = site.ended(run)
    if "began again with the first epoch" not in run.note:
        raise Broken(f"The run does not say that progress was lost: {run}")
    site.check(run)
    return run.note


def _damage_artifact(site: Site) -> str:
    """The doctor names the run; what is damaged is told in a sentence."""
    from cnnkit.runs._starter import FOLDER

    run = site.store.create("train", {"model": "toy_cnn"}, "network", status=Status.FINISHED)
    for name in ("card.json", "model.keras"):
        site.store.add_artifact(run.id, FOLDER / name)
    name = site.generator.choice(["card.json", "model.keras"])
    _cut_or_overwrite(site, site.store.artifact(run.id, name))
    code, seen = site.command("evaluate", run.id, "--dataset", "digits")
    named = site.command("doctor")[1]
    if code == 0 or (run.id not in named):
        raise Broken(f"{name} is damaged, and this was said: {seen} {named}")
    return seen.splitlines()[-1]


@contextlib.contextmanager
def _small_disk(bench: Bench) -> Iterator[tuple[Site, Path]]:
    """A home on a disk of its own, and the path of a file that fills it."""
    place = Path(tempfile.mkdtemp(dir=bench.folder))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "tmpfs", str(place)], check=True)
    try:
        yield Site(place / "home", bench.generator), place / "filler"
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(filler: Path, leave: int) -> None:
    """Fill the disk, but for so many bytes."""
    free = shutil.disk_usage(filler.parent).free
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - leave))


def _full_training(site: Site, filler: Path) -> str:
    run = None
    seen = ""
    early = site.generator.random() < 0.4
    if early:
        _fill(filler, leave=site.generator.randrange(2) * 8192)
        code, seen = site.command("train", "toy_cnn", "--set", "epochs=1", "--detach")
        if code == 0:
            raise Broken(f"A training begins on a full disk: {seen}")
        filler.unlink()
        run = site.store.create("rehearsal", SPEC, "later")
        with site.pool() as pool:
            pool.submit(run.id)
            site.ended(run)
    else:
        with site.pool() as pool:
            run = pool.submit(kind="rehearsal", spec=LONG)
            site.until(run, lambda run: run.pid)
            site.pause(5)
            _fill(filler, leave=0)
            time.sleep(3)
            seen = site.command("runs", "show", run.id)[1].splitlines()[0]
            filler.unlink()
            run = site.ended(run)
    run = site.finish(run)
    for one in site.store.list(statuses=[Status.QUEUED], limit=99):
        site.command("runs", "cancel", one.id)
    site.check(run)
    return seen


def _full_import(site: Site, filler: Path) -> str:
    source = _images(filler.parent / "source", count=120)
    command = [sys.executable, "-m", "cnnkit", "datasets", "import", str(source)]
    process = site.start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    site.pause(8)
    _fill(filler, leave=0)
    seen = process.communicate(timeout=120)[0].strip()
    if "Traceback" in seen:
        raise Broken(f"An import on a full disk shows a traceback: {seen}")
    filler.unlink()
    code, said = site.command("datasets", "import", str(source))
    if code:
        raise Broken(f"The import cannot be repeated: {said}")
    site.check()
    return seen.splitlines()[-1] if process.returncode else ""


def _full_results(site: Site, filler: Path) -> str:
    _fill(filler, leave=site.generator.randrange(3) * 4096)
    command = ("visualize", "--model", "starter", "--class", "3", "--steps", "2")
    output = filler.with_name("image.png")
    code, seen = site.command(*command, "--out", str(output))
    if code == 0 and not output.stat().st_size:
        raise Broken(f"An image that was not written: {seen}")
    filler.unlink()
    code, said = site.command(*command, "--out", str(output))
    if code:
        raise Broken(f"The visualization cannot be repeated: {said}")
    site.check()
    return seen.splitlines()[-1] if seen else ""


def _cluster(bench: Bench) -> tuple[Site, list[subprocess.Popen]]:
    """Scheduler and two workers of one home, in processes of their own."""
    port = _free_port()
    site = bench.new_site(CNNKIT_SCHEDULER=f"tcp://127.0.0.1:{port}")
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    scheduler = site.start(
        [*dask, "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show"]
    )
    dask = [sys.executable, "-m", "distributed.cli.dask_worker", f"tcp://127.0.0.1:{port}"]
    options = ["--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory"]
    workers = [site.start([*dask, *options, str(bench.folder)]) for _ in range(2)]
    return site, [scheduler, *workers]


def _mlflow_server(root: Path, port: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    places = ["--backend-store-uri", f"sqlite:///{root}/runs.db", "--artifacts-destination"]
    server = subprocess.Popen(
        [*command, *places, str(root / "artifacts"), "--workers", "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
            return server
        time.sleep(0.5)
    raise Broken("The MLflow server did not start.")


def _session_ended(worker, session: str, before: Status | None = None):
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        state = worker.state(session)
        if state and state.status.over and state.status is not before:
            return state
        time.sleep(0.1)
    raise Broken(f"A session is stuck: {worker.state(session)}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
