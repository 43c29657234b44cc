"""What is in a data set, at a glance: some images of each class, and how it is split."""

from __future__ import annotations

import csv
import io

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnkit.datasets import Dataset
from cnnkit.datasets.folders import KINDS, ImportReport, import_report
from cnnkit.datasets.near_duplicates import near_duplicates
from cnnkit.figures import rasters
from cnnkit.ui.common import charts
from cnnkit.ui.common.messages import chart_label, literal
from cnnkit.ui.common.tasks import image_tasks, wait_for
from cnnkit.ui.fine_tune import relabeling
from cnnkit.ui.fine_tune.importing import PARAMETER

PARTS = {"train": "training", "validation": "validation", "test": "test"}
IN_A_CARD = 4  # images
SHEET, CLOSER = 360, 1100  # pixels across
AT_ONCE = 24  # classes
IN_FULL = 60  # images of one class
PAIRS = 18  # near-duplicates, and images in several classes
# Pages keep pixels square for the sake of digits; photos that are shrunk need smoothing.
_SMOOTH = """<style>
[class*="st-key-class_"] [data-testid="stImage"] img { image-rendering: auto; }
</style>"""


def show_data(dataset: Dataset) -> DeltaGenerator:
    """Images, split and, of an imported set, what was left out.

    Returns:
        The place for `show_near_duplicates`, which reads all images.
    """
    counts = _counts(dataset)
    total = counts.sum(axis=1)
    parts = ", ".join(f"{n:,} {words}" for n, words in zip(total, PARTS.values(), strict=True))
    st.markdown(
        f"**{len(dataset.labels):,}** images in **{len(dataset.class_names)}** classes: {parts}."
    )
    names = ["Images", "Split"]
    if dataset.spec.kind == "own":
        names.append(f"Left out ({len(import_report(dataset.name).left_out):,})")
    tabs = st.tabs(names, key="data_tabs")
    with tabs[0]:
        _contact_sheet(dataset)
        _one_class(dataset)
    with tabs[1]:
        _show_split(counts, dataset.class_names)
        place = st.container()
    if len(tabs) > 2:
        with tabs[2]:
            _show_report(dataset)
    return place


