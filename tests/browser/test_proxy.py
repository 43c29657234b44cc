"""The server for a class: the app behind nginx as `deploy/nginx.conf` sets it up."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from tests.browser.conftest import FLAGS, PATIENCE

pytestmark = pytest.mark.browser

NAME = "cnnkit.example.org"
MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@pytest.fixture(scope="module")
def proxy(app, root, tmp_path_factory):
    """nginx with the site of `deploy/`, on two free ports: (plain, with TLS)."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None or shutil.which("openssl") is None:
        pytest.skip("nginx or OpenSSL is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o711)
    plain, secure = _free_port(), _free_port()
    site = (root / "deploy" / "nginx.conf").read_text("utf-8")
    changes = {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
        "/etc/ssl/cnnkit/": f"{folder}/",
        "http://127.0.0.1:8501": app.address,
    }
    for old, new in changes.items():
        assert old in site
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    _certificate(root, folder)
    process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    _wait_for(secure)
    yield plain, secure
    process.terminate()
    process.wait()


@pytest.fixture
def page(proxy, browser, chromium):
    """A browser for which the example's name leads here, and that takes its certificate."""
    rules = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"
    browser = browser.browser_type.launch(executable_path=chromium, args=[*FLAGS, rules])
    page = browser.new_context(ignore_https_errors=True).new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    browser.close()


def test_a_page_opens_through_the_proxy(proxy, page, app):
    answered = page.goto(f"https://{NAME}:{proxy[1]}/concepts")
    assert answered.headers["content-security-policy"] == "frame-ancestors 'self'"
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert answered.headers["referrer-policy"] == "same-origin"
    assert "max-age" in answered.headers["strict-transport-security"]
    assert "/" not in answered.headers["server"]  # no version
    app.settle(page)
    assert page.get_by_role("heading", level=1).count() == 1


def test_plain_requests_are_sent_to_tls(proxy):
    connection = HTTPConnection("127.0.0.1", proxy[0], timeout=20)
    connection.request("GET", "/draw", headers={"Host": NAME})
    answered = connection.getresponse()
    assert answered.status == 301 and answered.headers["Location"] == f"https://{NAME}/draw"
    connection.close()


def test_an_upload_beyond_the_limit_is_refused_before_it_is_read(proxy):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection("127.0.0.1", proxy[1], timeout=20, context=context)
    connection.putrequest("PUT", "/_stcore/upload_file/a/b", skip_host=True)
    connection.putheader("Host", NAME)
    connection.putheader("Content-Length", str(600 * 2**20))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def _certificate(root: Path, folder: Path) -> None:
    """The one that `docs/deploy.md` says how to make."""
    document = (root / "docs" / "deploy.md").read_text("utf-8")
    command = re.search(r"openssl req -x509.*?certificate\.pem", document, re.DOTALL)
    assert command
    script = command[0].replace("/etc/ssl/cnnkit/", f"{folder}/")
    subprocess.run(["sh", "-ec", script], check=True, capture_output=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("nginx did not answer")
