"""What stands at the top of every page: its title, and the way to the others."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import StopException

from cnnkit.errors import SettingsError
from cnnkit.settings import get_settings
from cnnkit.ui.common import events, login, streamlit_patches


@dataclass(frozen=True)
class PageInfo:
    """One page, as the sidebar, Home and the README show it."""

    file: str  # "app.py" or "pages/<name>.py"
    title: str
    icon: str  # of Streamlit's Material icons
    summary: str  # what one does there, in one sentence
    group: str = ""  # heading in the sidebar; empty: none


_TABLE = tomllib.loads(Path(__file__).with_name("pages.toml").read_text("utf-8"))
PAGES = tuple(PageInfo(**values) for values in _TABLE["page"])

# Files in pages/ that only lead on to the page of a new name.
OLD_ADDRESSES = ("ideas.py",)


def open_page(title: str, subtitle: str = "", *, tab: str | None = None) -> None:
    """Begin a page: browser title, sidebar, heading.

    Call it first on every page, so that a page is right however it is reached. Who has to log in
    first, or may not come in, sees nothing of the page.

    Args:
        title: of the page, and of the browser's tab.
        subtitle: what the page answers, in one sentence.
        tab: title of the browser's tab where it is not the page's.
    """
    st.set_page_config(page_title=tab or f"{title} · cnnkit", layout="wide")
    _translate_address()
    st.html(_STYLE)
    visitor = login.admit()
    if visitor is None:
        end_page()
    st.title(title, anchor=False)
    first = "visited" not in st.session_state
    st.session_state.setdefault("visited", set()).add(title)
    if subtitle:
        st.markdown(f":gray[{subtitle}]")
    login.warn_if_open()
    with st.sidebar:
        _navigation()
        login.account(visitor)
    # Last: the first image in a process makes Streamlit import NumPy and Pillow, and the
    # first visitor's heading need not wait for them.
    st.logo(_LOGO, size="large", icon_image=_MARK)
    st.set_page_config(page_icon=_MARK)
    streamlit_patches.keep()
    _check_settings()
    if first:
        events.record_visit()


def _check_settings() -> None:
    """Say which environment variable makes no sense, and draw nothing that would need it."""
    try:
        get_settings()
    except SettingsError as error:
        st.error(str(error), icon=":material/error:")
        st.caption("Change it where the app is started, and start the app again.")
        end_page()


def _translate_address() -> None:
    """Read addresses of earlier versions, which said picture for image."""
    parameters = st.query_params.to_dict()
    now = {
        name.replace("picture", "image"): "image" if value == "picture" else value
        for name, value in parameters.items()
    }
    if now == parameters:
        return
    st.query_params.from_dict(now)
    # Widgets bound to the address were given the one that the browser came with.
    for name in now.keys() - parameters.keys():
        if name.endswith(("image", "_images")) and now[name].isdecimal():
            st.session_state[name] = int(now[name])


def visited() -> set[str]:
    """Files of the pages that were opened in this visit."""
    titles = st.session_state.get("visited", set())
    return {one.file for one in PAGES if one.title in titles}


def end_page() -> NoReturn:
    """Draw nothing more of this page.

    Streamlit's own `st.stop()` also forgets what was clicked within a fragment while the page
    was being drawn: a Pause pressed in the moment when it appears, a dialog's Delete.
    """
    raise StopException


def link(file: str, label: str | None = None, **query: str) -> None:
    """A link to another page, with what it shall open on.

    Args:
        file: as in `PAGES`, such as "pages/runs.py".
        label: text of the link; None: the page's title.
        **query: parameters of the address, such as `run="starter"`.
    """
    page = next(page for page in PAGES if page.file == file)
    st.page_link(file, label=label or page.title, icon=page.icon, query_params=query or None)


def _navigation() -> None:
    for group, pages in groupby(PAGES, key=lambda page: page.group):
        with st.container(gap="xxsmall"):
            if group:
                st.caption(group)
            for page in pages:
                st.page_link(page.file, label=page.title, icon=page.icon, width="stretch")


# Small digits must stay square pixels when a browser enlarges them, and a line of text
# on a very wide screen must end somewhere. Streamlit's theme has no option for either.
_STYLE = """<style>
[data-testid="stImage"] img { image-rendering: pixelated; border-radius: 6px; }
[data-testid="stMainBlockContainer"] { max-width: 1240px; }
/* What is renewed several times a second must not fade while the next image is on its way. */
[data-testid="stElementContainer"][data-stale="true"] { opacity: 1 !important; }
/* WCAG AA: captions have 60 % of the text's opacity, and white on a dark theme's primary color
   is too faint. */
[data-testid="stApp"] [data-testid="stCaptionContainer"],
[data-testid="stApp"] [data-testid="stCaptionContainer"] p { color: inherit; opacity: .88; }
[data-testid="stApp"] [data-testid="stBaseButton-primary"],
[data-testid="stApp"] [data-testid="stMultiSelect"] [data-tag-index],
[data-testid="stApp"] [data-testid="stMultiSelect"] [data-tag-index] > * {
  background-color: #3A5BD0; border-color: #3A5BD0; color: #FFFFFF;
}
[data-testid="stApp"] [data-testid="stBaseButton-primary"]:disabled { opacity: .5; }
[data-testid="stSidebar"] [data-testid="stCaptionContainer"] { padding-left: .5rem; }
[class*="st-key-card_"] [data-testid="stPageLink"] a { padding-left: 0; font-size: 1.05rem; }
/* A select box cuts off long options: it gets room, on a telephone the whole width. */
[data-testid="stElementContainer"]:has(> .stSelectbox) { min-width: min(12rem, 100%); }
@media (max-width: 640px) {
  [data-testid="stElementContainer"]:has(> .stSelectbox, > .stMultiSelect) { min-width: 100%; }
}
</style>"""

# A 3×3 filter. As text it needs no file beside the package, and no network.
_CELLS = (0.35, 1.0, 0.55, 0.7, 0.95, 0.25, 0.9, 0.4, 0.15)
_SQUARES = "".join(
    f'<rect x="{9 * (i % 3)}" y="{9 * (i // 3)}" width="8" height="8" rx="2" opacity="{opacity}"/>'
    for i, opacity in enumerate(_CELLS)
)
_MARK = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 26 26" fill="#5B7BE8">{_SQUARES}</svg>'
)
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="112" height="26" viewBox="0 0 112 26" '
    f'fill="#5B7BE8">{_SQUARES}<text x="36" y="20" font-family="Source Sans, Source Sans Pro, '
    'sans-serif" font-size="21" font-weight="700">cnnkit</text></svg>'
)