def _contact_sheet(dataset: Dataset) -> None:
    """A card for each class: its name, how many images it has, and some of them."""
    classes = len(dataset.class_names)
    first = 0
    if classes > AT_ONCE:
        pages = -(-classes // AT_ONCE)
        first = AT_ONCE * (st.pagination(pages, key="class_page") - 1)
    st.html(_SMOOTH)
    with st.grid("auto", min_column_width=150, gap="small"):
        for k in range(first, min(first + AT_ONCE, classes)):
            _card(dataset, k)


def _one_class(dataset: Dataset) -> None:
    """All images of one class, or as many as a page can bear."""
    numbers = {name: k for k, name in enumerate(dataset.class_names)}
    label, hint = "Look closer at a class", "all its images"
    name = st.selectbox(label, list(numbers), index=None, placeholder=hint, width=320)
    if name is None:
        return
    where = np.flatnonzero(dataset.labels == numbers[name])
    shown = where[:IN_FULL]
    sheet = _sheet(dataset.fingerprint, tuple(shown.tolist()), 10, CLOSER, dataset.images)
    with st.container(key="class_closer"):
        st.image(sheet, output_format="PNG", alt=f"{len(shown)} images of {name}")
    st.caption(
        f"{len(shown)} of {len(where):,} images, {literal(dataset.names[shown[0]])} to "
        f"{literal(dataset.names[shown[-1]])}"
    )
    relabeling.offer(
        dataset.spec,
        lambda: (dataset, where.tolist()),
        key=f"sheet_{dataset.name}_{numbers[name]}",
        parameter=PARAMETER,
    )


def _show_split(counts: np.ndarray, class_names: tuple[str, ...]) -> None:
    """How many images of each class are for what; counts: (3 parts, classes)."""
    from cnnkit.figures.bars import stacked_bars

    alike = (counts == counts[:, :1]).all()
    shown = counts[:, :1] if alike else counts[:, : 2 * AT_ONCE]
    names = (
        ["each class"] if alike else [chart_label(name) for name in class_names[: shown.shape[1]]]
    )
    figure = stacked_bars(
        {words: row.tolist() for words, row in zip(PARTS.values(), shown, strict=True)},
        names,
        horizontal=True,
        text=[f"{sum(column)}" for column in shown.T.tolist()],
        unit="images",
        height=90 + 26 * max(2, len(names)),
    )
    charts.chart(figure, alt=_in_words(shown, names), key="split")
    if not alike and len(class_names) > len(names):
        st.caption(f"The first {len(names)} of {len(class_names)} classes.")
    st.caption(
        "The network is trained on the training set. Choices such as the best epoch are made on "
        "the validation set. The test set is used once, at the end, to estimate the accuracy on "
        "new images."
    )


def show_near_duplicates(dataset: Dataset) -> None:
    """The test images that the network has as good as seen, and what to do about them."""
    # Splits of other seeds have the same counts and fingerprint, and other test images.
    key = ("near duplicates", dataset.spec, dataset.fingerprint, dataset.indices("test").tobytes())
    task = image_tasks().ask(key, lambda: near_duplicates(dataset))
    pairs = wait_for(task, waiting="Comparing the images of the test set with the others")
    if not len(pairs):
        st.caption(":material/check: No test image looks like one of the training set.")
        return
    test, images = len(np.unique(pairs[:, 1])), len(dataset.indices("test"))
    remedy = (
        "Keep one image of each pair in your folder, and upload it again."
        if dataset.spec.kind == "own"
        else "Bear this in mind when you read the test accuracy."
    )
    st.warning(
        f"**{test:,} of {images:,} test images** have a near-duplicate in the training or "
        "validation set, such as a copy or the next shot of the same scene. The network has seen "
        f"it, so the test accuracy can be up to {test / images:.1%} too high. {remedy}",
        icon=":material/content_copy:",
    )
    shown = pairs[:PAIRS]
    names = [[dataset.names[number] for number in pair] for pair in shown]
    charts.photos(
        np.stack([np.concatenate([dataset.images[n] for n in pair], axis=1) for pair in shown]),
        [literal(f"{seen} ≈ {tested}") for seen, tested in names],
        alts=[
            f"Near-duplicates: {seen} of the training or validation set, {tested} of the test set"
            for seen, tested in names
        ],
        width=200,
    )
    if len(pairs) > len(shown):
        st.caption(f"The {len(shown)} most similar of {len(pairs):,} pairs.")


def _show_report(dataset: Dataset) -> None:
    """What was left out when a set was imported, and why."""
    report = import_report(dataset.name)
    for note in report.notes:
        st.caption(f":material/info: {literal(note)}")
    if report.system_files:
        st.caption(
            f":material/info: Files of operating systems passed over: {report.system_files:,}."
        )
    if report.two_classes:
        _show_doubtful(dataset, report)
    if not report.left_out:
        st.caption(":material/check: Nothing was left out.")
        return
    words = [f"- {KINDS[kind]}: **{count:,}**" for kind, count in report.counts.items()]
    st.markdown("Left out:\n" + "\n".join(words))
    rows = [{"file": one.file, "why": one.why} for one in report.left_out]
    st.dataframe(
        rows,
        hide_index=True,
        alt="Files that were left out, and why",
        key="left_out",
        height="content" if len(rows) < 8 else 320,
    )
    text = io.StringIO()
    csv.writer(text).writerows([("file", "why"), *((one.file, one.why) for one in report.left_out)])
    st.download_button(
        "The list as CSV",
        text.getvalue(),
        "left_out.csv",
        "text/csv",
        icon=":material/download:",
        key="left_out_csv",
    )


def _show_doubtful(dataset: Dataset, report: ImportReport) -> None:
    st.markdown(
        f"**{len(report.two_classes):,}** "
        f"{'image stands' if len(report.two_classes) == 1 else 'images stand'} in more than "
        "one class. Such an image is only in the training set: its true class is unknown."
    )
    numbers = {name: number for number, name in enumerate(dataset.names)}
    shown = report.two_classes[:PAIRS]
    charts.thumbnails(
        np.stack([dataset.images[numbers[names[0]]] for names in shown]),
        [literal(" = ".join(names)) for names in shown],
        alts=[f"Image in several classes: {', '.join(names)}" for names in shown],
        width=110,
    )


def _card(dataset: Dataset, k: int) -> None:
    where = np.flatnonzero(dataset.labels == k)
    # Spread over the class: neighbors are often of the same place and day.
    some = where[np.linspace(0, len(where) - 1, min(IN_A_CARD, len(where))).astype(int)]
    name = dataset.class_names[k]
    with st.container(gap="xxsmall", key=f"class_{k}"):
        sheet = _sheet(dataset.fingerprint, tuple(some.tolist()), IN_A_CARD, SHEET, dataset.images)
        st.image(sheet, output_format="PNG", alt=f"{len(some)} images of {name}", width="stretch")
        st.markdown(f":small[{literal(name)} :gray[{len(where):,}]]")


@st.cache_data(max_entries=256, show_spinner=False)
def _sheet(
    fingerprint: str, numbers: tuple[int, ...], columns: int, width: int, _images: np.ndarray
) -> bytes:
    """Some images of a data set in one, as PNG; the fingerprint stands for the images."""
    images = np.stack([_images[number] for number in numbers])
    return rasters.png(rasters.mosaic(images, columns=columns, width=width))


def _counts(dataset: Dataset) -> np.ndarray:
    """Images of each class in each split, (3, classes)."""
    classes = len(dataset.class_names)
    return np.stack(
        [np.bincount(dataset.labels[dataset.indices(part)], minlength=classes) for part in PARTS]
    )


def _in_words(counts: np.ndarray, names: list[str]) -> str:
    first = ", ".join(f"{n} {words}" for n, words in zip(counts[:, 0], PARTS.values(), strict=True))
    return f"Images by class and part; {names[0]}: {first}"
