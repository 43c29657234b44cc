"""Who is using the app: the person that Streamlit has logged in, or the local one."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from cnnkit.errors import NotAllowedError, SettingsError
from cnnkit.people import LOCAL, Person, person_of
from cnnkit.settings import get_settings


@st.cache_resource(show_spinner=False)
def login_required() -> bool:
    """Whether people have to log in: `secrets.toml` has a section `[auth]`.

    Read once: a server that asks for a login goes on asking, whatever becomes of the file.

    Raises:
        SettingsError: there is such a file, and it cannot be read.
    """
    try:
        return "auth" in st.secrets
    except StreamlitSecretNotFoundError as error:
        files = [path for path in st.get_option("secrets.files") if Path(path).exists()]
        if not files:
            return False
        raise SettingsError(
            f"{' or '.join(files)} cannot be read, so it is not known who may use this server. "
            f"{error}"
        ) from error


def logged_in() -> bool:
    """Whether the visitor has logged in, where that is required."""
    return bool(st.user.get("is_logged_in"))


def own_id() -> str | None:
    """What to ask the record for to find the visitor's own runs; None without a login: all are."""
    visitor = person()
    return None if visitor == LOCAL else visitor.id


def person() -> Person:
    """Who is asking, on the thread of a page's script. Without a login: `LOCAL`.

    Raises:
        NotAllowedError: a login is required, and nobody is logged in, or not somebody who may
            use this server.
        SettingsError: it is not known whether a login is required.
    """
    if not login_required():
        return LOCAL
    if not logged_in():
        raise NotAllowedError("Log in first: this server is only for people it knows.")
    return person_of(st.user.to_dict(), get_settings())
