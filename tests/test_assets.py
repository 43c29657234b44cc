"""Fetching from a stand-in origin on this machine: good, slow, cut off, wrong, missing."""

import dataclasses
import hashlib
import http.server
import threading
import time

import pytest

from cnnkit import assets
from cnnkit.errors import AssetUnavailableError, UnknownNameError
from cnnkit.settings import get_settings

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def asked():
    """What the origin was asked for: (path, range)."""
    return []


@pytest.fixture
def origin(asked, monkeypatch):
    monkeypatch.setattr(assets, "PAUSE", 0.01)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Range")))
            if self.path == "/missing":
                return self.send_error(404)
            start = 0
            if self.path in ("/resumed", "/cut") and self.headers.get("Range"):
                start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(CONTENT) - start))
            self.end_headers()
            body = CONTENT[start:]
            if self.path == "/cut" or len(asked) == 1 and self.path in ("/resumed", "/again"):
                body = body[: len(body) // 2]
            if self.path == "/slow":
                for i in range(0, len(body), 1 << 18):
                    self.wfile.write(body[i : i + (1 << 18)])
                    time.sleep(0.02)
                return
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


def serve(monkeypatch, url, checksum=f"sha256:{SHA256}"):
    asset = dataclasses.replace(assets.ASSETS["mnist"], url=url, checksum=checksum)
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
    ("path", "checksum", "reason"),
    [
        ("/missing", None, "404"),
        ("/cut", None, "bytes came"),
        ("/mnist.npz", "sha256:" + "0" * 64, "not the official file"),
        ("/mnist.npz", "md5:" + "0" * 32, "not the official file: md5"),
        ("/mnist.npz", "sha1:" + "0" * 40, "not the official file: sha1"),
    ],
)
def test_a_bad_download_leaves_nothing_behind(
    monkeypatch, origin, keras_home, path, checksum, reason
):
    serve(monkeypatch, origin + path, *([checksum] if checksum else []))
    with pytest.raises(AssetUnavailableError, match=reason) as caught:
        assets.fetch("mnist")
    assert "mnist.npz" in str(caught.value) and str(keras_home / "datasets") in str(caught.value)
    assert list((keras_home / "datasets").iterdir()) == []
    assert assets.find("mnist") is None


@pytest.mark.parametrize("path", ["/resumed", "/again"])
def test_a_transfer_that_breaks_off_is_taken_up_again(monkeypatch, origin, keras_home, asked, path):
    serve(monkeypatch, origin + path)
    assert assets.fetch("mnist").read_bytes() == CONTENT
    half = f"bytes={len(CONTENT) // 2}-"
    assert asked == [(path, None), (path, half)]


def test_a_slow_origin_moves_the_progress_many_times(monkeypatch, origin, keras_home):
    serve(monkeypatch, f"{origin}/slow")
    progress = []
    assets.fetch("mnist", lambda done, total: progress.append(done / total))
    assert len(progress) >= 4 and progress == sorted(progress) and progress[-1] == 1


def test_what_is_not_there_is_asked_for_once(monkeypatch, origin, keras_home, asked):
    serve(monkeypatch, f"{origin}/missing")
    with pytest.raises(AssetUnavailableError):
        assets.fetch("mnist")
    assert len(asked) == 1


def test_weights_are_looked_for_in_their_own_folder(monkeypatch, keras_home, tmp_path):
    filename = assets.ASSETS["mobilenet_v2.imagenet"].filename
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / filename).write_bytes(b"mine")
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    assert assets.find("mobilenet_v2.imagenet") == tmp_path / "weights" / filename


@pytest.mark.parametrize(
    ("name", "official"),
    [
        ("googlenet", r"dl\.caffe\.berkeleyvision\.org/bvlc_googlenet\.caffemodel"),
        ("squeezenet", r"github\.com/forresti/SqueezeNet/.*/squeezenet_v1\.1\.caffemodel"),
    ],
)
def test_missing_weights_of_caffe_name_their_authors_file(monkeypatch, keras_home, name, official):
    monkeypatch.setenv("CNNKIT_OFFLINE", "1")
    get_settings.cache_clear()
    folder = keras_home / "models"
    with pytest.raises(AssetUnavailableError, match=rf"{official} and put it into {folder}"):
        assets.fetch(f"{name}.imagenet")


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
    (keras_home / "datasets").mkdir(parents=True)
    (keras_home / "datasets" / "mnist.npz").write_bytes(b"Keras's")
    monkeypatch.setenv("CNNKIT_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    assert assets.fetch("mnist") == tmp_path / "mnist.npz"


def test_an_unknown_asset_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="mnist"):
        assets.find("mnits")
