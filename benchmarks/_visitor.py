"""A visitor without a browser: Streamlit's own messages over its own websocket.

It does what the browser's program does and draws nothing: asks for runs of a page, keeps the
widgets it was sent and what was entered, follows links, runs again the fragments that want to be,
and fetches the images of the page. So the server works as for a person, and one process can be
fifty people.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import urllib.request
import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PATIENCE = 120.0  # seconds for a run of a page
BOUNDARY = "cnnkit-visitor-f3b1"  # between the parts of an upload
MOST_BYTES = 64 * 2**20  # of one message

COMPILATION = "script_compilation_exception"

Path = tuple[int, ...]


class VisitError(Exception):
    """What a visitor must never meet: a lost connection, an answer that does not come."""


@dataclass
class Seen:
    """What went wrong for a visitor, as sentences."""

    errors: list[str] = field(default_factory=list)  # exceptions and messages of error on a page
    lost: list[str] = field(default_factory=list)  # connections, answers, images


class Visitor:
    """One browser tab.

    Args:
        address: of the server, "http://127.0.0.1:8501".
        name: of the visitor, in what went wrong.
    """

    def __init__(self, address: str, name: str = "visitor"):
        self.address = address
        self.name = name
        self.seen = Seen()
        self.page = ""  # path of the address, "" for Home
        self.query = ""
        self.elements: dict[Path, tuple[Element, str]] = {}  # and the fragment it belongs to
        self.images = 0  # fetched
        self._asked = 0  # runs, without those of timers
        self._pages: dict[str, str] = {}  # path -> hash of its script
        self._page_hash = ""
        self._session = ""
        self._urls: asyncio.Future[FileURLs] = asyncio.get_running_loop().create_future()
        self._states: dict[str, WidgetState] = {}
        self._fresh: dict[Path, tuple[Element, str]] | None = None  # of a run of a whole page
        self._drawn: set[Path] = set()  # by the run that goes on
        self._finished = asyncio.Event()
        self._awaited = "", ""  # page and fragment of the run that is awaited
        self._answering = False  # that run has begun
        self._timers: dict[str, asyncio.Task] = {}
        self._fetching: set[asyncio.Task] = set()
        self._known_images: set[str] = set()
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task | None = None

    async def __aenter__(self) -> Visitor:
        """Open the connection; `open` then asks for a page."""
        url = f"ws{self.address.removeprefix('http')}/_stcore/stream"
        self._socket = await connect(
            url, subprotocols=["streamlit"], max_size=MOST_BYTES, open_timeout=PATIENCE
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_) -> None:
        """Close the tab."""
        self._stop_timers()
        reader, socket = self._reader, self._socket
        self._reader = self._socket = None
        for task in [reader, *self._fetching]:
            if task:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, VisitError):
                    await task
        if socket:
            await socket.close()

    # What a person does

    async def open(self, page: str = "", **query: str) -> float:
        """Go to a page by its path; the seconds until its script has run."""
        self._stop_timers()
        self.page, self.query = page, urlencode(query)
        self._states.clear()  # ids name the page, too: of another page's widgets none counts
        return await self._run(self._pages.get(page, ""))

    async def click(self, label: str) -> float:
        """Press the button that a label begins with; the seconds until the page has run."""
        element, fragment = self.find("button", lambda one: one.label.startswith(label))
        state = WidgetState(id=element.button.id, trigger_value=True)
        return await self._run(self._page_hash, [state], fragment)

    async def choose(self, label: str, option: str) -> float:
        """Choose an option of a select box; the seconds until the page has run."""
        element, fragment = self.find("selectbox", lambda one: one.label == label)
        box = element.selectbox
        if option not in box.options:
            raise VisitError(f"{label} does not offer {option!r}, only {list(box.options)}.")
        self._states[box.id] = WidgetState(id=box.id, string_value=option)
        return await self._run(self._page_hash, fragment=fragment)

    async def upload(self, label: str, name: str, data: bytes) -> float:
        """Drop a file on the uploader whose label begins so; the seconds until the page has run."""
        element, fragment = self.find("file_uploader", lambda one: one.label.startswith(label))
        urls = await self._ask_for_urls(name)
        await asyncio.to_thread(self._put, urls.upload_url, name, data)
        state = WidgetState(id=element.file_uploader.id)
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = name, len(data), urls.file_id
        info.file_urls.CopyFrom(urls)
        self._states[state.id] = state
        return await self._run(self._page_hash, fragment=fragment)

    def find(self, kind: str, matches: Callable[..., bool]) -> tuple[Element, str]:
        """An element of the page, and the fragment it belongs to.

        Raises:
            VisitError: the page has none.
        """
        for element, fragment in self.elements.values():
            if element.WhichOneof("type") == kind and matches(getattr(element, kind)):
                return element, fragment
        raise VisitError(f"{self.page or 'home'} shows no such {kind}.")

    def has(self, kind: str, matches: Callable[..., bool]) -> bool:
        """Whether the page shows such an element."""
        try:
            self.find(kind, matches)
        except VisitError:
            return False
        return True

    async def wait_for(self, kind: str, matches: Callable[..., bool]) -> None:
        """Wait until the page shows such an element: it may still be computing it.

        Raises:
            VisitError: it never does.
        """
        deadline = time.monotonic() + PATIENCE
        while not self.has(kind, matches) and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        self.find(kind, matches)

    @property
    def words(self) -> str:
        """All text of the page."""
        texts = [one.markdown.body for one, _ in self.elements.values() if one.HasField("markdown")]
        texts += [one.heading.body for one, _ in self.elements.values() if one.HasField("heading")]
        return "\n".join(texts)

    # The protocol

    async def _ask_for_urls(self, name: str) -> FileURLs:
        request = BackMsg()
        request.file_urls_request.request_id = uuid.uuid4().hex
        request.file_urls_request.session_id = self._session
        request.file_urls_request.file_names.append(name)
        self._urls = asyncio.get_running_loop().create_future()
        await self._send(request)
        return await asyncio.wait_for(self._urls, PATIENCE)

    def _put(self, path: str, name: str, data: bytes) -> None:
        with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=PATIENCE) as answer:
            cookie = (answer.headers["Set-Cookie"] or "").partition(";")[0]
        part = f'Content-Disposition: form-data; name="file"; filename="{name}"'
        kind = "Content-Type: application/octet-stream"
        body = f"--{BOUNDARY}\r\n{part}\r\n{kind}\r\n\r\n".encode()
        body += data + f"\r\n--{BOUNDARY}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Cookie": cookie}
        headers["X-Xsrftoken"] = cookie.partition("=")[2]
        request = urllib.request.Request(
            f"{self.address}/{path.lstrip('/')}", data=body, headers=headers, method="PUT"
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            answer.read()

    async def _run(
        self, page_script_hash: str, once: Sequence[WidgetState] = (), fragment: str = ""
    ) -> float:
        self._finished.clear()
        self._asked += 1
        self._awaited, self._answering = (page_script_hash, fragment), False
        began = time.perf_counter()
        await self._ask(page_script_hash, once, fragment)
        try:
            await asyncio.wait_for(self._finished.wait(), PATIENCE)
        except TimeoutError:
            self._lose(f"no answer within {PATIENCE:g} s")
            raise VisitError(self.seen.lost[-1]) from None
        if self._socket is None or self.seen.lost:
            raise VisitError(self.seen.lost[-1] if self.seen.lost else "closed")
        return time.perf_counter() - began

    async def _ask(
        self, page_hash: str, once=(), fragment: str = "", *, auto: bool = False
    ) -> None:
        state = ClientState(
            query_string=self.query,
            page_script_hash=page_hash,
            page_name="" if page_hash else self.page,
            fragment_id=fragment,
            is_auto_rerun=auto,
        )
        state.widget_states.widgets.extend([*self._states.values(), *once])
        state.context_info.timezone = "UTC"
        state.context_info.locale = "en-US"
        state.context_info.url = f"{self.address}/{self.page}"
        await self._send(BackMsg(rerun_script=state))

    async def _send(self, message: BackMsg) -> None:
        if self._socket is None:
            return
        try:
            await self._socket.send(message.SerializeToString())
        except ConnectionClosed as error:
            self._lose(f"connection closed ({error})")

    async def _read(self) -> None:
        assert self._socket is not None  # noqa: S101
        try:
            async for data in self._socket:
                message = ForwardMsg()
                message.ParseFromString(data)
                self._take(message)
        except ConnectionClosed as error:
            self._lose(f"connection closed ({error})")
        else:
            self._lose("connection closed by the server")

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._begin(message)
        elif kind == "delta":
            self._draw(tuple(message.metadata.delta_path), message)
        elif kind == "navigation":
            # Of the first run of a visit, the page is known only now.
            self._page_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._repeat(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "script_finished":
            self._end(message.script_finished, message.metadata.run.fragment_ids)
        elif kind == "file_urls_response":
            self._urls.set_result(message.file_urls_response.file_urls[0])
        elif kind == "page_not_found":
            self.seen.errors.append(f"{self.name}: {self.page} is not a page")
        elif kind == "session_event" and message.session_event.HasField(
            "script_compilation_exception"
        ):
            self.seen.errors.append(f"{self.name}: {message.session_event}")

    def _begin(self, message: ForwardMsg) -> None:
        session = message.new_session
        self._session = session.initialize.session_id or self._session
        if session.app_pages:
            self._pages = {page.url_pathname: page.page_script_hash for page in session.app_pages}
            self._pages[""] = session.main_script_hash
        self._page_hash = session.page_script_hash
        fragments = message.metadata.run.fragment_ids
        self._drawn.clear()
        if not fragments:
            self._fresh = {}
            self._stop_timers()
        page, fragment = self._awaited
        whole = not fragments and page in ("", session.page_script_hash)
        self._answering |= whole or fragment in fragments

    def _draw(self, path: Path, message: ForwardMsg) -> None:
        delta = message.delta
        if not delta.HasField("new_element"):
            return
        element = delta.new_element
        target = self.elements if self._fresh is None else self._fresh
        target[path] = element, delta.fragment_id
        self._drawn.add(path)
        if element.HasField("exception"):
            self.seen.errors.append(
                f"{self.name} on {self.page or 'home'}: {element.exception.type}: "
                f"{element.exception.message}"
            )
        elif element.HasField("alert") and element.alert.format == Alert.ERROR:
            self.seen.errors.append(f"{self.name} on {self.page or 'home'}: {element.alert.body}")
        elif element.HasField("imgs"):
            for image in element.imgs.imgs:
                self._fetch(image.url)

    def _end(self, status: int, fragments: Collection[str]) -> None:
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return  # the run that it made way for follows
        whole = not fragments
        if whole and self._fresh is not None:
            self.elements, self._fresh = self._fresh, None
        elif not whole:  # what a fragment no longer draws disappears, and its images with it
            gone = {path for path, (_, owner) in self.elements.items() if owner in fragments}
            for path in gone - self._drawn:
                del self.elements[path]
        if status == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.seen.errors.append(f"{self.name}: {self.page or 'home'} does not compile")
        if self._answering and (whole or self._awaited[1]):
            self._finished.set()

    def _repeat(self, fragment: str, interval: float) -> None:
        """Run a fragment every so many seconds, until the page runs as a whole."""

        async def ask_again() -> None:
            while True:
                await asyncio.sleep(interval)
                await self._ask(self._page_hash, fragment=fragment, auto=True)

        if fragment in self._timers:
            self._timers[fragment].cancel()
        self._timers[fragment] = asyncio.create_task(ask_again())

    def _stop_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _fetch(self, url: str) -> None:
        """Fetch an image of the page, each once, as a browser keeps them."""
        if not url.startswith("/media/") or url in self._known_images:
            return
        self._known_images.add(url)
        task = asyncio.create_task(self._download(url))
        self._fetching.add(task)
        task.add_done_callback(self._fetching.discard)

    async def _download(self, url: str) -> None:
        def get() -> None:
            with urllib.request.urlopen(f"{self.address}{url}", timeout=PATIENCE) as answer:
                answer.read()

        asked = self._asked
        try:
            await asyncio.to_thread(get)
            self.images += 1
        except OSError as error:
            # The page may have been left, or drawn another image, before this one was asked for,
            # and what it draws instead may be on its way.
            deadline = time.monotonic() + PATIENCE
            await asyncio.sleep(1)
            while self._fresh is not None and time.monotonic() < deadline:
                await asyncio.sleep(0.1)
            shown = asked == self._asked and any(
                url in {image.url for image in element.imgs.imgs}
                for element, _ in self.elements.values()
                if element.HasField("imgs")
            )
            if shown:
                self.seen.lost.append(f"{self.name}: {url}: {error}")

    def _lose(self, what: str) -> None:
        if self._socket is not None:
            self.seen.lost.append(f"{self.name} on {self.page or 'home'}: {what}")
        self._finished.set()
