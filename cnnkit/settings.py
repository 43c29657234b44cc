"""Every environment variable that cnnkit reads, read once, into one frozen object."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cnnkit.errors import SettingsError

IMAGES_MEMORY = "CNNKIT_IMAGES_MEMORY"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where things are kept and how much may run at once.

    Args:
        home: folder for runs, checkpoints and caches (`CNNKIT_HOME`, default
            `~/.cnnkit`).
        data_dir: folder with the operator's own data files and weights
            (`CNNKIT_DATA_DIR`), or None.
        keras_home: Keras's own cache of downloads (`KERAS_HOME`, default `~/.keras`).
        tracking_uri: the MLflow record (`MLFLOW_TRACKING_URI`, default a SQLite
            file in `home`).
        scheduler: address of a Dask scheduler (`CNNKIT_SCHEDULER`), or None for one
            inside this process.
        slots: jobs that run at once on this machine (`CNNKIT_SLOTS`, default one per
            four cores, at least one: TensorFlow already uses every core for one job).
        warm_workers: keep one worker waiting with TensorFlow imported
            (`CNNKIT_WARM_WORKERS`, formerly `CNNKIT_SPARE`; default true).
        model_memory: bytes that the weights of networks held in memory may take together
            (`CNNKIT_MODEL_MEMORY`, in MB, default 1024).
        results_memory: bytes on disk that finished images may take together
            (`CNNKIT_RESULTS_MEMORY`, in MB, default 512).
        features_memory: bytes on disk that what frozen layers make of images may take
            together (`CNNKIT_FEATURES_MEMORY`, in MB, default 8192).
        images_memory: bytes on disk that data sets of images may take together
            (`CNNKIT_IMAGES_MEMORY`, in MB, default 20480).
        import_folder: where visitors of the app may name folders to import images from
            (`CNNKIT_IMPORT_FOLDER`, default the home folder of whoever runs it).
        admins: who may change and delete what others made, where people log in: ids, and
            e-mail addresses that the identity provider has verified (`CNNKIT_ADMINS`, with
            commas between them, default nobody).
        members: who may use the app, where people log in: the same, or `@` and a domain
            (`CNNKIT_MEMBERS`, default everybody whom the identity provider knows).
        offline: never try to download (`CNNKIT_OFFLINE`, default false).
    """

    home: Path
    data_dir: Path | None = None
    keras_home: Path
    tracking_uri: str
    scheduler: str | None = None
    slots: int = 1
    warm_workers: bool = True
    model_memory: int = 1024 * 2**20
    results_memory: int = 512 * 2**20
    features_memory: int = 8192 * 2**20
    images_memory: int = 20_480 * 2**20
    import_folder: Path = field(default_factory=Path.home)
    admins: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    offline: bool = False

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
            SettingsError: a value cannot be understood.
        """
        home = Path(environment.get("CNNKIT_HOME") or "~/.cnnkit").expanduser().resolve()
        data_dir = environment.get("CNNKIT_DATA_DIR")
        cores = os.cpu_count() or 1
        return cls(
            home=home,
            data_dir=Path(data_dir).expanduser().resolve() if data_dir else None,
            keras_home=Path(environment.get("KERAS_HOME") or "~/.keras").expanduser(),
            tracking_uri=environment.get("MLFLOW_TRACKING_URI") or _default_tracking_uri(home),
            scheduler=environment.get("CNNKIT_SCHEDULER") or None,
            slots=_positive_int(environment, "CNNKIT_SLOTS", max(1, cores // 4)),
            warm_workers=_flag(
                environment, "CNNKIT_WARM_WORKERS", _flag(environment, "CNNKIT_SPARE", True)
            ),
            model_memory=_positive_int(environment, "CNNKIT_MODEL_MEMORY", 1024) * 2**20,
            results_memory=_positive_int(environment, "CNNKIT_RESULTS_MEMORY", 512) * 2**20,
            features_memory=_positive_int(environment, "CNNKIT_FEATURES_MEMORY", 8192) * 2**20,
            images_memory=_positive_int(environment, _images_memory_name(environment), 20_480)
            * 2**20,
            import_folder=Path(environment.get("CNNKIT_IMPORT_FOLDER") or "~")
            .expanduser()
            .resolve(),
            admins=_names(environment, "CNNKIT_ADMINS"),
            members=_names(environment, "CNNKIT_MEMBERS"),
            offline=_flag(environment, "CNNKIT_OFFLINE", False),
        )


@cache
def get_settings() -> Settings:
    """The settings of this process, read from the environment at the first call."""
    return Settings.from_environment(os.environ)


def _default_tracking_uri(home: Path) -> str:
    return f"sqlite:///{home / 'runs.db'}"


def _images_memory_name(environment: Mapping[str, str]) -> str:
    """The variable's name, or the one it had in earlier versions where only that is set."""
    former = "CNNKIT_PICTURES_MEMORY"
    return (
        former if environment.get(former) and not environment.get(IMAGES_MEMORY) else IMAGES_MEMORY
    )


def _positive_int(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(f"{name} must be a whole number of at least 1. Received: {text!r}.")
    return int(text)


def _names(environment: Mapping[str, str], name: str) -> frozenset[str]:
    """Names with commas between them, in lower case."""
    words = (word.strip().casefold() for word in environment.get(name, "").split(","))
    return frozenset(filter(None, words))


def _flag(environment: Mapping[str, str], name: str, default: bool) -> bool:
    text = (environment.get(name) or str(default)).strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise SettingsError(f"{name} must be 1 or 0. Received: {text!r}.")
