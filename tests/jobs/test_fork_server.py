"""The fork server: its children are like new processes, and nobody waits for it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest

from cnnkit._cli.worker import NICE
from cnnkit.jobs import _child
from cnnkit.jobs._child import Child, child_environment, start_child, start_process
from cnnkit.jobs._fork_server import POSSIBLE, UNKNOWN, ForkedProcess, ForkServer, fork_server
from cnnkit.jobs.forking import ForkOrder
from cnnkit.models import MODEL_FILE
from cnnkit.runs import Status
from cnnkit.training import get_recipe

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="forking with pidfds is for Linux")

PATIENCE = 120.0
SHORT = {"epochs": 2, "steps": 3, "seconds": 0.01}
TOY = get_recipe("toy_cnn", "fast").replace(epochs=2, stopping=None)

# As the real one, but that it imports next to nothing, and its children do what they are told.
LIGHT = """
import sys
from cnnkit.jobs.forking import fork_children
fork_children(int(sys.argv[1]), lambda arguments: exec(arguments[0]), ["numpy", "psutil"])
"""
# The real children, each of which imports what it needs.
LAZY = """
import sys
from cnnkit.__main__ import main
from cnnkit.jobs.forking import fork_children
run = lambda arguments: main(["worker", *arguments])
fork_children(int(sys.argv[1]), run, ["numpy", "psutil"])
"""


def eventually(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "Waited in vain."
        time.sleep(0.02)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture(scope="module")
def awake(tmp_path_factory):
    """A server of another program, ready to fork."""
    opened = []

    def awake(program: str, environment=os.environ) -> ForkServer:
        server = ForkServer([sys.executable, "-c", program])
        opened.append(server)
        log = tmp_path_factory.mktemp("fork-server") / "log"
        server.wake(dict(environment), log)
        assert server.wait(PATIENCE), log.read_text()
        return server

    yield awake
    for server in opened:
        server.close()


@pytest.fixture(scope="module")
def light(awake):
    return awake(LIGHT)


@pytest.fixture
def tell(light, tmp_path):
    """Start a child that does something, and have what it prints."""

    def tell(code: str, environment=None, *, outlives=True) -> tuple[ForkedProcess, str]:
        with (tmp_path / "output").open("w+b") as output:
            order = ForkOrder([code], dict(environment or os.environ), outlives)
            child = light.fork(order, output=output.fileno())
            assert child is not None
            child.wait(PATIENCE)
            output.seek(0)
            return child, output.read().decode()

    return tell


def rehearse(settings, store):
    run = store.create("rehearsal", SHORT)
    process = start_child(settings, run.id, None, shared=False)
    assert process.wait(PATIENCE) == 0
    ended = store.get(run.id)
    assert (ended.status, ended.pid) == (Status.FINISHED, process.pid)
    return process, ended


def train(settings, store):
    run = store.create("train", TOY.to_dict())
    process = start_child(settings, run.id, None, shared=False)
    assert process.wait(PATIENCE) == 0, _child.last_lines(settings, run.id)
    return process, store.get(run.id)


def stored_weights(path) -> dict[str, np.ndarray]:
    """All arrays of a network in a file, without importing Keras."""
    arrays = {}

    def keep(name, entry):
        if isinstance(entry, h5py.Dataset):
            arrays[name] = entry[()]

    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as packed:
        with h5py.File(packed) as file:
            file.visititems(keep)
    return arrays


# The real one


def test_a_forked_training_ends_with_exactly_the_weights_of_a_new_process(
    settings, store, forking, monkeypatch
):
    forked, first = train(settings, store)
    # What a library reads while it is imported cannot be changed any more: no fork is right.
    monkeypatch.setenv("KERAS_NONSENSE", "1")
    fresh, second = train(settings, store)
    assert isinstance(forked, ForkedProcess) and isinstance(fresh, subprocess.Popen)
    weights = [stored_weights(store.artifact(run.id, MODEL_FILE)) for run in (first, second)]
    assert len(weights[0]) > 2 and list(weights[0]) == list(weights[1])
    for name, values in weights[0].items():
        np.testing.assert_array_equal(values, weights[1][name], strict=True)
    assert store.history(first.id)[-1]["loss"] == store.history(second.id)[-1]["loss"]


def test_a_fork_server_that_has_imported_everything_has_computed_nothing(forking):
    process = Path(f"/proc/{fork_server.pid}")
    files = [os.readlink(file) for file in (process / "fd").iterdir()]
    assert sum(name.startswith("socket:") for name in files) == 1 and len(files) == 4
    threads = [(task / "comm").read_text() for task in (process / "task").iterdir()]
    # Of OpenBLAS, which ends them before a fork, and of jemalloc; none of TensorFlow's.
    assert not any(name.startswith("tf_") for name in threads)


def test_it_answers_as_soon_as_a_page_would_and_its_children_give_way(pool, until, forking):
    own = psutil.Process().nice()
    run = until(
        pool.submit(kind="rehearsal", spec={"epochs": 40, "steps": 10, "seconds": 0.02}),
        lambda run: run.progress,
    )
    assert psutil.Process(fork_server.pid).nice() == own
    assert psutil.Process(run.pid).ppid() == fork_server.pid
    assert psutil.Process(run.pid).nice() == max(NICE, own)


def test_many_slots_fork_at_once(settings, store, forking):
    ended = []
    threads = [
        threading.Thread(target=lambda: ended.append(rehearse(settings, store))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({process.pid for process, _ in ended}) == 4
    assert all(isinstance(process, ForkedProcess) for process, _ in ended)
    assert len({run.metrics["value"] for _, run in ended}) == 1


def test_a_pool_sees_how_a_forked_child_was_killed(pool, until):
    run = pool.submit(kind="rehearsal", spec={"epochs": 900})
    run = until(run, lambda run: run.progress)
    assert psutil.Process(run.pid).ppid() == fork_server.pid
    os.kill(run.pid, signal.SIGKILL)
    ended = until(run, lambda run: run.status.over)
    assert ended.status is Status.INTERRUPTED and "SIGKILL" in ended.reason


# Its end


@pytest.mark.endurance  # imports all there is three times
def test_without_a_fork_server_a_new_process_starts_and_running_children_go_on(
    settings, store, until, awake, monkeypatch
):
    server = awake(LAZY, child_environment(settings))
    monkeypatch.setattr(_child, "fork_server", server)
    run = store.create("rehearsal", {"epochs": 20, "steps": 10, "seconds": 0.02})
    process = start_child(settings, run.id, None, shared=False)
    child = Child(process.pid, process)
    assert isinstance(process, ForkedProcess)
    until(run, lambda run: run.progress)
    assert os.getsid(process.pid) == process.pid
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: server.pid is None)
    assert child.alive() and not server.ready
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    fresh, ended = rehearse(settings, store)
    assert isinstance(fresh, subprocess.Popen)
    assert until(run, lambda run: run.status.over).status is Status.FINISHED
    child.wait(PATIENCE)
    assert not child.alive() and process.poll() == UNKNOWN and child.returncode is None
    server.wake(child_environment(settings), settings.jobs / "fork-server.log")
    assert server.wait(PATIENCE)
    forked, again = rehearse(settings, store)
    assert isinstance(forked, ForkedProcess)
    assert again.metrics["value"] == ended.metrics["value"]


def test_it_ends_with_its_parent_and_so_does_what_waits_and_nothing_else(tmp_path):
    program = f"""
