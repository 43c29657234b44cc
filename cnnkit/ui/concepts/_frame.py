"""The frame around each experiment: somebody's question, and the answer in two sentences."""

from __future__ import annotations

import streamlit as st
from threadpoolctl import threadpool_limits


def question(asked: str, by: str, answer: str) -> None:
    """Show what was asked, by whom, and the answer, above the live image.

    Args:
        asked: the question, in English.
        by: author and title of the article that asked it.
        answer: two plain sentences.
    """
    st.subheader(asked, anchor=False)
    st.caption(f"asked in {by}")
    with st.container(border=True):
        st.markdown(f":primary[:material/lightbulb:] {answer}")


def one_thread() -> threadpool_limits:
    """Keep small matrix products on one core; use with `with`.

    They are done before a second thread has woken up, and while a job trains on every
    core, waiting for such threads made these experiments ten times slower.
    """
    return threadpool_limits(limits=1, user_api="blas")
