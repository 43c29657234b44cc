"""After a login, the page whose link was opened before it.

Streamlit leads everybody to Home. The browser tells the address of the page on which the login
was begun (its `Referer`); a cookie remembers it until the identity provider sends the visitor back.
"""

from __future__ import annotations

from http.cookies import SimpleCookie
from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "cnnkit_return_to"
SECONDS = 600  # for typing a password, and perhaps a second factor
LOGIN, BACK = "/auth/login", "/oauth2callback"


class ReturnTo:
    """Middleware that changes where a finished login leads.

    Args:
        app: the server.
    """

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope.get("path", "") if scope["type"] == "http" else ""
        if not path.endswith((LOGIN, BACK)):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        begun = path.endswith(LOGIN)
        target = _page_before(headers) if begun else _remembered(headers)

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start" and target:
                answered = MutableHeaders(scope=message)
                if not begun and 300 <= message["status"] < 400:
                    answered["location"] = target
                value = quote(target, safe="") if begun else ""
                seconds = SECONDS if begun else 0
                answered.append(
                    "set-cookie",
                    f"{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax",
                )
            await send(message)

        await self._app(scope, receive, send_changed)


def _page_before(headers: Headers) -> str:
    """Path and query of the page of this server that the visitor comes from; "": of none."""
    page = urlsplit(headers.get("referer", ""))
    if page.netloc != headers.get("host"):
        return ""
    return _own_path(page.path + (f"?{page.query}" if page.query else ""))


def _remembered(headers: Headers) -> str:
    cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    return _own_path(unquote(cookie.value)) if cookie else ""


def _own_path(address: str) -> str:
    """The address where it stays on this server, "" where it leads elsewhere (`//host/`)."""
    own = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if own and address.isascii() and address.isprintable() else ""
