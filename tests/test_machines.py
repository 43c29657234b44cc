"""Several machines that share the record and the scheduler alone, as network namespaces."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile

import numpy as np
import pytest
from PIL import Image

from cnnkit.datasets import load_dataset
from cnnkit.datasets.folders import image_folder
from cnnkit.jobs import JobPool
from cnnkit.runs import RunStore, Status
from cnnkit.settings import get_settings
from cnnkit.training import get_recipe
from deploy import namespaces
from tests.jobs.conftest import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.slow]

# Counts for some seconds and trains nothing.
SLOW = {"epochs": 6, "steps": 10, "seconds": 0.05}
# A fine-tuning of some seconds.
BRIEF = {"phases": [{"train_from": "head", "epochs": 1}], "size": 96, "variants": 1}


@pytest.fixture(scope="module")
def machines():
    reason = namespaces.lacking()
    if reason:
        pytest.skip(reason)
    with namespaces.Machines(workers=2) as machines:
        yield machines


@pytest.fixture
def web(machines, monkeypatch):
    """Be the web server's machine: its home, its certificates, and what it can reach."""
    environment = machines.environment(namespaces.WEB)
    for name, value in environment.items():
        if name.startswith(("CNNKIT_", "MLFLOW_TRACKING")):
            monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    store = RunStore(get_settings())
    pool = JobPool(get_settings(), store)
    yield store, pool
    pool.close()


def own_images() -> io.BytesIO:
    """A ZIP of two classes of eight images."""
    packed = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (2, 8, 24, 24, 3), np.uint8)
    with zipfile.ZipFile(packed, "w") as archive:
        for label, images in zip(("cat", "dog"), noise, strict=True):
            for number, image in enumerate(images):
                file = io.BytesIO()
                Image.fromarray(image).save(file, "PNG")
                archive.writestr(f"{label}/{number}.png", file.getvalue())
    packed.seek(0)
    return packed


@pytest.mark.endurance
def test_three_jobs_survive_the_loss_of_one_of_two_workers(machines, web):
    store, pool = web
    runs = [pool.submit(kind="rehearsal", spec=SLOW, name=f"job {n}") for n in range(3)]
    first = wait_until(store, runs[0].id, lambda run: run.checkpoint)
    assert first.host in machines.workers
    machines.lose(first.host)
    machines.start_worker(first.host)
    for run in runs:
        wait_until(store, run.id, lambda run: run.status is Status.FINISHED)
        assert [row["epoch"] for row in store.history(run.id)] == list(range(1, 7))
    assert store.get(first.id).attempt == 2


def test_own_images_reach_a_machine_that_cannot_see_their_folder(machines, web):
    store, pool = web
    name = image_folder(own_images(), name="pets.zip").name
    run = pool.submit(kind="rehearsal", spec={"epochs": 1, "steps": 1, "dataset": name})
    ended = wait_until(store, run.id, lambda run: run.status is Status.FINISHED)
    copy = machines.home(ended.host) / "cnnkit" / "images" / name
    assert np.array_equal(np.load(copy / "images.npy"), load_dataset(name).images)
    with pytest.raises(RuntimeError, match="No such file"):
        machines.run(ended.host, "ls", str(machines.home(namespaces.WEB) / "cnnkit"))


@pytest.mark.endurance
@pytest.mark.weights
def test_a_network_is_fine_tuned_on_own_images_elsewhere(machines, web):
    store, pool = web
    name = image_folder(own_images(), name="pets.zip").name
    spec = {**get_recipe("mobilenet_v2", "fast").to_dict(), **BRIEF, "dataset": name}
    run = pool.submit(kind="train", spec=spec, name="pets")
    ended = wait_until(store, run.id, lambda run: run.status.over)
    assert ended.status is Status.FINISHED, ended.reason
    card = json.loads((store.model_folder(run.id) / "card.json").read_text())
    assert card["class_names"] == ["cat", "dog"]


def test_each_machine_opens_one_port_and_keeps_status_pages_to_itself(machines, web):
    ports = {host: beyond_loopback(machines, host) for host in machines.hosts}
    assert ports[namespaces.RECORD] == [namespaces.MLFLOW_PORT]
    assert ports[namespaces.SCHEDULER] == [namespaces.SCHEDULER_PORT]
    assert all(len(ports[worker]) == 1 for worker in machines.workers)  # of a random number
    assert ports[namespaces.WEB] == []


def beyond_loopback(machines, host: str) -> list[int]:
    """Ports at which a machine waits for others."""
    lines = machines.run(host, "cat", "/proc/net/tcp", "/proc/net/tcp6").splitlines()
    rows = [line.split() for line in lines if " 0A " in line]  # the number of LISTEN
    places = [row[1].split(":") for row in rows]
    # Addresses are written byte by byte from the last one, in hexadecimal.
    loopback = ("7F", "01000000")
    return [int(port, 16) for address, port in places if not address.endswith(loopback)]


def test_whoever_has_no_certificate_of_the_cluster_reaches_its_scheduler_in_vain(
    machines, tmp_path
):
    from distributed import Client, Security

    with pytest.raises(OSError):
        Client(machines.scheduler.replace("tls", "tcp"), timeout=3, set_as_default=False)
    # A stranger who trusts the cluster, with a certificate that another authority has signed.
    subprocess.run(["sh", str(namespaces.CERTIFICATES), str(tmp_path), "stranger"], check=True)
    stranger = Security(
        require_encryption=True,
        tls_ca_file=str(machines.home(namespaces.WEB) / "tls" / "ca.pem"),
        tls_client_cert=str(tmp_path / "stranger.pem"),
        tls_client_key=str(tmp_path / "stranger.key"),
    )
    with pytest.raises(OSError):
        Client(machines.scheduler, security=stranger, timeout=3, set_as_default=False)
