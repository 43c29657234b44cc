"""Pickers. Each owns its key and its parameter in the page's address.

The address is the truth: a link with `?run=…` opens on that run, and choosing another
changes the address. (Streamlit's own `bind="query-params"` would put a widget's *label*
into the address; ids and names are shorter and do not change. Use it for sliders and
switches, where label and value are the same.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from cnnkit.datasets import DatasetSpec, dataset_info, dataset_title, list_datasets
from cnnkit.errors import RunNotFoundError
from cnnkit.models import list_models, model_info
from cnnkit.models.builder import is_code
from cnnkit.runs import Run
from cnnkit.training import Recipe, list_recipes
from cnnkit.ui.common import cache
from cnnkit.ui.common.person import person

DEFINITION = "definition"  # in the state of a visit: the code of the network edited last


def _gone(name: str) -> str:
    return "which does not exist. It may have been deleted."


def choice(
    label: str,
    options: Sequence[str],
    *,
    parameter: str,
    title: Callable[[str], str] = str,
    default: str | None = None,
    widget: Callable = st.selectbox,
    missing: Callable[[str], str] = _gone,
    **arguments,
) -> str:
    """One of several names, kept in the address.

    Args:
        label: of the widget.
        options: names, as they stand in the address. At least one.
        parameter: name in the address.
        title: what people see for a name.
        default: chosen where the address says nothing; None: the first.
        widget: `st.selectbox`, `st.radio` or `st.segmented_control`.
        missing: why a name of the address is not among the options, as the end of a sentence.
        **arguments: for the widget.
    """
    options = list(options)
    key = _key(parameter, {name: title(name) for name in options})
    from_address = st.query_params.get(parameter)
    if from_address in options:
        st.session_state[key] = from_address
    else:
        if from_address is not None:
            _say_unknown(label, from_address, missing(from_address))
        before = st.session_state.get(key)
        usual = default if default in options else options[0]
        # Even what it is already: the browser is told only of what is set in this run, and of the
        # run that said so first it may have seen nothing. It would show the first option.
        st.session_state[key] = before if before in options else usual
    if widget is st.segmented_control:
        arguments.setdefault("required", True)
    return widget(
        label,
        options,
        format_func=title,
        key=key,
        on_change=_write_address,
        args=(key, parameter),
        **arguments,
    )


def why_not(run_id: str) -> str:
    """Why a run of the address cannot be chosen: it is gone, or it has no network (yet)."""
    try:
        run = cache.store().get(run_id)
    except RunNotFoundError:
        return _gone(run_id)
    return f"the run “{run.name}”, which is {run.status} and has no network to show."


def runs_picker(
    runs: Sequence[Run], *, label: str = "Runs", parameter: str = "runs", default: int = 4
) -> list[Run]:
    """Several runs, by their ids in the address (`?runs=a,b`).

    Args:
        runs: to choose from.
        label: of the widget.
        parameter: name in the address.
        default: how many of the first are chosen where the address says nothing.
    """
    by_id = {run.id: run for run in runs}
    chosen = several(
        label,
        list(by_id),
        parameter=parameter,
        title=lambda run_id: run_title(by_id[run_id]),
        default=list(by_id)[:default],
        missing=why_not,
        placeholder="Choose runs",
    )
    return [by_id[run_id] for run_id in chosen]


def several(
    label: str,
    options: Sequence[str],
    *,
    parameter: str,
    title: Callable[[str], str] = str,
    default: Sequence[str] = (),
    missing: Callable[[str], str] | None = None,
    **arguments,
) -> list[str]:
    """Several of many names, kept in the address with commas between them.

    Args:
        label: of the widget.
        options: names, as they stand in the address. What else the address names is left out.
        parameter: name in the address.
        title: what people see for a name.
        default: chosen where the address says nothing.
        missing: why a name of the address is not among the options, as the end of a sentence;
            None: it belongs to what was chosen before, and nobody needs to know.
        **arguments: for `st.multiselect`.
    """
    options = list(options)
    key = _key(parameter, {name: title(name) for name in options})
    from_address = st.query_params.get(parameter)
    names = st.session_state.get(key, default) if from_address is None else from_address.split(",")
    st.session_state[key] = [name for name in names if name in options]
    if missing and from_address:
        for name in (name for name in names if name not in options):
            _say_unknown(label.removesuffix("s"), name, missing(name), "It is left out.")
    return st.multiselect(
        label,
        options,
        format_func=title,
        key=key,
        on_change=_write_address,
        args=(key, parameter),
        wrap=True,  # in a row beside others, too
        **arguments,
    )


def model_picker(
    names: Sequence[str] | None = None, *, label: str = "Network", default: str = "lenet_tutorial"
) -> str:
    """Registered name of a network, `?model=` in the address, or a definition's code.

    The definition that the address holds, or that was edited last in this visit, comes first.
    """
    asked = st.query_params.get("model", "")
    own = asked if is_code(asked) else st.session_state.get(DEFINITION)
    return choice(
        label,
        [*([own] if own else []), *(names or list_models("digits"))],
        parameter="model",
        title=lambda name: model_info(name).title,
        default=default,
    )


def dataset_picker(names: Sequence[str] | None = None, *, label: str = "Data") -> str:
    """Registered name of a data set, `?dataset=` in the address.

    What is not on this machine can be chosen and says so.

    Args:
        names: to choose from; None: all, the visitor's own images included.
        label: of the widget.
    """
    default = "mnist" if dataset_info("mnist").available else "digits"
    return choice(
        label,
        names or [*list_datasets(), *own_datasets()],
        parameter="dataset",
        title=lambda name: dataset_choice(dataset_info(name)),
        default=default,
    )


def own_datasets() -> list[str]:
    """Names of the imported data sets, the visitor's first."""
    return sorted(list_datasets("own"), key=lambda name: dataset_info(name).owner != person().id)


