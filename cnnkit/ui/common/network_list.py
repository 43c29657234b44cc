"""Choosing among all networks that can classify: pretrained, trained here, and uploaded ones."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import streamlit as st

from cnnkit import assets
from cnnkit.errors import CnnkitError
from cnnkit.models import ModelCard, list_pretrained, pretrained_info
from cnnkit.networks import PRETRAINED, RUN, UPLOADED, WITHOUT_TOP, NetworkRef
from cnnkit.runs import Run
from cnnkit.ui.common import cache, inputs, uploads
from cnnkit.ui.common.downloads import offer_download
from cnnkit.ui.common.messages import shown_errors

PARAMETER = "networks"  # in the address


def picker(runs: Sequence[Run], *, label: str = "Networks") -> dict[NetworkRef, str]:
    """Several networks, `?networks=pretrained.mobilenet_v2,run.starter` in the address.

    Args:
        runs: finished ones, offered after the pretrained networks that are here.
        label: of the widget.

    Returns:
        The chosen networks, each with its title.
    """
    translate_address(PARAMETER)
    listed = _listed(runs)
    titles = {str(ref): title for ref, title in listed.items()}
    first = [str(ref) for ref in listed if missing_asset(ref) is None][:1]
    chosen = inputs.several(
        label,
        list(titles),
        parameter=PARAMETER,
        title=titles.__getitem__,
        default=first,
        missing=lambda name: "which is not here. It may have been deleted.",
        placeholder="Choose networks",
    )
    return {NetworkRef.parse(text): titles[text] for text in chosen}


def single_picker(
    runs: Sequence[Run],
    *,
    label: str = "Network",
    default: NetworkRef | None = None,
    parameter: str = "network",
) -> tuple[NetworkRef, str]:
    """One network, `?network=run.starter` in the address, and its title.

    Pretrained networks without top are offered too, where nothing more of them is here or the
    address asks for them.

    Args:
        runs: finished ones, offered after the pretrained networks that are here.
        label: of the widget.
        default: chosen where the address says nothing; None: the first.
        parameter: name in the address.
    """
    translate_address(parameter)
    topless = _without_top(asked=st.query_params.get(parameter, ""))
    titles = {str(ref): title for ref, title in (_listed(runs) | topless).items()}
    chosen = inputs.choice(
        label,
        list(titles),
        parameter=parameter,
        title=titles.__getitem__,
        default=None if default is None else str(default),
        missing=_why_not,
    )
    return NetworkRef.parse(chosen), titles[chosen]


def card(ref: NetworkRef) -> ModelCard:
    """What is known of a network, without opening it.

    Raises:
        CnnkitError: it cannot be had; says why.
    """
    return cache.card(ref.name) if ref.kind == RUN else ref.card()


def offer_missing(networks: Mapping[NetworkRef, str]) -> dict[NetworkRef, str]:
    """Offer to download missing weights, and return the networks that are here."""
    for ref, title in networks.items():
        asset = missing_asset(ref)
        if asset:
            with st.container(border=True, key=f"missing_{str(ref).replace('.', '_')}"):
                st.markdown(f"**{title}**: its weights are not on this machine yet.")
                offer_download(asset)
    return {ref: title for ref, title in networks.items() if missing_asset(ref) is None}


def missing_asset(ref: NetworkRef) -> str | None:
    """The asset that must be downloaded before a network can be opened; None: it is here."""
    spec = pretrained_info(ref.name) if ref.kind == PRETRAINED else None
    return spec.asset if spec and not spec.available else None


def translate_address(parameter: str, *, bare: str = PRETRAINED) -> None:
    """Write the networks of the address as `NetworkRef` does, where it has a former form.

    Args:
        parameter: one network, or several with commas between them.
        bare: see `NetworkRef.parse`.
    """
    text = st.query_params.get(parameter)
    if text:
        now = ",".join(_translated(name, bare) for name in text.split(","))
        if now != text:
            st.query_params[parameter] = now


def _translated(text: str, bare: str) -> str:
    # What cannot be read stays: the picker says that it is not here.
    with contextlib.suppress(CnnkitError):
        ref = uploads.ref() if text == "file" else NetworkRef.parse(text, bare=bare)
        return str(ref or text)
    return text


def _why_not(text: str) -> str:
    """Why a network of the address cannot be chosen."""
    kind, _, name = text.rpartition(".")
    if kind == RUN:
        return inputs.why_not(name)
    if kind == UPLOADED:
        return "a file that is not open in this visit. Upload it again."
    return "which is not here. It may have been deleted."


def _without_top(asked: str) -> dict[NetworkRef, str]:
    titles = {}
    for name in list_pretrained():
        ref, asset = NetworkRef(WITHOUT_TOP, name), assets.without_top_asset(name)
        bare = asset in assets.ASSETS and assets.find(asset) is not None
        whole = pretrained_info(name).available
        if (bare and not whole) or (str(ref) == asked and (bare or whole)):
            titles[ref] = f"{ref.title()} · ImageNet"
    return titles


def _listed(runs: Sequence[Run]) -> dict[NetworkRef, str]:
    pretrained = {NetworkRef(PRETRAINED, name): _title(name) for name in list_pretrained()}
    available = {ref: title for ref, title in pretrained.items() if missing_asset(ref) is None}
    uploaded = {}
    with shown_errors(stop=False):
        ref = uploads.ref()
        uploaded = {ref: f"Your file {uploads.name()}"} if ref else {}
    own = {NetworkRef(RUN, run.id): inputs.run_title(run) for run in runs}
    return available | uploaded | own | pretrained


def _title(name: str) -> str:
    spec = pretrained_info(name)
    size = f"{4 * spec.parameters / 1e6:.0f} MB to download"
    return f"{spec.title} · {'ImageNet' if spec.available else size}"
