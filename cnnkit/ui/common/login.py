"""Who may see a page, and what stands there for everybody else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from ipaddress import ip_address

import streamlit as st

from cnnkit.errors import CnnkitError
from cnnkit.people import LOCAL, Person
from cnnkit.ui.common.person import logged_in, login_required, person

log = logging.getLogger("cnnkit.server")

NO_LOGIN = (
    "This server has no login and is open to other machines: whoever can reach it can see, change "
    "and delete everything here. docs/login.md says how to add a login."
)


def admit() -> Person | None:
    """The visitor, where they may see the page; else None, and the page says what to do."""
    try:
        if not login_required():
            return LOCAL
        if logged_in():
            return person()
    except CnnkitError as error:
        st.title("You cannot come in", anchor=False)
        st.error(str(error), icon=":material/error:")
        if "is_logged_in" in st.user:
            st.button("Log out", icon=":material/logout:", on_click=st.logout, key="log_out")
        return None
    _ask_to_log_in()
    return None


def account(visitor: Person) -> None:
    """The name of the visitor and a way out; a warning where a login lacks."""
    if visitor != LOCAL:
        with st.container(gap="xxsmall"):
            st.caption("Administrator" if visitor.admin else "You")
            st.markdown(f":material/person: {_plain(visitor.name)}")
            st.button("Log out", icon=":material/logout:", on_click=st.logout, key="log_out")


def warn_if_open() -> None:
    """Say in the page that everybody may do everything, where that is so."""
    if is_open_to_all():
        st.caption(f":orange[:material/lock_open: {NO_LOGIN}]")


def log_if_open() -> None:
    """Say the same in the log, when the server starts."""
    if is_open_to_all():
        log.warning(NO_LOGIN)


def is_open_to_all() -> bool:
    """Whether other machines can reach the server, and nobody has to log in."""
    address = str(st.get_option("server.address") or "")
    if address == "localhost" or address.startswith("unix://"):
        return False
    try:
        if ip_address(address).is_loopback:
            return False
    except ValueError:
        pass  # a name, or nothing: every address of this machine
    return not login_required()


def _ask_to_log_in() -> None:
    st.title("Log in to cnnkit", anchor=False)
    st.markdown(
        "Your trainings and images are kept under your name on this server. Others who use it can "
        "see your trainings, and cannot change or delete them."
    )
    with st.container(horizontal=True):
        for provider in _providers():
            st.button(
                f"Log in with {provider.capitalize()}" if provider else "Log in",
                type="primary",
                icon=":material/login:",
                key=f"log_in_{provider}",
                on_click=st.login,
                args=(provider,),
            )
    st.caption("Then the page opens whose link led you here.")


def _providers() -> list[str | None]:
    """Names of the identity providers in secrets.toml; None: the one without a name."""
    section = st.secrets["auth"]
    named = [name for name in section if isinstance(section[name], Mapping)]
    return [name for name in named if "client_id" in section[name]] or [None]


def _plain(text: str) -> str:
    """Text for Markdown that means nothing but itself."""
    return "".join(f"\\{one}" if one in r"\`*_{}[]()<>#+-.!|~$:&" else one for one in text)
