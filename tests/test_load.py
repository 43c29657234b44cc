"""A short class over Streamlit's own websocket, and what can be watched of its server."""

import json
import socket
import time
import urllib.error
import urllib.request

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks._app import served
from benchmarks._children import end_children
from benchmarks._classroom import hold_class
from benchmarks._visitor import VisitError, Visitor
from benchmarks._watch import Watch
from cnnkit.runs import STARTER_ID
from cnnkit.settings import Settings
from tests import asynchronous
from tests.records import new_store

EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN


@pytest.fixture(scope="module")
def server(root, tmp_path_factory):
    """Address, metrics port and home of a server that all tests here share."""
    home = tmp_path_factory.mktemp("class")
    new_store(Settings.from_environment({"CNNKIT_HOME": str(home)}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "CNNKIT_HOME": str(home),
        "CNNKIT_WARM_WORKERS": "0",
        "CNNKIT_OFFLINE": "1",
        "CNNKIT_METRICS_PORT": str(port),
        "CNNKIT_LOG_FILE": str(home / "server.log"),
    }
    with served(root / "app.py", environment) as address:
        yield address, port, home
    end_children(home)


def _get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return answer.read().decode()


def _status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_load_balancer_learns_that_the_server_is_ready_before_anybody_came(server):
    address, _, _ = server
    deadline = time.monotonic() + 120  # a busy machine takes its time to open the record
    while (status := _status(f"{address}/health")) != 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    states = json.loads(_get(f"{address}/health"))
    assert status == 200 and states["status"] == "ok" and states["record"] == "open"


def test_five_people_at_once_see_no_error_and_lose_nothing(server):
    address, port, home = server
    with Watch(address) as watch:
        tally = asynchronous.run(
            hold_class(address, 5, 10 / 60, [STARTER_ID], arrive=1, think=(0.2, 1.0))
        )
        held = watch.mark("at the end")
    assert tally.seen.errors == [] and tally.seen.lost == []
    assert len(tally.switches["home"]) == 5 and sum(map(len, tally.switches.values())) >= 10
    assert held.server > 0 and held.threads < 100
    metrics = _get(f"http://127.0.0.1:{port}/metrics")
    assert "cnnkit_visits_total 5.0" in metrics and "cnnkit_resident_bytes" in metrics
    log = [json.loads(line) for line in (home / "server.log").read_text("utf-8").splitlines()]
    events = [line["event"] for line in log]
    assert events.count("visit") == 5 and "page failed" not in events


def test_a_visitor_uploads_an_image_and_gets_its_classes(server, root):
    address, _, _ = server
    image = (root / "docs" / "images" / "filters-tried.jpg").read_bytes()

    async def upload() -> Visitor:
        async with Visitor(address) as visitor:
            await visitor.open("predict", **{"from": "upload", "networks": "run.starter"})
            await visitor.upload("Drop images here", "filters.jpg", image)
            return visitor

    visitor = asynchronous.run(upload())
    assert visitor.seen.errors == [] and visitor.seen.lost == []
    assert visitor.has("plotly_chart", lambda chart: chart.spec)


def test_a_visitor_says_what_is_not_on_a_page(server):
    address, _, _ = server

    async def press() -> None:
        async with Visitor(address) as visitor:
            await visitor.open("concepts")
            await visitor.click("No such button")

    with pytest.raises(VisitError, match="concepts shows no such button"):
        asynchronous.run(press())


def test_the_figures_are_not_on_the_port_of_the_pages(server):
    address, _, _ = server
    assert "cnnkit_visits" not in _get(f"{address}/metrics")  # the app's page of that name


@pytest.mark.parametrize(
    ("status", "words"),
    ((ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY, "title\nnew"), (EARLY, "title\nnew\nold")),
    ids=("finished", "early"),
)
def test_what_a_fragment_no_longer_draws_is_no_longer_on_the_page(status, words):
    async def visit() -> str:
        visitor = Visitor("http://127.0.0.1:1")
        texts = {(0, 0): ("title", ""), (0, 1): ("waiting", "inner"), (0, 2): ("old", "inner")}
        send_run(visitor, [], texts, ForwardMsg.FINISHED_SUCCESSFULLY)
        send_run(visitor, ["inner"], {(0, 1): ("new", "inner")}, status)
        return visitor.words

    assert asynchronous.run(visit()) == words


def send_run(visitor: Visitor, fragments: list[str], texts: dict, status: int) -> None:
    """Let a visitor take the messages of one run of a script, as a server sends them."""
    messages = [ForwardMsg() for _ in range(len(texts) + 2)]
    messages[0].new_session.page_script_hash = "page"
    for message, (path, (text, fragment)) in zip(messages[1:], texts.items(), strict=False):
        message.metadata.delta_path.extend(path)
        message.delta.fragment_id = fragment
        message.delta.new_element.markdown.body = text
    messages[-1].script_finished = status
    for message in messages:
        message.metadata.run.fragment_ids.extend(fragments)
        visitor._take(message)
