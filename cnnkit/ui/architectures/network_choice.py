"""Choice of a network: a classic, a pretrained one, one for digits, or an uploaded file."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from cnnkit.models import (
    Option,
    list_models,
    list_pretrained,
    model_info,
    open_architecture,
    open_checked_model,
    pretrained_info,
)
from cnnkit.models.builder import is_code
from cnnkit.networks import BUILT, UPLOADED, NetworkRef, checked_folder
from cnnkit.ui.common import inputs, network_list, uploads
from cnnkit.ui.common.messages import shown_errors
from cnnkit.ui.common.tasks import BackgroundTask, background

if TYPE_CHECKING:
    from cnnkit.anatomy import Architecture

# In the order of their years, which is how one follows from the other.
CLASSICS = ("lenet5", "alexnet", "vgg16", "googlenet", "resnet", "squeezenet")
OPEN_SIZE = 224  # pixels, for a file that leaves the size of its images open


@dataclass(frozen=True)
class ChosenNetwork:
    """A network, and how it is built."""

    ref: NetworkRef  # built, or uploaded
    options: Mapping[str, Any] = field(default_factory=dict)  # other than the published ones

    @property
    def title(self) -> str:
        """Shown to people, with the options that differ from the published ones."""
        words = [_words(key, value) for key, value in self.options.items()]
        return " · ".join([_title(self.ref), *words])

    @property
    def name(self) -> str:
        """Of the architecture."""
        return self.ref.name

    @property
    def file_stem(self) -> str:
        """For the names of files about it."""
        return "network" if is_code(self.name) else self.name

    def work(self) -> tuple[Hashable, Callable[[], Architecture]]:
        """Key of its architecture, and the function that computes it; for `Background.ask`."""
        if self.ref.kind == UPLOADED:
            folder = checked_folder(self.ref)
            return (str(self.ref),), lambda: _architecture_of_upload(folder)
        return (self.name, *self.options.items()), lambda: _architecture(self.name, self.options)


def architectures(*chosen: ChosenNetwork) -> BackgroundTask:
    """A list of their architectures, now or in some seconds."""
    keys, makers = zip(*(one.work() for one in chosen), strict=True)
    return background().ask(("architectures", *keys), lambda: [make() for make in makers])


def picker(parameter: str, *, label: str, default: str = "lenet5") -> ChosenNetwork:
    """A network, by its name in the address, and its options beside it.

    Args:
        parameter: name in the address.
        label: of the widget.
        default: chosen where the address says nothing.
    """
    network_list.translate_address(parameter, bare=BUILT)
    refs = {str(ref): ref for ref in _listed()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = inputs.choice(
            label,
            list(refs),
            parameter=parameter,
            title=lambda text: _title(refs[text]),
            default=str(NetworkRef(BUILT, default)),
            width="stretch",
        )
        return ChosenNetwork(refs[chosen], _options(refs[chosen], parameter))


def _listed() -> list[NetworkRef]:
    """All that can be chosen: classics, pretrained ones by family, those for digits, a file."""
    pretrained = [name for name in list_pretrained() if name not in CLASSICS]
    pretrained.sort(key=lambda name: pretrained_info(name).family)
    names = (*CLASSICS, *pretrained, *list_models("digits"), *_definitions())
    with shown_errors(stop=False):
        uploaded = uploads.ref()
        return [*([uploaded] if uploaded else []), *(NetworkRef(BUILT, name) for name in names)]
    return [NetworkRef(BUILT, name) for name in names]


def _definitions() -> list[str]:
    """Networks of the page Build: those of the address, and the one edited in this visit."""
    asked = [st.query_params.get(name, "") for name in ("network", "left", "right")]
    codes = [text.removeprefix(f"{BUILT}.") for text in asked]
    codes.append(st.session_state.get(inputs.DEFINITION, ""))
    return list(dict.fromkeys(filter(is_code, codes)))


def _title(ref: NetworkRef) -> str:
    if ref.kind == UPLOADED:
        return f"Your file {ref.title()}"
    if ref.name in CLASSICS:
        return f"{model_info(ref.name).title} · classic"
    if ref.name in list_pretrained():
        return f"{pretrained_info(ref.name).title} · ImageNet"
    own = is_code(ref.name)
    return f"{model_info(ref.name).title} · {'your network' if own else 'for digits'}"


def paper(ref: NetworkRef) -> str:
    """Authors and title of the work that a network is from; empty for a file."""
    if ref.kind == UPLOADED or is_code(ref.name):
        return ""
    name = ref.name
    return (model_info(name) if name in list_models() else pretrained_info(name)).paper


def _options(ref: NetworkRef, parameter: str) -> dict[str, Any]:
    name = ref.name
    if name not in list_models():
        return {}
    spec = model_info(name)
    with st.popover("Options", icon=":material/tune:"):
        shown = {one.name: _option(one, f"{parameter}_{name}") for one in spec.options}
        size = st.number_input(
            "Height and width of the images",
            8,
            1024,
            spec.input_shape[0],
            key=f"{parameter}_{name}_size",
            help="The same layers for images of another size.",
        )
    changed = {one.name: shown[one.name] for one in spec.options if shown[one.name] != one.default}
    if size != spec.input_shape[0]:
        changed["input_shape"] = (int(size), int(size), spec.input_shape[2])
    return changed


def _option(option: Option, scope: str) -> Any:
    key = f"{scope}_{option.name}"
    if set(option.choices) == {True, False}:
        return st.toggle(option.title, option.default, key=key)
    if option.choices:
        choices = list(option.choices)
        return st.selectbox(option.title, choices, choices.index(option.default), key=key)
    low, high = option.range or (0, 1)
    whole = isinstance(option.default, int)
    bounds = (int(low), int(high)) if whole else (float(low), float(high))
    return st.slider(option.title, *bounds, option.default, key=key)


def _words(key: str, value: Any) -> str:
    name = key.replace("_", " ")
    if key == "input_shape":
        return f"images of {value[0]}×{value[1]}"
    if isinstance(value, bool):
        return name if value else f"no {name}"
    return f"{name}: {value}"


def _architecture(name: str, options: Mapping[str, Any]) -> Architecture:
    from cnnkit.anatomy import architecture, layer_table  # Keras: seconds; not on the page's thread

    return architecture(layer_table(open_architecture(name, options)))


def _architecture_of_upload(folder: Path) -> Architecture:
    from cnnkit.anatomy import architecture, layer_table

    model = open_checked_model(folder)
    shape = tuple(model.inputs[0].shape[1:])
    if None not in shape or len(shape) != 3:
        return architecture(layer_table(model))
    sizes = (shape[0] or OPEN_SIZE, shape[1] or OPEN_SIZE, shape[2] or 3)
    return architecture(layer_table(model, sizes))
