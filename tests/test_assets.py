"""Fetching from a stand-in origin on this machine: good, slow, cut off, wrong, missing."""

import dataclasses
import hashlib
import http.server
import threading

import pytest

from cnnkit import assets
from cnnkit.errors import AssetUnavailableError, UnknownNameError
from cnnkit.settings import get_settings

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def origin():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/missing":
                return self.send_error(404)
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            body = CONTENT[: len(CONTENT) // 2] if self.path == "/cut" else CONTENT
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def keras_home(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("CNNKIT_OFFLINE", "0")
    monkeypatch.delenv("CNNKIT_DATA_DIR", raising=False)
    get_settings.cache_clear()
    return tmp_path / "keras"


def serve(monkeypatch, url, sha256=SHA256):
    asset = dataclasses.replace(assets.ASSETS["mnist"], url=url, sha256=sha256)
    monkeypatch.setitem(assets.ASSETS, "mnist", asset)


def test_a_download_is_checked_kept_and_reported(monkeypatch, origin, keras_home):
    serve(monkeypatch, f"{origin}/mnist.npz")
    progress = []
    path = assets.fetch("mnist", lambda done, total: progress.append((done, total)))
    assert path == keras_home / "datasets" / "mnist.npz"
    assert path.read_bytes() == CONTENT
    assert progress[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)
    serve(monkeypatch, f"{origin}/missing")
    assert assets.fetch("mnist") == path, "a second fetch must not ask the network"


@pytest.mark.parametrize(
    ("path", "sha256", "reason"),
    [
        ("/missing", None, "404"),
        ("/cut", None, "not the official file"),
        ("/mnist.npz", "0" * 64, "not the official file"),
    ],
)
def test_a_bad_download_leaves_nothing_behind(
    monkeypatch, origin, keras_home, path, sha256, reason
):
    serve(monkeypatch, origin + path, *([sha256] if sha256 else []))
    with pytest.raises(AssetUnavailableError, match=reason) as caught:
        assets.fetch("mnist")
    assert "mnist.npz" in str(caught.value) and str(keras_home / "datasets") in str(caught.value)
    assert list((keras_home / "datasets").iterdir()) == []
    assert assets.find("mnist") is None


def test_no_network_says_where_to_put_the_file(monkeypatch, keras_home):
    serve(monkeypatch, "http://127.0.0.1:9/mnist.npz")
    with pytest.raises(AssetUnavailableError, match="put it into"):
        assets.fetch("mnist")


def test_offline_never_asks(monkeypatch, keras_home):
    monkeypatch.setenv("CNNKIT_OFFLINE", "1")
    get_settings.cache_clear()
    with pytest.raises(AssetUnavailableError, match="CNNKIT_OFFLINE"):
        assets.fetch("mnist")


def test_the_operators_folder_comes_first(monkeypatch, keras_home, tmp_path):
    (tmp_path / "mnist.npz").write_bytes(b"mine")
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    assert assets.fetch("mnist") == tmp_path / "mnist.npz"


def test_an_unknown_asset_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="mnist"):
        assets.find("mnits")
