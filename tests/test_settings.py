import pytest

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
    ("name", "value"), [("CNNKIT_SLOTS", "0"), ("CNNKIT_SLOTS", "two"), ("CNNKIT_SPARE", "maybe")]
)
def test_a_value_that_cannot_be_understood_names_its_variable(name, value):
    with pytest.raises(SettingsError, match=f"{name}.*{value!r}"):
        Settings.from_environment({name: value})


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
