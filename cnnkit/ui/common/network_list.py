"""Choosing among all networks that can classify: pretrained ones, and one's own."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import streamlit as st

from cnnkit.models import Predictor, list_pretrained, pretrained_info
from cnnkit.runs import Run
from cnnkit.ui.common import cache, inputs, uploads
from cnnkit.ui.common.downloads import offer_download

IMAGENET, RUN = "imagenet", "run"
PARAMETER = "networks"  # in the address


@dataclass(frozen=True)
class Choice:
    """One network in the list, by the name it has in the address."""

    key: str  # "imagenet.mobilenet_v2", "run.starter" or "file"
    title: str
    asset: str | None = None  # what has to be downloaded first

    @property
    def identity(self) -> Hashable:
        """Equal for equal networks: of two files in a row, both have the key "file"."""
        return uploads.identity() if self.key == uploads.CHOICE else self.key

    def open(self) -> Predictor:
        """The network, ready to answer.

        Raises:
            CnnkitError: it cannot be had; says why.
        """
        kind, _, name = self.key.partition(".")
        if kind == IMAGENET:
            return cache.pretrained(name)
        return cache.model(name) if kind == RUN else uploads.opened()


def picker(runs: list[Run], *, label: str = "Networks") -> list[Choice]:
    """Several networks, `?networks=imagenet.mobilenet_v2,run.starter` in the address.

    Args:
        runs: finished ones, offered after the pretrained networks that are here.
        label: of the widget.
    """
    choices = {choice.key: choice for choice in _choices(runs)}
    first = [key for key, choice in choices.items() if choice.asset is None][:1]
    keys = inputs.several(
        label,
        list(choices),
        parameter=PARAMETER,
        title=lambda key: choices[key].title,
        default=first,
        placeholder="Choose networks",
    )
    return [choices[key] for key in keys]


def offer_missing(choices: list[Choice]) -> list[Choice]:
    """Offer to download what is missing, and return the networks that are here."""
    for choice in choices:
        if choice.asset:
            with st.container(border=True, key=f"missing_{choice.key.replace('.', '_')}"):
                st.markdown(f"**{choice.title}**: its weights are not on this machine yet.")
                offer_download(choice.asset)
    return [choice for choice in choices if choice.asset is None]


def _choices(runs: list[Run]) -> list[Choice]:
    famous = [_famous(name) for name in list_pretrained()]
    here = [choice for choice in famous if choice.asset is None]
    own = [Choice(f"{RUN}.{run.id}", inputs.run_title(run)) for run in runs]
    brought = [Choice(uploads.CHOICE, f"Your file {uploads.name()}")] if uploads.name() else []
    return here + brought + own + [choice for choice in famous if choice.asset]


def _famous(name: str) -> Choice:
    spec = pretrained_info(name)
    missing = None if spec.available else spec.asset
    words = f"{4 * spec.parameters / 1e6:.0f} MB to download" if missing else "ImageNet"
    return Choice(f"{IMAGENET}.{name}", f"{spec.title} · {words}", missing)
