"""The files of `deploy/`: that they are well formed, name what is there, and open no door."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")


@pytest.fixture(scope="module")
def services() -> dict[str, dict]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]


def test_the_linter_of_dockerfiles_has_no_remarks():
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is not installed (requirements-dev.txt)")
    done = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True)
    assert done.stdout + done.stderr == "" and done.returncode == 0


def test_the_image_of_the_app_holds_what_the_app_is_made_of():
    copied = set(re.findall(r"^COPY (.+) \S+$", DOCKERFILE, re.MULTILINE))
    names = {name for line in copied for name in line.split()}
    scripts = {path.name for path in ROOT.glob("*.py")}
    assert scripts | {"cnnkit", "pages", ".streamlit/config.toml", "requirements.txt"} <= names
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8")
    assert {name for name in names if f"!{name}\n" not in sent} == set()
    assert all((ROOT / name).exists() for name in names)


def test_compose_is_what_its_schema_allows():
    compose = shutil.which("docker-compose")
    if compose is None:
        pytest.skip("docker-compose is not installed")
    command = [compose, "-f", str(DEPLOY / "compose.yaml"), "config", "-q"]
    done = subprocess.run(command, env={"POSTGRES_PASSWORD": "x"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_only_the_proxy_is_published_and_no_secret_is_written_down(services):
    assert {name for name, service in services.items() if "ports" in service} == {"web"}
    assert services["web"]["ports"] == ["80:80", "443:443"]
    assert services["proxy"]["network_mode"] == "service:web"
    assert "--server.address=127.0.0.1" in services["web"]["command"]
    assert not re.search(r"(?i)password: (?!\$)", (DEPLOY / "compose.yaml").read_text("utf-8"))


def test_workers_see_the_scheduler_and_the_record_and_not_the_database(services):
    assert services["worker"]["networks"] == services["scheduler"]["networks"] == ["cluster"]
    assert services["database"]["networks"] == ["storage"]
    shared = {volume for name in ("web", "record") for volume in services[name]["volumes"]}
    ours = set(services["worker"]["volumes"])
    assert ours & shared == {"./certificates:/certificates:ro"}


@pytest.mark.parametrize("part", ["scheduler", "worker"])
def test_dask_is_reached_by_certificates_alone(services, part):
    command = services[part]["command"]
    assert {option.split("=")[0] for option in command} >= {
        "--tls-ca-file",
        "--tls-cert",
        "--tls-key",
    }
    assert "--dashboard-address=127.0.0.1:0" in command
    assert services["web"]["environment"]["CNNKIT_SCHEDULER"].startswith("tls://")


def test_the_unit_starts_the_app_on_loopback():
    unit = (DEPLOY / "cnnkit.service").read_text("utf-8")
    assert "--server.address=127.0.0.1" in unit and "KillMode=process" in unit


def test_certificates_are_signed_by_the_authority_and_their_keys_are_private(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("OpenSSL is not installed")
    script = ["sh", str(DEPLOY / "certificates.sh"), str(tmp_path)]
    subprocess.run([*script, "scheduler"], check=True)
    authority = (tmp_path / "ca.pem").read_bytes()
    subprocess.run([*script, "worker"], check=True)
    assert (tmp_path / "ca.pem").read_bytes() == authority
    verify = ["openssl", "verify", "-CAfile", str(tmp_path / "ca.pem")]
    for host in ("scheduler", "worker"):
        subprocess.run([*verify, str(tmp_path / f"{host}.pem")], check=True, capture_output=True)
        assert (tmp_path / f"{host}.key").stat().st_mode & 0o77 == 0