def dataset_choice(spec: DatasetSpec) -> str:
    """A data set among others: whose it is, or whether it is here."""
    if spec.kind == "own":
        whose = "yours" if spec.owner == person().id else f"of {spec.owner_name or 'all'}"
        return f"{spec.title} ({whose}, {sum(spec.images):,} images)"
    return spec.title if spec.available else f"{spec.title} (not on this machine yet)"


def recipe_picker(model: str, dataset: str = "", *, label: str = "Recipe") -> Recipe:
    """A shipped recipe of a network that trains from scratch, `?recipe=` in the address.

    Args:
        model: registered name.
        dataset: whose own recipe is offered first, if the network has one.
        label: of the widget.
    """
    recipes = {recipe.name: recipe for recipe in list_recipes(model)}
    own = [recipe.name for recipe in recipes.values() if recipe.dataset == dataset != "mnist"]
    return recipes[
        choice(
            label,
            list(recipes),
            parameter="recipe",
            title=lambda name: name.replace("_", " "),
            default="fast" if "fast" in own or not own else own[0],
        )
    ]


def number(
    label: str,
    low: float,
    high: float,
    *,
    parameter: str,
    default: float,
    widget: Callable = st.number_input,
    options: Sequence[float] | None = None,
    **arguments,
) -> Any:
    """A number, kept in the address while it is not the default.

    Args:
        label: of the widget.
        low: smallest.
        high: largest.
        parameter: name in the address.
        default: where the address says nothing. It may change from run to run, as with a
            preset; a number that was turned stays.
        widget: `st.number_input`, `st.slider`, or `st.select_slider` with `options`.
        options: of a select slider, ascending; the default is added where it lacks.
        **arguments: for the widget.
    """
    key, whole = f"number_{parameter}", isinstance(default, int)
    text = st.query_params.get(parameter)
    value = default if text is None else _as_number(label, text, low, high, parameter, default)
    if options is not None:
        arguments["options"] = sorted({*options, default, value})
    else:
        arguments |= {"min_value": type(default)(low), "max_value": type(default)(high)}
    st.session_state[key] = int(value) if whole else float(value)
    return widget(
        label,
        key=key,
        on_change=_write_number,
        args=(key, parameter, default),
        **arguments,
    )