import json, os, sys, time
from pathlib import Path
from cnnkit.jobs._fork_server import ForkServer
from cnnkit.jobs.forking import ForkOrder
server = ForkServer([sys.executable, "-c", {LIGHT!r}])
server.wake(dict(os.environ), Path({str(tmp_path)!r}) / "server.log")
assert server.wait(120)
waiting, working = "import sys; sys.stdin.readline()", "import time; time.sleep(600)"
orders = [(waiting, False), (working, True)]
orders = [ForkOrder([code], dict(os.environ), outlives) for code, outlives in orders]
children = [server.fork(order, output=2) for order in orders]
print(json.dumps([server.pid, *(child.pid for child in children)]), flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    server, waiting, working = json.loads(parent.stdout.readline())
    os.kill(server, signal.SIGINT)  # Control-C in the terminal
    time.sleep(0.2)
    assert not any(map(gone, (server, waiting, working)))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    eventually(lambda: gone(server) and gone(waiting))
    assert not gone(working)
    assert (tmp_path / "server.log").read_text() == "", "it ends without a word"
    os.kill(working, signal.SIGKILL)


def test_nobody_waits_for_a_fork_server_that_does_not_answer(awake, monkeypatch):
    monkeypatch.setattr("cnnkit.jobs._fork_server.ANSWER_SECONDS", 0.5)
    stopped = awake(LIGHT)
    os.kill(stopped.pid, signal.SIGSTOP)
    began = time.monotonic()
    assert stopped.fork(ForkOrder(["pass"], dict(os.environ), True), output=2) is None
    assert time.monotonic() - began < 5 and stopped.pid is None


def test_an_order_that_nobody_waits_for_any_more_is_not_carried_out(light, tell, tmp_path):
    done = tmp_path / "done"
    order = ForkOrder([f"open({str(done)!r}, 'w')"], dict(os.environ), True)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, (tmp_path / "output").open("wb") as output, light._control.dup() as control:
        files = [theirs.fileno(), output.fileno(), output.fileno(), output.fileno()]
        socket.send_fds(control, [order.to_bytes()], files)
        theirs.close()
        birth, process, _, _ = socket.recv_fds(ours, 4096, 1)
    gone_at_once = json.loads(birth)["pid"]
    os.close(process[0])
    eventually(lambda: gone(gone_at_once))
    assert tell("print('next')")[1] == "next\n" and not done.exists()


# Its children


def test_a_child_has_the_environment_folder_and_descriptors_of_its_order_alone(
    tell, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    code = """
import json, os, signal, sys
files = sorted(map(int, os.listdir("/proc/self/fd")))[:-1]  # the last one lists the folder
asks = signal.getsignal(signal.SIGINT) is signal.default_int_handler
print(json.dumps([dict(os.environ), os.getcwd(), files, asks, os.getsid(0) == os.getpid()]))
"""
    environment = {"HOME": "/nowhere", "CNNKIT_HOME": "/else\udcff", "PATH": os.environ["PATH"]}
    environment |= {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("TF_", "KERAS_", "PYTHON"))
    }
    child, said = tell(code, environment)
    assert child.returncode == 0
    seen, folder, files, asks, leads = json.loads(said)
    assert seen == environment and folder == str(tmp_path) and files == [0, 1, 2]
    # As in this process: Control-C is ignored where a shell began the tests in the background.
    assert leads and asks == (signal.getsignal(signal.SIGINT) is signal.default_int_handler)


def test_no_two_children_draw_the_same_random_numbers(tell):
    code = "import random; import numpy as np; print(np.random.rand(), random.random())"
    drawn = [number for _ in range(2) for number in tell(code)[1].split()]
    assert len(set(drawn)) == 4


@pytest.mark.parametrize(
    ("code", "ending", "said"),
    [
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('no')", 1, ""),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
        ("import os; os._exit(7)", 7, ""),
    ],
)
def test_how_a_child_ended_is_told_as_of_any_process(tell, code, ending, said):
    child, output = tell(code)
    assert child.returncode == child.poll() == ending and said in output
    child.kill()  # does nothing any more


def test_a_child_reads_from_a_pipe_and_ends_when_it_is_killed(light):
    order = ForkOrder(["import sys; sys.exit(len(sys.stdin.readline()))"], dict(os.environ), False)
    reader, killed = (light.fork(order, output=2) for _ in range(2))
    reader.stdin.write(b"four\n")
    reader.stdin.close()
    assert reader.wait(PATIENCE) == 5
    assert killed.poll() is None
    killed.kill()
    assert killed.wait(PATIENCE) == -signal.SIGKILL
    killed.stdin.close()


def test_an_order_that_is_too_long_is_left_to_a_new_process(light):
    assert light.fork(ForkOrder(["#" * 2**20], dict(os.environ), True), output=2) is None
    assert light.ready


def test_usage_is_told_in_the_log_as_ever(settings, forking):
    process = start_process(settings, "--nonsense", log=settings.jobs / "log", outlives=True)
    assert process.wait(PATIENCE) == 2
    assert "No such option" in (settings.jobs / "log").read_text()
