"""One network, two side by side, or all by accuracy and cost."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import streamlit as st

from cnnkit.anatomy import Architecture, LayerRow, LayerTable
from cnnkit.anatomy.table import CONVENTION
from cnnkit.figures.architecture import draw_architecture, short_number
from cnnkit.figures.bars import cost_comparison
from cnnkit.figures.dots import accuracy_against_cost
from cnnkit.models import PretrainedSpec, list_pretrained, pretrained_info
from cnnkit.published.measurements import Counts, counts
from cnnkit.ui.architectures.network_choice import ChosenNetwork, paper
from cnnkit.ui.common import inputs, page
from cnnkit.ui.common.charts import chart, clicked_point
from cnnkit.ui.common.messages import source

_STORIES = resources.files("cnnkit.ui.architectures") / "stories"


def show_introduction(chosen: ChosenNetwork) -> None:
    """Costs and text of a known network, which need not be built for them."""
    if _known(chosen):
        show_costs(counts()[chosen.name])
    show_story(chosen.file_stem)


def show_network(chosen: ChosenNetwork, network: Architecture) -> None:
    """Its architecture and its layer table."""
    if not _known(chosen):
        show_costs(network.table)
    st.subheader("Architecture", anchor="blocks")
    st.caption(
        "The height of a block shows the size of its feature maps, the width their number. Open a "
        "block to see its layers; 3×3·64 is a convolution with 64 filters of 3×3, and /2 means "
        "stride 2."
    )
    st.html(draw_architecture(network))
    st.subheader("Layer table", anchor="layers")
    show_layer_table(chosen, network.table)
    if chosen.name in list_pretrained():
        page.link(
            "pages/predict.py", "Predict with this network", networks=f"pretrained.{chosen.name}"
        )
    if paper(chosen.ref):
        source(paper(chosen.ref))


def _known(chosen: ChosenNetwork) -> bool:
    return chosen.name in counts() and not chosen.options


def show_costs(table: LayerTable | Counts) -> None:
    """The totals of the whole network, each with its definition."""
    with st.container(horizontal=True):
        st.metric("Parameters", short_number(table.parameters), help=f"{table.parameters:,}")
        st.metric(
            "Multiply-accumulates",
            short_number(table.macs),
            help=f"{table.macs:,} for one image. {CONVENTION}",
        )
        st.metric("Depth", table.depth, help="Layers with weights on the longest path.")
        st.metric(
            "Activations",
            f"{table.activation_bytes / 2**20:.3g} MiB",
            help="Memory of the outputs of all layers for one image, as in training. At inference "
            f"at most {table.peak_activation_bytes / 2**20:.3g} MiB are needed at once.",
        )
        st.metric(
            "Receptive field",
            receptive_field_text(table),
            help="Of the output: the input pixels that it depends on.",
        )
    if table.not_counted:
        st.warning(
            f"Not counted in the MACs: {', '.join(table.not_counted[:5])}"
            + (f" and {len(table.not_counted) - 5} more." if len(table.not_counted) > 5 else "."),
            icon=":material/calculate:",
        )


def receptive_field_text(table: LayerTable | Counts) -> str:
    """The receptive field of the output: "212×212" or "whole image"."""
    field = table.receptive_field
    if field is None:
        return "unknown"
    return "whole image" if field == table.input_shape[:2] else "×".join(map(str, field))


def show_story(name: str) -> None:
    """Text about a classic network: what is dated about it, and what is still in use."""
    file = _STORIES / f"{name}.md"
    if not file.is_file():
        return
    beginning, *sections = file.read_text(encoding="utf-8").split("\n## ")
    st.markdown(beginning)
    with st.container(border=True):
        for column, section in zip(st.columns(len(sections)), sections, strict=True):
            heading, _, text = section.partition("\n")
            column.markdown(f"**{heading}**\n{text}")


def show_layer_table(chosen: ChosenNetwork, table: LayerTable) -> None:
    """One row for each layer, with downloads as CSV and JSON."""
    st.dataframe(
        [_cells(row) for row in table.rows],
        hide_index=True,
        height=420,
        column_config={
            "MACs": st.column_config.NumberColumn(format="localized"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
            "Memory, KiB": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    with st.container(horizontal=True):
        for kind, text in (("csv", table.to_csv), ("json", table.to_json)):
            st.download_button(
                f"Layer table as {kind.upper()}",
                text,
                f"{chosen.file_stem}.{kind}",
                icon=":material/download:",
                key=f"{kind}_{chosen.file_stem}",
                on_click="ignore",
            )


def _cells(row: LayerRow) -> dict[str, object]:
    field = row.receptive_field
    return {
        "Layer": row.name,
        "Kind": row.kind,
        "Details": row.detail,
        "Output": "×".join(map(str, row.output_shape)),
        "Parameters": row.parameters,
        "MACs": row.macs,
        "Memory, KiB": row.activation_bytes / 1024,
        "Receptive field": "whole image" if row.whole_image else "×".join(map(str, field or ())),
        "Stride": "×".join(f"{side:g}" for side in row.stride or ()),
    }


# Measure → (its value in a layer table, its text).
MEASURES = {
    "Parameters": (lambda a: a.parameters, short_number),
    "Multiply-accumulates": (lambda a: a.macs, short_number),
    "Activations": (lambda a: a.activation_bytes, lambda n: f"{n / 2**20:.3g} MiB"),
    "Peak memory": (lambda a: a.peak_activation_bytes, lambda n: f"{n / 2**20:.3g} MiB"),
    "Depth": (lambda a: a.depth, lambda n: f"{n} layers"),
}


def show_side_by_side(
    chosen: tuple[ChosenNetwork, ChosenNetwork], networks: Sequence[Architecture]
) -> None:
    """Two networks: costs, the ratio of their sizes, and their architectures."""
    first, second = (network.table for network in networks)
    titles = chosen[0].title, chosen[1].title
    values = {name: (read(first), read(second)) for name, (read, _) in MEASURES.items()}
    chart(
        cost_comparison(values, titles, {name: write for name, (_, write) in MEASURES.items()}),
        alt="; ".join(f"{name}: {a:,} and {b:,}" for name, (a, b) in values.items()),
        key="side_by_side",
    )
    st.markdown(_sentence(titles, first, second))
    for column, one, network in zip(st.columns(2, gap="large"), chosen, networks, strict=True):
        with column:
            st.markdown(f"##### {one.title}")
            shape = "×".join(map(str, network.table.input_shape))
            st.caption(f"images of {shape}; receptive field {receptive_field_text(network.table)}")
            st.html(draw_architecture(network))


def _sentence(titles: tuple[str, str], first: LayerTable, second: LayerTable) -> str:
    parameters, macs = (
        _times(getattr(first, name), getattr(second, name)) for name in ("parameters", "macs")
    )
    return f"**{titles[0]}** has {parameters} parameters and {macs} MACs of **{titles[1]}**."


def _times(one: int, other: int) -> str:
    if one == other:
        return "just as many" if one else "no"
    if not other:
        return f"{one:,} against no"
    ratio = one / other
    return f"{ratio:.3g} times the" if ratio < 100 else f"{ratio:,.0f} times the"


COSTS = {
    "macs": "multiply-accumulates for one image",
    "parameters": "parameters",
    "activation_bytes": "activation memory for one image, in bytes",
    "depth": "depth (layers with weights)",
}


def show_accuracy_and_cost() -> None:
    """The chart, links to the network that was clicked, and the values as a table."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cost = inputs.choice(
            "Cost", list(COSTS), parameter="cost", title=COSTS.__getitem__, width=380
        )
    specs = [pretrained_info(name) for name in list_pretrained()]
    shown = [spec for spec in specs if spec.top1 is not None]
    costs_of = counts()
    point = clicked_point(
        accuracy_against_cost(
            [getattr(costs_of[spec.name], cost) for spec in shown],
            [spec.top1 or 0 for spec in shown],
            [spec.title for spec in shown],
            [spec.family for spec in shown],
            x_title=COSTS[cost],
            y_title="top-1 accuracy, ImageNet validation",
        ),
        alt=_accuracy_in_words(shown, costs_of, cost),
        key="accuracy_against_cost",
    )
    if point:
        name = shown[[spec.title for spec in shown].index(point["customdata"][0])].name
        with st.container(horizontal=True):
            page.link("pages/architectures.py", f"Open {pretrained_info(name).title}",
                      view="one", network=name)  # fmt: skip
            page.link("pages/predict.py", "Predict with this network", networks=f"imagenet.{name}")
    else:
        st.caption("Click a dot to open that network.")
    unpublished = [spec.title for spec in specs if spec.top1 is None]
    if unpublished:
        st.caption(f"No comparable accuracy was published for: {', '.join(unpublished)}.")
    with st.expander("Values as a table"):
        st.dataframe([_spec_cells(spec, costs_of[spec.name]) for spec in specs], hide_index=True)
    source(
        "Accuracy: as published by the source in the table, at its image size; costs: "
        "counted by this project (docs/anatomy.md)."
    )


def _accuracy_in_words(shown: list[PretrainedSpec], costs_of: dict[str, Counts], cost: str) -> str:
    best = max(shown, key=lambda spec: spec.top1 or 0)
    cheap = min(shown, key=lambda spec: getattr(costs_of[spec.name], cost))
    return (
        f"{len(shown)} networks, accuracy against {COSTS[cost]}: the most accurate is "
        f"{best.title} with {best.top1:.1%}, the cheapest {cheap.title} with {cheap.top1:.1%}"
    )


def _spec_cells(spec: PretrainedSpec, counted: Counts) -> dict[str, object]:
    return {
        "Network": spec.title,
        "Family": spec.family,
        "Images": f"{spec.size}×{spec.size}",
        "Top-1": None if spec.top1 is None else f"{spec.top1:.1%}",
        "Top-5": None if spec.top5 is None else f"{spec.top5:.1%}",
        "Parameters": counted.parameters,
        "MACs": counted.macs,
        "Activations, MiB": round(counted.activation_bytes / 2**20, 1),
        "Depth": counted.depth,
        "Accuracy from": spec.accuracy_source if spec.top1 else "",
        "Paper": spec.paper,
    }
