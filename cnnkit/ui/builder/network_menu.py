"""Where a network comes from and where it goes: templates, files, code, undo."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from cnnkit.datasets import DatasetSpec, dataset_info
from cnnkit.errors import InvalidDefinitionError
from cnnkit.models import seeds
from cnnkit.models.builder import (
    MOST_TEXT,
    NetworkDefinition,
    get_template,
    keras_code,
    list_templates,
)
from cnnkit.training.recipe import SMALLEST_IMAGE
from cnnkit.ui.builder.state import (
    LARGEST_PHOTO,
    SIZE,
    can_undo,
    change_network,
    image_shape,
    select_entry,
    undo_change,
    usual_photo,
)
from cnnkit.ui.common.inputs import dataset_picker, number

_EMPTY = "empty"


def choose_images() -> DatasetSpec:
    """The data set that the network is for, and how large its photos are made."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        data = dataset_info(dataset_picker(label="Images"))
        if data.kind != "small":
            number(
                "Height and width (pixels)",
                SMALLEST_IMAGE,
                LARGEST_PHOTO,
                parameter=SIZE,
                default=usual_photo(),
                help="Photos are made as small as this. The cost grows with the square.",
                width=220,
            )
    return data


def show_menu(definition: NetworkDefinition, data: DatasetSpec) -> None:
    """The name of the network, templates, import and undo, in a row."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _title_field(definition)
        with st.popover("Start from …", icon=":material/note_stack:"):
            st.markdown("Replace the network by a template:")
            for name in list_templates():
                _template_button(name, data)
        with st.popover("Open a file", icon=":material/upload_file:"):
            _import()
        st.button(
            "Undo",
            icon=":material/undo:",
            key="build_undo",
            disabled=not can_undo(),
            on_click=undo_change,
        )


def _title_field(definition: NetworkDefinition) -> None:
    st.session_state["build_title"] = definition.title

    def rename() -> None:
        title = (st.session_state["build_title"] or "").strip()
        change_network(lambda one: replace(one, title=title))

    st.text_input("Name of the network", key="build_title", max_chars=60, on_change=rename)


def _template_button(name: str, data: DatasetSpec) -> None:
    template = get_template(name, image_shape(data), data.classes)

    def use() -> None:
        change_network(lambda _: template)
        select_entry(None)

    st.button(
        "Nothing: an empty network" if name == _EMPTY else template.title,
        key=f"template_{name}",
        type="tertiary",
        on_click=use,
    )


def _import() -> None:
    def read() -> None:
        file = st.session_state["build_file"]
        if file is not None:
            change_network(lambda before: _from_file(file.getvalue(), before))
            select_entry(None)

    st.file_uploader("Network definition (JSON)", type="json", key="build_file", on_change=read)


def _from_file(data: bytes, before: NetworkDefinition) -> NetworkDefinition:
    """The network of a file, for the images and classes that are chosen here.

    Raises:
        InvalidDefinitionError: it is none; says why.
    """
    try:
        text = data[: 4 * MOST_TEXT + 1].decode()
    except UnicodeDecodeError as error:
        raise InvalidDefinitionError("A network definition must be JSON in UTF-8.") from error
    return NetworkDefinition.from_json(text).on(before.input_shape, before.classes)


def show_export(definition: NetworkDefinition, *, possible: bool) -> None:
    """The network as a file, as Keras code and as a link."""
    code = keras_code(definition, seeds(0)) if possible else ""
    stem = definition.title.lower().replace(" ", "_").replace("/", "_")
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Definition (.json)",
            definition.to_json(),
            f"{stem}.json",
            "application/json",
            icon=":material/download:",
            key="build_json",
            on_click="ignore",
        )
        if code:
            st.download_button(
                "Keras code (.py)",
                code,
                f"{stem}.py",
                "text/x-python",
                icon=":material/code:",
                key="build_code",
                on_click="ignore",
            )
    st.caption("The address of this page holds the whole network: send it as a link.")
    if code:
        with st.expander("Keras code", icon=":material/code:"):
            st.code(code, language="python")
