"""The shape "several machines" of docs/deploy.md on one machine, each host a network namespace.

    python deploy/namespaces.py            # until Control-C

Four kinds of hosts on a bridge of their own: `record` (PostgreSQL, and the MLflow server with its
artifact store), `scheduler` (Dask), one or more workers, and `web` (the app). Each process has a
host name, processes and a home of its own, sees nothing of the folders of the other hosts, and
reaches them by TCP alone. Needs Linux, root, iproute2, util-linux, OpenSSL and PostgreSQL.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CERTIFICATES = ROOT / "deploy" / "certificates.sh"
POSTGRESQL = Path("/usr/lib/postgresql")  # where Debian keeps each version's programs
DATABASE_USER = "postgres"  # PostgreSQL refuses to run as root
NETWORKS = ipaddress.ip_network("10.213.0.0/16")
RECORD, SCHEDULER, WEB = "record", "scheduler", "web"
MLFLOW_PORT, SCHEDULER_PORT, WEB_PORT = 5000, 8786, 8501
PATIENCE = 120.0  # seconds; a busy machine takes a while to import MLflow
LOOK_SECONDS = 0.1

# What a host's process runs in: its own name, processes and folders.
IN_HOST = """
hostname "$1"
for folder in $2; do mount -t tmpfs -o ro,size=4k none "$folder"; done
shift 2
exec "$@"
"""


def lacking() -> str:
    """Why this machine cannot do it; empty: it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need Linux and root"
    programs = ("ip", "unshare", "nsenter", "hostname", "openssl", "setpriv")
    absent = [name for name in programs if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    if _postgresql() is None:
        return "PostgreSQL is not installed"
    name = f"cnnkit-try-{os.getpid()}"
    try:
        _run("ip", "netns", "add", name)
        _run("ip", "netns", "delete", name)
    except RuntimeError as error:
        return f"this kernel allows no network namespaces: {error}"
    return ""


class Machines:
    """Hosts on one bridge, and their processes.

    As a context manager it starts everything but the app, and leaves nothing behind.

    Args:
        workers: how many machines do jobs.
        variables: of the environment of each process, beside what the shape needs.
    """

    def __init__(self, workers: int = 2, variables: Mapping[str, str] | None = None):
        """Start nothing yet."""
        self.workers = [f"worker{number}" for number in range(1, workers + 1)]
        self.variables = dict(variables or {})
        self.folder = Path(tempfile.mkdtemp(prefix="cnnkit-machines-"))
        self.hosts = [RECORD, SCHEDULER, *self.workers, WEB]
        self._tag = f"{os.getpid() % 100_000}"
        self._network = _free_network()
        self._processes: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> Machines:
        """Start the network, the record, the scheduler and the workers."""
        try:
            self._make_folders()
            self._make_network()
            self._start_database()
            self._start_scheduler()
            for worker in self.workers:  # they try again until the scheduler answers
                self.start_worker(worker)
            self._start_record()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        """Take everything down."""
        self.close()

    # What a user of it needs

    def address(self, host: str) -> str:
        """The IP address of a host."""
        return str(self._network[self.hosts.index(host) + 2])

    @property
    def tracking_uri(self) -> str:
        """Where every host finds the record."""
        return f"http://{self.address(RECORD)}:{MLFLOW_PORT}"

    @property
    def scheduler(self) -> str:
        """Where every host finds the scheduler."""
        return f"tls://{self.address(SCHEDULER)}:{SCHEDULER_PORT}"

    @property
    def url(self) -> str:
        """Where a browser of this machine finds the app, once it was started."""
        return f"http://{self.address(WEB)}:{WEB_PORT}"

    def home(self, host: str) -> Path:
        """The folder that a host keeps everything in, and no other host sees."""
        return self.folder / host

    def environment(self, host: str) -> dict[str, str]:
        """Variables with which cnnkit on a host finds what it needs."""
        certificates = self.home(host) / "tls"
        named = {
            "CNNKIT_HOME": str(self.home(host) / "cnnkit"),
            "CNNKIT_SCHEDULER": self.scheduler,
            "CNNKIT_TLS_CA": str(certificates / "ca.pem"),
            "CNNKIT_TLS_CERT": str(certificates / f"{host}.pem"),
            "CNNKIT_TLS_KEY": str(certificates / f"{host}.key"),
            "MLFLOW_TRACKING_URI": self.tracking_uri,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "PYTHONPATH": str(ROOT),
            "KERAS_BACKEND": "tensorflow",
        }
        return {**os.environ, **named, **self.variables}

    def start(self, host: str, name: str, *command: str, **variables: str) -> subprocess.Popen:
        """Start a process on a host; what it prints goes to `NAME.log` in the host's home."""
        with (self.home(host) / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*self._into(host), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment(host) | variables,
                cwd=self.home(host),
            )
        self._processes[name] = process
        return process

    def run(self, host: str, *command: str) -> str:
        """What a command prints on a host."""
        return _run(*self._into(host), *command, env=self.environment(host))

    def start_worker(self, worker: str) -> None:
        """Start Dask's worker on a host: one slot."""
        address = self.address(worker)
        place = ("--host", address, "--local-directory", str(self.home(worker) / "dask"))
        size = ("--nthreads", "1", "--memory-limit", "0", "--no-nanny")
        quiet = ("--dashboard-address", "127.0.0.1:0", "--name", worker)
        self._start_dask(worker, "worker", self.scheduler, *place, *size, *quiet)

    def start_app(self) -> None:
        """Start the app, and wait until it answers."""
        options = ("--server.headless", "true", "--server.port", str(WEB_PORT))
        bound = ("--server.address", self.address(WEB))
        app = str(ROOT / "app.py")
        self.start(WEB, WEB, sys.executable, "-m", "streamlit", "run", app, *options, *bound)
        self._wait_for(WEB, WEB_PORT)

    def lose(self, host: str) -> None:
        """Kill every process of a host at once, as a power cut would."""
        self._processes.pop(host).kill()

    def close(self) -> None:
        """End every process, and take the network and the folders away."""
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()
        self._processes.clear()
        for host in self.hosts:
            _try("ip", "netns", "delete", self._namespace(host))
        _try("ip", "link", "delete", self._bridge)
        shutil.rmtree(self.folder, ignore_errors=True)

    # Parts

    @property
    def _bridge(self) -> str:
        return f"ck{self._tag}"

    def _namespace(self, host: str) -> str:
        return f"cnnkit-{self._tag}-{host}"

    def _make_folders(self) -> None:
        self.folder.chmod(0o711)  # the database's user passes through
        for host in self.hosts:
            self.home(host).mkdir()
        made = self.folder / "certificates"
        _run("sh", str(CERTIFICATES), str(made), *self.hosts)
        for host in self.hosts:
            tls = self.home(host) / "tls"
            tls.mkdir()
            for name in ("ca.pem", f"{host}.pem", f"{host}.key"):
                shutil.copy(made / name, tls)
        shutil.rmtree(made)  # and with it the key of the authority

    def _make_network(self) -> None:
        _run("ip", "link", "add", self._bridge, "type", "bridge")
        gateway = f"{self._network[1]}/{self._network.prefixlen}"
        _run("ip", "address", "add", gateway, "dev", self._bridge)
        _run("ip", "link", "set", self._bridge, "up")
        for number, host in enumerate(self.hosts):
            namespace, outside = self._namespace(host), f"{self._bridge}v{number}"
            inside = ("ip", "-n", namespace)
            _run("ip", "netns", "add", namespace)
            peer = ("peer", "name", "eth0", "netns", namespace)
            _run("ip", "link", "add", outside, "type", "veth", *peer)
            _run("ip", "link", "set", outside, "master", self._bridge, "up")
            address = f"{self.address(host)}/{self._network.prefixlen}"
            _run(*inside, "address", "add", address, "dev", "eth0")
            _run(*inside, "link", "set", "eth0", "up")
            _run(*inside, "link", "set", "lo", "up")

    def _into(self, host: str) -> list[str]:
        hidden = " ".join(str(self.home(other)) for other in self.hosts if other != host)
        own = ("--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
        enter = ("ip", "netns", "exec", self._namespace(host))
        return [*enter, "unshare", *own, "sh", "-ec", IN_HOST, "sh", host, hidden]

    def _start_database(self) -> None:
        programs = _postgresql()
        if programs is None:
            raise RuntimeError(lacking())
        place, password = self.home(RECORD) / "postgresql", self.home(RECORD) / "password"
        place.mkdir()
        password.write_text(self._password)
        shutil.chown(place, DATABASE_USER)
        shutil.chown(password, DATABASE_USER)
        access = ("--username", "cnnkit", "--pwfile", str(password), "--auth", "scram-sha-256")
        lasting = ("--no-sync", "--encoding", "UTF8", "--locale", "C.UTF-8")
        _run(*_as_database_user(), str(programs / "initdb"), *access, *lasting, str(place))
        password.unlink()
        server = (str(programs / "postgres"), "-D", str(place), "-k", str(place))
        # Only this host's own MLflow server reaches it.
        self.start(RECORD, "postgresql", *_as_database_user(), *server, "-h", "127.0.0.1")

    def _start_record(self) -> None:
        address = self.address(RECORD)
        # Each service has processes of its own, but the hosts' network: loopback is theirs.
        database = f"postgresql+psycopg://cnnkit:{self._password}@127.0.0.1/postgres"
        self._wait_until(lambda: self._listens(RECORD, 5432, "127.0.0.1"), "postgresql")
        bound = ("--host", address, "--port", str(MLFLOW_PORT), "--workers", "1")
        kept = ("--artifacts-destination", str(self.home(RECORD) / "artifacts"))
        names = ("--allowed-hosts", f"{address}:{MLFLOW_PORT}")
        command = (sys.executable, "-m", "mlflow", "server", *bound, *kept, *names)
        # Not on the command line, which every user of a machine can read.
        secret = {"MLFLOW_BACKEND_STORE_URI": database}
        self.start(RECORD, RECORD, *command, MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", **secret)
        self._wait_for(RECORD, MLFLOW_PORT)
        self._wait_for(SCHEDULER, SCHEDULER_PORT)

    def _start_scheduler(self) -> None:
        bound = ("--host", self.address(SCHEDULER), "--port", str(SCHEDULER_PORT))
        quiet = ("--dashboard-address", "127.0.0.1:0")
        self._start_dask(SCHEDULER, "scheduler", "--protocol", "tls", *bound, *quiet)

    def _start_dask(self, host: str, part: str, *options: str) -> None:
        tls = self.home(host) / "tls"
        certificate = (
            "--tls-cert",
            str(tls / f"{host}.pem"),
            "--tls-key",
            str(tls / f"{host}.key"),
        )
        secure = ("--tls-ca-file", str(tls / "ca.pem"), *certificate)
        self.start(host, host, sys.executable, "-m", "dask", part, *options, *secure)

    @cached_property
    def _password(self) -> str:
        return secrets.token_hex()

    def _wait_for(self, host: str, port: int) -> None:
        self._wait_until(lambda: self._listens(host, port, self.address(host)), host)

    def _listens(self, host: str, port: int, address: str) -> bool:
        if not ipaddress.ip_address(address).is_loopback:
            with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
                return True
            return False
        table = _run("ip", "netns", "exec", self._namespace(host), "cat", "/proc/net/tcp")
        return any(line.split()[1].endswith(f":{port:04X}") for line in table.splitlines()[1:])

    def _wait_until(self, ready, name: str) -> None:
        deadline = time.monotonic() + PATIENCE
        process = self._processes[name]
        while not ready():
            ended = process.poll() is not None
            if ended or time.monotonic() > deadline:
                logs = sorted(self.folder.glob(f"*/{name}.log"))
                output = "\n".join(log.read_text(errors="replace")[-2000:] for log in logs)
                what = "ended" if ended else f"was not ready within {PATIENCE:.0f} s"
                raise RuntimeError(f"{name} {what}:\n{output}")
            time.sleep(LOOK_SECONDS)


def _postgresql() -> Path | None:
    """Folder of the newest PostgreSQL's programs."""
    versions = [path for path in POSTGRESQL.glob("*/bin") if (path / "initdb").is_file()]
    return max(versions, key=lambda path: int(path.parent.name), default=None)


def _as_database_user() -> Iterable[str]:
    entry = pwd.getpwnam(DATABASE_USER)
    return ("setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")


def _free_network() -> ipaddress.IPv4Network:
    """A network of 256 addresses that no link of this machine has."""
    taken = _run("ip", "-o", "-4", "address")
    for network in NETWORKS.subnets(new_prefix=24):
        if f" {network[1]}/" not in taken:
            return network
    raise RuntimeError(f"All networks of {NETWORKS} are in use on this machine.")


def _run(*command: str, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def _try(*command: str) -> None:
    subprocess.run(command, capture_output=True)


def main() -> None:
    """Start the shape, say where its parts are, and take it down at the end."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2, help="machines that do jobs")
    options = parser.parse_args()
    reason = lacking()
    if reason:
        raise SystemExit(f"This machine cannot do it: {reason}.")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    with Machines(options.workers) as machines:
        machines.start_app()
        print(f"app        {machines.url}\nrecord     {machines.tracking_uri}")
        print(f"scheduler  {machines.scheduler}\nhomes      {machines.folder}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
