"""What a server that was started as the README says lets in: ports, origins, forged requests."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import psutil
import pytest

pytestmark = pytest.mark.browser

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def ask(url: str, method: str = "GET", body: bytes | None = None, **headers: str):
    """Status of the answer to a request, and what it says."""
    address = urlsplit(url)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with contextlib.closing(HTTPConnection(address.netloc, timeout=20)) as connection:
        connection.request(method, address.path, body, named)
        answer = connection.getresponse()
        return answer.status, b"" if answer.status == 101 else answer.read()


def listening(pid: int) -> set[tuple[str, int]]:
    """Addresses at which a process or any of those it has started waits for others."""
    process = psutil.Process(pid)
    places = set()
    for one in (process, *process.children(recursive=True)):
        for connection in one.net_connections("inet"):
            if connection.laddr and connection.status in (psutil.CONN_LISTEN, psutil.CONN_NONE):
                places.add((connection.laddr.ip, connection.laddr.port))
    return places


def test_nothing_of_the_app_listens_beyond_this_machine(app, page):
    page.goto(app.url("train"))  # whose visitors start the scheduler
    app.settle(page)
    deadline = time.monotonic() + 120
    while json.loads(ask(app.url("health"))[1])["scheduler"] != "running":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    places = listening(app.pid)
    assert int(app.address.rpartition(":")[2]) in {port for _, port in places}
    assert [place for place in places if not ipaddress.ip_address(place[0]).is_loopback] == []


def test_a_page_of_another_site_cannot_open_a_session(app):
    stream = app.url("_stcore/stream")
    assert ask(stream, **UPGRADE, Origin="https://evil.example")[0] == 403
    assert ask(stream, **UPGRADE, Origin=app.address)[0] == 101


def test_an_upload_without_the_token_of_its_page_is_refused(app):
    place = app.url("_stcore/upload_file/00000000-0000-0000-0000-000000000000/file")
    assert ask(place, "PUT", b"x", Content_Type="multipart/form-data; boundary=x")[0] == 403


def test_the_agent_api_is_off(app):
    assert ask(app.url("_stcore/agent/interact"), "POST", b"{}")[0] in (403, 404)