def image_picker(count: int, *, label: str = "Test image", parameter: str = "image") -> int:
    """Number of an image from 0 to `count` - 1, kept in the address.

    A button beside the number chooses one at random.
    """
    if "any_image" in st.session_state:
        st.session_state[parameter] = st.session_state.pop("any_image")
    if st.session_state.get(parameter, 0) >= count:
        st.session_state[parameter] = 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input(
            label,
            min_value=0,
            max_value=count - 1,
            value=0,
            step=1,
            key=parameter,
            bind="query-params",
        )
        st.button(
            "Random",
            icon=":material/casino:",
            help="Choose a random image.",
            on_click=_take_any,
            args=(count,),
        )
    return int(number)


def run_title(run: Run) -> str:
    """A run in one line: its name, its data and what it reached."""
    error = run.metrics.get("test_error")
    reached = f" · {100 * error:.2f} % error" if error is not None else ""
    name = str(run.spec["dataset"])
    origin = "uploaded" if name == "unknown" else dataset_title(name)
    return f"{run.name} · {origin}{reached}"


def key_of(parameter: str) -> str:
    """Key of a picker in the state of the visit, once it was drawn.

    Args:
        parameter: its name in the address.
    """
    times, _ = st.session_state.get(f"titles_{parameter}", (0, {}))
    return f"choice_{parameter}" + (f"_{times}" if times else "")


def _key(parameter: str, titles: dict[str, str]) -> str:
    """Key of a picker: another one as soon as an option is called otherwise.

    The browser keeps the title of what is chosen, not its name; a picker that is only drawn
    again may go on showing the title from before.
    """
    state = f"titles_{parameter}"
    times, before = st.session_state.get(state, (0, {}))
    times += any(before.get(name, title) != title for name, title in titles.items())
    st.session_state[state] = (times, titles)
    return key_of(parameter)


def _write_address(key: str, parameter: str) -> None:
    value = st.session_state[key]
    st.query_params[parameter] = ",".join(value) if isinstance(value, list) else value


def _write_number(key: str, parameter: str, default: float) -> None:
    value = st.session_state[key]
    if value == default:
        st.query_params.pop(parameter, None)
    else:
        st.query_params[parameter] = f"{value:g}" if isinstance(value, float) else str(value)


def _as_number(
    label: str, text: str, low: float, high: float, parameter: str, default: float
) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        st.warning(
            f"{label} must be {low:g} to {high:g}. Received: {text!r} in the address.",
            icon=":material/link_off:",
        )
        del st.query_params[parameter]
        return default
    return value


def _take_any(count: int) -> None:
    import random

    st.session_state["any_image"] = random.randrange(count)


def _say_unknown(
    label: str, value: str, why: str, effect: str = "Another is shown instead."
) -> None:
    st.warning(
        f"The address asks for {label.lower()} “{value}”, {why} {effect}",
        icon=":material/link_off:",
    )


def follow_old_address(
    values: Mapping[str, Mapping[str, str]], renamed: Mapping[str, str] | None = None
) -> None:
    """Translate parameters of the address that had another name or value before.

    Args:
        values: parameter → old value → new value.
        renamed: old name of a parameter → new name.
    """
    for old, new in (renamed or {}).items():
        if old in st.query_params and new not in st.query_params:
            st.query_params[new] = st.query_params[old]
        st.query_params.pop(old, None)
    for parameter, translation in values.items():
        value = st.query_params.get(parameter, "")
        if value in translation:
            st.query_params[parameter] = translation[value]
