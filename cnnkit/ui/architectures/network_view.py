"""One network: what it costs, why it was built so, its drawing, and its layers."""

from __future__ import annotations

from importlib import resources

import streamlit as st

from cnnkit.anatomy import Anatomy, Drawing, LayerRow
from cnnkit.anatomy.rows import CONVENTION
from cnnkit.counts import Counts, counts
from cnnkit.figures.architecture import architecture, short_number
from cnnkit.models import list_pretrained
from cnnkit.ui.architectures.network_choice import Chosen, paper
from cnnkit.ui.common import page
from cnnkit.ui.common.messages import source

_STORIES = resources.files("cnnkit.ui.architectures") / "stories"


def introduce(chosen: Chosen) -> None:
    """What is known of a network before it has been taken apart."""
    if _known(chosen):
        totals(counts()[chosen.name])
    story(chosen.name)


def show(chosen: Chosen, drawing: Drawing) -> None:
    """The network itself: its blocks and its layers."""
    if not _known(chosen):
        totals(drawing.anatomy)
    st.subheader("Its blocks", anchor="blocks")
    st.caption(
        "Height is the size of the maps, width their number. Open a block below to see its layers; "
        "3×3·64 is a convolution with 64 filters of 3×3, /2 one with strides of two."
    )
    st.html(architecture(drawing))
    st.subheader("Its layers", anchor="layers")
    layer_table(chosen, drawing.anatomy)
    if chosen.name in list_pretrained():
        page.link("pages/predict.py", "Ask it what it sees", networks=f"imagenet.{chosen.name}")
    if paper(chosen.name):
        source(paper(chosen.name))


def _known(chosen: Chosen) -> bool:
    return chosen.name in counts() and not chosen.options


def totals(found: Anatomy | Counts) -> None:
    """The figures of the whole network, each with what it means."""
    with st.container(horizontal=True):
        st.metric("Parameters", short_number(found.parameters), help=f"{found.parameters:,}")
        st.metric(
            "Multiply-accumulates",
            short_number(found.macs),
            help=f"{found.macs:,} for one image. {CONVENTION}",
        )
        st.metric("Depth", found.depth, help="Layers with weights on the longest way through.")
        st.metric(
            "Activations",
            f"{found.activation_bytes / 2**20:.3g} MiB",
            help="What all layers give for one image, as training keeps it. At inference "
            f"{found.peak_activation_bytes / 2**20:.3g} MiB are needed at once.",
        )
        st.metric("The answer sees", seen(found), help="Receptive field of the output, in pixels.")
    if found.not_counted:
        st.warning(
            f"Not counted in the multiply-accumulates: {', '.join(found.not_counted[:5])}"
            + (f" and {len(found.not_counted) - 5} more." if len(found.not_counted) > 5 else "."),
            icon=":material/calculate:",
        )


def seen(found: Anatomy | Counts) -> str:
    """The receptive field of the answer, in words."""
    field = found.receptive_field
    if field is None:
        return "unknown"
    return "all of it" if field == found.input_shape[:2] else "×".join(map(str, field))


def story(name: str) -> None:
    """Half a page about a classic: what is old about it, and what is still done today."""
    file = _STORIES / f"{name}.md"
    if not file.is_file():
        return
    beginning, *sections = file.read_text(encoding="utf-8").split("\n## ")
    st.markdown(beginning)
    with st.container(border=True):
        for column, section in zip(st.columns(len(sections)), sections, strict=True):
            heading, _, text = section.partition("\n")
            column.markdown(f"**{heading}**\n{text}")


def layer_table(chosen: Chosen, found: Anatomy) -> None:
    """A row a layer, and the same as CSV and JSON."""
    st.dataframe(
        [_cells(row) for row in found.rows],
        hide_index=True,
        height=420,
        column_config={
            "MACs": st.column_config.NumberColumn(format="localized"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
            "Memory, KiB": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    with st.container(horizontal=True):
        for kind, text in (("csv", found.to_csv), ("json", found.to_json)):
            st.download_button(
                f"All rows as {kind.upper()}",
                text,
                f"{chosen.name}.{kind}",
                icon=":material/download:",
                key=f"{kind}_{chosen.name}",
                on_click="ignore",
            )


def _cells(row: LayerRow) -> dict[str, object]:
    field = row.receptive_field
    return {
        "Layer": row.name,
        "Kind": row.kind,
        "What it does": row.detail,
        "Output": "×".join(map(str, row.output_shape)),
        "Parameters": row.parameters,
        "MACs": row.macs,
        "Memory, KiB": row.activation_bytes / 1024,
        "Sees": "all" if row.whole_image else "×".join(map(str, field or ())),
        "Stride": "×".join(f"{side:g}" for side in row.stride or ()),
    }
