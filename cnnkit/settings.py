"""Every environment variable that cnnkit reads, read once, into one frozen object."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from cnnkit.variables import (
    SECURE_SCHEMES,
    Variable,
    count,
    file,
    flag,
    folder,
    is_loopback,
    megabytes,
    names,
    one_of,
    optional,
    path,
    record_address,
    scheduler_address,
    variable,
    variables,
    writable_folder,
)

IMAGES_MEMORY = "CNNKIT_IMAGES_MEMORY"
MOST_SLOTS = 256  # each is a process with TensorFlow
MOST_PORT = 65_535
MOST_PER_PERSON = 10_000
_ON_DISK = ("results_memory", "features_memory", "images_memory")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where things are kept and how much may run at once; memory is in bytes.

    Each field names its environment variable and says what it means; the table of README is
    made from them. To add a setting, add a field.
    """

    home: Path = variable(
        "CNNKIT_HOME", "folder of runs, checkpoints and caches", writable_folder, "~/.cnnkit"
    )
    data_dir: Path | None = variable(
        "CNNKIT_DATA_DIR",
        "folder with your own copies of data files, under their official names",
        optional(folder),
        shown="none",
    )
    # TensorFlow already uses every core for one job.
    slots: int = variable(
        "CNNKIT_SLOTS",
        "jobs that run at once",
        count(MOST_SLOTS),
        str(min(MOST_SLOTS, max(1, (os.cpu_count() or 1) // 4))),
        shown="one for each four cores, at least one",
    )
    warm_workers: bool = variable(
        "CNNKIT_WARM_WORKERS",
        "keep TensorFlow imported for jobs, and one worker waiting (about 600 MB)",
        flag,
        "1",
        former=("CNNKIT_SPARE",),
    )
    results_memory: int = variable(
        "CNNKIT_RESULTS_MEMORY",
        "limit in MB on disk for finished images; the least recently used are deleted first",
        megabytes,
        "512",
    )
    features_memory: int = variable(
        "CNNKIT_FEATURES_MEMORY",
        "limit in MB on disk for the feature cache (outputs of frozen layers)",
        megabytes,
        "8192",
    )
    model_memory: int = variable(
        "CNNKIT_MODEL_MEMORY",
        "limit in MB for the weights of networks held in memory",
        megabytes,
        "1024",
    )
    images_memory: int = variable(
        IMAGES_MEMORY,
        "MB on disk that decoded data sets of images may take together; of those that can be "
        "made again, the least used go first",
        megabytes,
        "20480",
        former=("CNNKIT_PICTURES_MEMORY",),
    )
    import_folder: Path | None = variable(
        "CNNKIT_IMPORT_FOLDER",
        "the only folder of the server from which visitors of the app may import images",
        optional(folder),
        shown="the home folder; where people log in, none",
    )
    admins: frozenset[str] = variable(
        "CNNKIT_ADMINS",
        "who may change what others made, where people log in: verified e-mail addresses or "
        "ids, with commas between them",
        names,
        shown="nobody",
    )
    members: frozenset[str] = variable(
        "CNNKIT_MEMBERS",
        "who may use the app, where people log in: the same, or `@` and a domain",
        names,
        shown="all whom the identity provider knows",
    )
    jobs_per_person: int = variable(
        "CNNKIT_JOBS_PER_PERSON",
        "jobs that one person may have running or queued, where people log in",
        count(MOST_PER_PERSON),
        "4",
    )
    sessions_per_person: int = variable(
        "CNNKIT_SESSIONS_PER_PERSON",
        "images and explanations that may be computed for one person at once, where people log in",
        count(MOST_PER_PERSON),
        "4",
    )
    storage_per_person: int = variable(
        "CNNKIT_STORAGE_PER_PERSON",
        "MB on disk for the runs, own images and uploaded networks of one person, where people "
        "log in",
        megabytes,
        "2048",
    )
    upload_size: int = variable(
        "CNNKIT_UPLOAD_SIZE",
        "largest file in MB that a person may upload, where people log in",
        megabytes,
        "200",
    )
    offline: bool = variable("CNNKIT_OFFLINE", "never try to download", flag, "0")
    scheduler: str | None = variable(
        "CNNKIT_SCHEDULER",
        "address of a Dask scheduler, to run jobs on other machines",
        optional(scheduler_address),
        shown="one inside the app",
    )
    tls_ca: Path | None = variable(
        "CNNKIT_TLS_CA",
        "certificate of the authority that signs those of a cluster, for a scheduler at `tls://`",
        optional(file),
        shown="none",
    )
    tls_cert: Path | None = variable(
        "CNNKIT_TLS_CERT",
        "certificate of this machine in the cluster",
        optional(file),
        shown="none",
    )
    tls_key: Path | None = variable(
        "CNNKIT_TLS_KEY", "its private key", optional(file), shown="none"
    )
    trusted_network: bool = variable(
        "CNNKIT_TRUSTED_NETWORK",
        "let a scheduler beyond this machine be reached without TLS; whoever reaches its port can "
        "run code on every worker",
        flag,
        "0",
    )
    tracking_uri: str = variable(
        "MLFLOW_TRACKING_URI",
        "an MLflow server for the record",
        optional(record_address),
        shown="a SQLite file in `CNNKIT_HOME`",
    )
    keras_home: Path = variable("KERAS_HOME", "Keras's cache of downloads", path, "~/.keras")
    log_format: str | None = variable(
        "CNNKIT_LOG_FORMAT",
        "how the server's log is written to standard error: `json`, one line an event, or `text`",
        optional(one_of("json", "text")),
        shown="`text` on a terminal, else `json`",
    )
    log_file: Path | None = variable(
        "CNNKIT_LOG_FILE",
        "file to which the server's log goes too, as JSON",
        optional(path),
        shown="none",
    )
    metrics_port: int | None = variable(
        "CNNKIT_METRICS_PORT",
        "port on loopback that answers Prometheus at `/metrics`",
        optional(count(MOST_PORT)),
        shown="none",
    )

    @property
    def artifacts(self) -> Path:
        """Folder for the files of runs, when the record is the default one."""
        return self.home / "artifacts"

    @property
    def jobs(self) -> Path:
        """Folder for what a job keeps while it runs: checkpoints and logs."""
        return self.home / "jobs"

    @property
    def results(self) -> Path:
        """Folder for finished images, by what made them."""
        return self.home / "results"

    @property
    def features(self) -> Path:
        """Folder for what frozen layers make of images."""
        return self.home / "features"

    @property
    def images(self) -> Path:
        """Folder for data sets of images, decoded."""
        return self.home / "images"

    @property
    def tracking_is_local(self) -> bool:
        """Whether the record is the SQLite file that cnnkit makes itself."""
        return self.tracking_uri == _default_tracking_uri(self.home)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the variables once and check them.

        Raises:
            SettingsError: a value cannot be understood, or is no use on this machine.
        """
        values = {name: one.value(environment) for name, one in variables(cls).items()}
        values["tracking_uri"] = values["tracking_uri"] or _default_tracking_uri(values["home"])
        settings = _within_this_machine(cls(**values), environment)
        _check_scheduler(settings)
        return settings


@cache
def get_settings() -> Settings:
    """The settings of this process, read from the environment at the first call."""
    return Settings.from_environment(os.environ)


def _default_tracking_uri(home: Path) -> str:
    return f"sqlite:///{home / 'runs.db'}"


def _within_this_machine(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """The settings with limits that its disk and memory have; what was asked for must fit."""
    sizes = {"model_memory": ("memory", psutil.virtual_memory().total)}
    sizes |= dict.fromkeys(_ON_DISK, ("disk", _disk(settings.home)))
    least = {}
    for name, (what, size) in sizes.items():
        one = variables(Settings)[name]
        given = environment.get(one.name_in(environment))
        if given and getattr(settings, name) > size:
            works = f"must be at most {size // 2**20:,} MB, the {what} of this machine"
            raise one.error(one.name_in(environment), works, given)
        least[name] = min(getattr(settings, name), size)
    return dataclasses.replace(settings, **least)


def _check_scheduler(settings: Settings) -> None:
    """Refuse a scheduler that anybody in the network could have run code, unless that is meant.

    Raises:
        SettingsError: says what would be safe.
    """
    if settings.scheduler is None:
        return
    address = urlsplit(settings.scheduler)
    name = variables(Settings)["scheduler"].name
    if address.scheme in SECURE_SCHEMES:
        fields = ("tls_ca", "tls_cert", "tls_key")
        absent = [variables(Settings)[one].name for one in fields if not getattr(settings, one)]
        if absent:
            works = f"needs certificates (see docs/deploy.md): set {' and '.join(absent)}"
            raise Variable.error(name, works, settings.scheduler)
    elif not settings.trusted_network and not is_loopback(address.hostname or ""):
        works = (
            "must be on this machine or begin with tls://, for whoever reaches an open scheduler "
            "can run code on its workers; in a closed network, CNNKIT_TRUSTED_NETWORK=1 allows it"
        )
        raise Variable.error(name, works, settings.scheduler)


def _disk(folder: Path) -> int:
    """Bytes of the disk that holds a folder, or will."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).total
