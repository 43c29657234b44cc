import socket
import subprocess
import sys
import urllib.request

import psutil
import pytest

from cnnkit.files import folder_bytes
from cnnkit.monitoring import metrics
from cnnkit.monitoring.metrics import Gauges, resident_memory, serve_metrics, share_of_memory


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _read(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def test_prometheus_reads_counters_and_gauges(port):
    read = []

    def gauges():
        read.append(1)
        yield "cnnkit_jobs", "Jobs", {"queued": 2.0, "running": 1.0}
        yield "cnnkit_visitors", "Browsers", {"": 5.0}

    close = serve_metrics(port, Gauges(gauges))
    try:
        assert not read  # starting reads nothing
        metrics.JOBS_ENDED.labels(status="failed").inc()
        text = _read(port)
    finally:
        close()
    assert 'cnnkit_jobs{of="queued"} 2.0' in text and "cnnkit_visitors 5.0" in text
    assert 'cnnkit_jobs_ended_total{status="failed"}' in text


def test_a_port_in_use_is_an_error_and_leaves_nothing_behind(port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            serve_metrics(port, Gauges(lambda: ()))
    close = serve_metrics(port, Gauges(lambda: ()))
    close()


def test_memory_and_folders_are_measured(tmp_path):
    assert resident_memory()["server"] > 10 * 2**20
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"12345")
    assert folder_bytes(tmp_path) == 5 and folder_bytes(tmp_path / "absent") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the parts of shared pages")
def test_pages_that_a_forked_process_shares_count_in_parts():
    size = 64 * 2**20
    program = (
        "import os\n"
        f"pages = b'x' * {size}\n"
        "child = os.fork()\n"
        "if child:\n"
        "    print(os.getpid(), child, flush=True)\n"
        "input()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    both = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
    try:
        assert all(process.memory_info().rss > size for process in both)
        assert size < sum(map(share_of_memory, both)) < 2 * size
    finally:
        for process in reversed(both):
            process.kill()
        parent.communicate()
