"""Where a login leads: the page of this server on which it was begun, and no other place."""

from http.cookies import SimpleCookie
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import Route

from cnnkit.ui.return_to import COOKIE, ReturnTo
from tests import asynchronous

HERE = "http://testserver"


class Browser:
    """Asks a server that logs everybody in, and keeps its cookies."""

    def __init__(self):
        def to_provider(request):
            return RedirectResponse("https://login.example/", 302)

        def home(request):
            return RedirectResponse("/", 302)

        routes = [Route("/auth/login", to_provider), Route("/oauth2callback", home)]
        self.app = Starlette(routes=routes, middleware=[Middleware(ReturnTo)])
        self.cookies: dict[str, str] = {}

    def get(self, path: str, referer: str = "") -> str:
        """Where the answer leads."""
        sent = {"host": urlsplit(HERE).netloc, "referer": referer}
        sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answers = []

        async def send(message):
            answers.append(message)

        headers = [(name.encode(), value.encode()) for name, value in sent.items()]
        scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
        scope |= {"query_string": b"", "root_path": "", "server": ("testserver", 80)}
        asynchronous.run(self.app(scope | {"scheme": "http"}, None, send))
        received = [(name.decode(), value.decode()) for name, value in answers[0]["headers"]]
        for cookie in (value for name, value in received if name == "set-cookie"):
            for name, morsel in SimpleCookie(cookie).items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
        return dict(received)["location"]


@pytest.fixture
def visitor() -> Browser:
    return Browser()


def log_in(visitor, page):
    assert visitor.get("/auth/login", referer=page) == "https://login.example/"
    return visitor.get("/oauth2callback")


@pytest.mark.parametrize("page", ["/runs?run=abc&tab=curves", "/", "/explain?image=caf%C3%A9.jpg"])
def test_a_login_leads_back_to_the_page_on_which_it_was_begun(visitor, page):
    assert log_in(visitor, HERE + page) == page
    assert COOKIE not in visitor.cookies, "the next login begins elsewhere"


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/runs",
        f"{HERE}//evil.example/",
        f"{HERE}/\\evil.example/",
        f"{HERE}.evil.example/runs",
        "javascript:alert(1)",
        "",
    ],
)
def test_a_login_never_leads_to_another_server(visitor, page):
    assert log_in(visitor, page) == "/"


@pytest.mark.parametrize("path", ["//evil.example", "%2F%2Fevil.example", "https:evil.example"])
def test_a_cookie_that_was_made_by_hand_leads_home(visitor, path):
    visitor.cookies[COOKIE] = path
    assert visitor.get("/oauth2callback") == "/"


def test_a_login_that_was_begun_twice_leads_to_the_second_page(visitor):
    visitor.get("/auth/login", referer=f"{HERE}/draw")
    assert log_in(visitor, f"{HERE}/predict") == "/predict"
