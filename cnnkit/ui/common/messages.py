"""Telling a person what went wrong, what is missing, and what to do next."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import streamlit as st

from cnnkit.datasets import dataset_info
from cnnkit.errors import AssetUnavailableError, CnnkitError, CorruptAssetError, RunNotFoundError
from cnnkit.files import disk_problem
from cnnkit.ui.common import events, page

Color = Literal["gray", "blue", "orange", "green", "red"]

# Status of a run or a session -> (color of a Streamlit badge, icon).
STATUS_LOOKS: dict[str, tuple[Color, str]] = {
    "queued": ("gray", ":material/hourglass_empty:"),
    "running": ("blue", ":material/autorenew:"),
    "paused": ("orange", ":material/pause:"),
    "finished": ("green", ":material/check:"),
    "failed": ("red", ":material/error:"),
    "cancelled": ("gray", ":material/block:"),
    "stopped": ("gray", ":material/stop:"),
    "interrupted": ("orange", ":material/power_off:"),
}
UNKNOWN: tuple[Color, str] = ("gray", ":material/help:")


@contextmanager
def shown_errors(*, stop: bool = True, about: str = "") -> Iterator[None]:
    """Show an error of cnnkit instead of a traceback, with what to do next.

    So is a disk that is full or may only be read. Anything else passes: it is a fault of ours
    and must be seen.

    Args:
        stop: end the page here after an error; else go on after the block.
        about: what of several it concerns, such as a file's name; comes first.
    """
    try:
        yield
    except CnnkitError as error:
        events.record_error(error, expected=True)
        words = f"{literal(about)}: {error}" if about else str(error)
        st.error(words, icon=":material/error:")
        next_step = _next_step(error)
        if next_step:
            st.caption(next_step)
        if stop:
            page.end_page()
    except OSError as error:
        if not disk_problem(error):
            raise
        st.error(disk_problem(error), icon=":material/error:")
        if stop:
            page.end_page()


def empty_state(title: str, text: str, file: str | None = None, label: str | None = None) -> None:
    """Say that there is nothing to show yet, and link the page that changes that.

    Args:
        title: what is missing, in a few words.
        text: what will be here, and how to get it.
        file: page to link, as in `page.PAGES`.
        label: text of the link.
    """
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        st.markdown(f"#### {title}", text_alignment="center")
        st.markdown(f":gray[{text}]", text_alignment="center")
        if file:
            page.link(file, label)
        st.space("small")


def status_chip(status: str, detail: str = "") -> None:
    """A colored badge with the status of a run.

    Args:
        status: value of `runs.Status`.
        detail: more words, such as "2 ahead of you".
    """
    color, icon = STATUS_LOOKS.get(str(status), UNKNOWN)
    st.badge(f"{status} ({detail})" if detail else str(status), icon=icon, color=color)


def status_text(status: str) -> str:
    """The same badge inside Markdown."""
    color, _ = STATUS_LOOKS.get(str(status), UNKNOWN)
    return f":{color}-badge[{status}]"


def embedded_notice(name: str) -> None:
    """Say that an embedded data set stands in for MNIST; silent where MNIST is here, too."""
    if name == "digits" and not dataset_info("mnist").available:
        st.caption(
            ":material/info: These are the 1,797 digits that scikit-learn ships, because MNIST "
            "is not on this machine. Home says how to get it."
        )


def question(text: str, by: str, answer: str) -> None:
    """Show a learner's question, where it was asked, and the answer.

    Args:
        text: the question.
        by: author and title of the article that asked it.
        answer: two or three plain sentences.
    """
    st.subheader(text, anchor=False)
    st.caption(f"asked in {by}")
    with st.container(border=True):
        st.markdown(f":primary[:material/lightbulb:] {answer}")


def of_whom(owner_name: str) -> str:
    """Whose run it is, as a sentence for those who may only look at it."""
    return f"A run of {literal(owner_name)}." if owner_name else "A run from before the login."


def source(text: str) -> None:
    """Name the authors and title of what this screen reproduces or uses."""
    st.caption(f":material/menu_book: {text}")


def literal(text: str) -> str:
    """Text for Markdown that means nothing but itself."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])", r"\\\1", text)


def chart_label(text: str) -> str:
    """Text for a chart, in which Plotly would take tags for form."""
    return html.escape(text, quote=False)


def _next_step(error: CnnkitError) -> str:
    if isinstance(error, AssetUnavailableError) and error.filename == "mnist.npz":
        return "Until then, choose “Digits (embedded)”, which needs no download."
    if type(error) is CorruptAssetError:
        return "Then reload this page."
    if isinstance(error, RunNotFoundError):
        return "Choose another run, or start one on the Train page."
    return ""
