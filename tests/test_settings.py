from collections import namedtuple

import pytest
from click.testing import CliRunner

from cnnkit.__main__ import main
from cnnkit.errors import SettingsError
from cnnkit.settings import Settings, get_settings


def test_defaults_keep_everything_in_one_home(tmp_path):
    settings = Settings.from_environment({"CNNKIT_HOME": str(tmp_path)})
    assert settings.home == tmp_path
    assert settings.tracking_uri == f"sqlite:///{tmp_path / 'runs.db'}"
    assert settings.tracking_is_local
    assert settings.warm_workers and not settings.offline and settings.scheduler is None


def test_a_server_of_ones_own_is_not_local(tmp_path):
    settings = Settings.from_environment(
        {"CNNKIT_HOME": str(tmp_path), "MLFLOW_TRACKING_URI": "http://runs:5000"}
    )
    assert not settings.tracking_is_local


@pytest.mark.parametrize(
    ("name", "value", "works"),
    [
        ("CNNKIT_SLOTS", "0", "from 1 to 256"),
        ("CNNKIT_SLOTS", "two", "from 1 to 256"),
        ("CNNKIT_SLOTS", "1000000000", "from 1 to 256"),
        ("CNNKIT_SLOTS", "9" * 5000, "from 1 to 256"),
        ("CNNKIT_SPARE", "maybe", "must be 1 or 0"),
        ("CNNKIT_HOME", "~nosuchuser/x", "must be a path"),
        ("CNNKIT_HOME", "/x\0y", "must be a path"),
        ("CNNKIT_HOME", "/" + 5000 * "x", "File name too long"),
        ("CNNKIT_HOME", f"{__file__}/here", "is a file"),
        ("CNNKIT_DATA_DIR", "/not/there", "must be a folder that exists"),
        ("CNNKIT_IMPORT_FOLDER", "/not/there", "must be a folder that exists"),
        ("CNNKIT_IMPORT_FOLDER", "~nosuchuser", "must be a path"),
        ("KERAS_HOME", "~nosuchuser", "must be a path"),
        ("CNNKIT_SCHEDULER", "tcp://host", "such as tcp://host:8786"),
        ("CNNKIT_SCHEDULER", "gopher://host:70", "such as tcp://host:8786"),
        ("CNNKIT_SCHEDULER", "tcp://host:99999", "such as tcp://host:8786"),
        ("CNNKIT_SCHEDULER", "tcp://[::1", "such as tcp://host:8786"),
        ("CNNKIT_SCHEDULER", "tcp://host:8786", "tls://.*CNNKIT_TRUSTED_NETWORK=1"),
        ("CNNKIT_SCHEDULER", "tcp://10.0.0.1:8786", "tls://.*CNNKIT_TRUSTED_NETWORK=1"),
        ("CNNKIT_SCHEDULER", "tls://host:8786", "set CNNKIT_TLS_CA and CNNKIT_TLS_CERT and"),
        ("CNNKIT_TLS_KEY", "/not/there", "must be a file that exists"),
        ("MLFLOW_TRACKING_URI", "postgres://host/runs", "must begin with one of"),
        ("MLFLOW_TRACKING_URI", "http://", "must name a server"),
        ("CNNKIT_MODEL_MEMORY", "100000000", "the memory of this machine"),
        ("CNNKIT_RESULTS_MEMORY", "1000000000", "the disk of this machine"),
        ("CNNKIT_PICTURES_MEMORY", "1000000000", "the disk of this machine"),
    ],
)
def test_a_value_that_makes_no_sense_names_its_variable_and_what_would_work(name, value, works):
    with pytest.raises(SettingsError, match=f"^{name} .*{works}") as caught:
        Settings.from_environment({name: value})
    assert f"Received: {value[:9]!r}"[:-1] in str(caught.value)
    assert len(str(caught.value)) < 300


def test_limits_are_never_larger_than_the_disk_unless_somebody_asks(monkeypatch, tmp_path):
    size = namedtuple("Usage", "total used free")(2**30, 0, 2**30)
    monkeypatch.setattr("shutil.disk_usage", lambda path: size)
    settings = Settings.from_environment({"CNNKIT_HOME": str(tmp_path / "not" / "yet")})
    assert settings.images_memory == 2**30
    assert settings.results_memory == 512 * 2**20


@pytest.mark.parametrize("what", ["model", "results", "features", "images"])
def test_memory_is_given_in_megabytes_and_kept_in_bytes(what):
    default = getattr(Settings.from_environment({}), f"{what}_memory")
    assert 512 * 2**20 <= default <= 20_480 * 2**20
    given = Settings.from_environment({f"CNNKIT_{what.upper()}_MEMORY": "3"})
    assert getattr(given, f"{what}_memory") == 3 * 2**20


def test_the_environment_is_read_once(monkeypatch, tmp_path):
    first = get_settings()
    monkeypatch.setenv("CNNKIT_HOME", str(tmp_path / "another"))
    assert get_settings() is first


def test_the_old_name_of_a_setting_is_still_read():
    assert not Settings.from_environment({"CNNKIT_SPARE": "0"}).warm_workers
    both = {"CNNKIT_SPARE": "0", "CNNKIT_WARM_WORKERS": "1"}
    assert Settings.from_environment(both).warm_workers


def test_the_command_line_says_which_setting_makes_no_sense(monkeypatch):
    monkeypatch.setenv("CNNKIT_HOME", "~nosuchuser")
    get_settings.cache_clear()
    result = CliRunner().invoke(main, ["runs", "list"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: CNNKIT_HOME must be a path on this machine")


@pytest.mark.parametrize("address", ["localhost:8786", "tcp://127.0.0.2:8786", "tcp://[::1]:8786"])
def test_a_scheduler_of_this_machine_needs_no_certificates(address):
    settings = Settings.from_environment({"CNNKIT_SCHEDULER": address})
    assert settings.scheduler == (address if "://" in address else f"tcp://{address}")


def test_a_closed_network_may_do_without_certificates():
    environment = {"CNNKIT_SCHEDULER": "tcp://host:8786", "CNNKIT_TRUSTED_NETWORK": "1"}
    assert Settings.from_environment(environment).trusted_network
