"""Own images: imported from a ZIP or a folder of the server's machine, renamed, deleted."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnkit.datasets import DatasetSpec, Progress
from cnnkit.datasets.folders import LABEL_SOURCES, Imported, delete, image_folder, list_own, rename
from cnnkit.errors import CnnkitError, InvalidImagesError
from cnnkit.jobs import forget_images
from cnnkit.settings import get_settings
from cnnkit.ui.common import cache, events
from cnnkit.ui.common.dialogs import close_dialog, dialog_button
from cnnkit.ui.common.messages import literal, shown_errors
from cnnkit.ui.common.person import login_required, person
from cnnkit.ui.common.tasks import Stopped, image_tasks, wait

PARAMETER = "data"  # in the address: the name of a data set
MAX_MB = 500  # of an upload, which the server holds in memory until it is read
# In the state of the visit: the import under way, what came of the last, whether it succeeded.
_WORK, _NEWS, _SUCCEEDED = "import_work", "import_news", "import_succeeded"
_FILE = "import_file"


def offer() -> None:
    """A button that opens the import of images."""
    with st.popover("Upload images", icon=":material/add_photo_alternate:"):
        file = st.file_uploader(
            "A ZIP with one folder for each class",
            type=["zip"],
            max_upload_size=MAX_MB,
            key=f"{_FILE}_{st.session_state.get(_FILE, 0)}",
            help="Or files with a table (CSV) of their names and classes. At least two classes "
            "with three different images each.",
        )
        path = _ask_for_path()
        title = st.text_input(
            "Call it", placeholder="the name of the file", key="import_title", max_chars=60
        )
        by = st.selectbox(
            "What tells the class of an image?",
            list(LABEL_SOURCES),
            format_func=lambda key: {"auto": "Find out"}.get(key, LABEL_SOURCES[key].capitalize()),
            key="import_by",
            help=f"**Find out**: {LABEL_SOURCES['auto']}.",
        )
        chosen = file is not None or bool(path)
        if st.button("Import", type="primary", disabled=not chosen, key="import_now"):
            with shown_errors(stop=False):
                source = file if file is not None else _within(path, _server_folder())
                _begin(source, str(getattr(source, "name", "images")), title or None, by)
                st.rerun()


def news() -> DeltaGenerator:
    """What came of this visit's last import, and a place for how far the next one is."""
    place = st.container()  # always, so that what stands below is not drawn anew
    message = st.session_state.pop(_NEWS, None)
    with place, shown_errors(stop=False):
        if isinstance(message, CnnkitError):
            raise message
        if message:
            st.success(message, icon=":material/check:")
    return place


def begin(make: Callable[[Progress], Imported]) -> None:
    """Begin to make an own data set on a thread of the server; `follow` shows how far it is."""
    key = ("import", uuid.uuid4().hex)
    image_tasks().ask_with_progress(key, make)
    st.session_state[_WORK] = key


def refuse(error: CnnkitError) -> None:
    """Have `news` say why nothing was begun."""
    st.session_state[_NEWS], st.session_state[_SUCCEEDED] = error, False


def is_under_way() -> bool:
    """Whether an import of this visit is being worked on."""
    return _WORK in st.session_state


def has_succeeded() -> bool:
    """Whether the last import of this visit has made a set."""
    return bool(st.session_state.get(_SUCCEEDED))


def follow(place: DeltaGenerator) -> None:
    """How far this visit's import is, in the place from `news`; then the page turns to the set.

    The script waits here, so this is the last thing that a page does.
    """
    key = st.session_state.get(_WORK)
    under_way = image_tasks().get(key) if key else None
    if under_way is None:
        st.session_state.pop(_WORK, None)
        return
    with place:
        wait(under_way, waiting="Reading your images", stoppable=True)
    del st.session_state[_WORK]
    image_tasks().forget(key)
    try:
        imported: Imported = under_way.future.result()
    except Stopped:
        st.session_state[_SUCCEEDED] = False
        place.info("The import was stopped; nothing of it was kept.")
        return
    except CnnkitError as error:
        refuse(error)
        st.rerun()
    events.record_import(imported.name, imported.report.images)
    st.query_params[PARAMETER] = imported.name
    st.session_state[_NEWS], st.session_state[_SUCCEEDED] = _summary(imported), True
    st.rerun()


def manage(spec: DatasetSpec) -> None:
    """Buttons to rename and to delete an own set; whose it is, where it is somebody else's."""
    if not person().may_change(spec.owner):
        st.caption(f"Imported by {literal(spec.owner_name) or 'whoever runs this server'}.")
        return
    dialog_button(
        "Rename",
        lambda: _rename(spec),
        title="Rename",
        of=spec.name,
        key="rename_set",
        icon=":material/edit:",
    )
    dialog_button(
        "Delete",
        lambda: _delete(spec),
        title="Delete these images?",
        of=spec.name,
        key="delete_set",
        icon=":material/delete:",
    )


def _begin(source, name: str, title: str | None, by: str) -> None:
    limits, owner = cache.limits(), person()
    limits.check_upload(name, getattr(source, "size", 0))
    room = limits.room()
    begin(
        lambda progress: image_folder(
            source, title=title, by=by, name=name, progress=progress, owner=owner, room=room
        )
    )
    # A new uploader: the old one would hold the file in memory for the whole visit.
    st.session_state[_FILE] = st.session_state.get(_FILE, 0) + 1


def _server_folder() -> Path | None:
    """The folder of the server that visitors may import from, or None.

    Where people log in there is none by default: the home folder of whoever runs the server is
    not for a whole class.
    """
    return get_settings().import_folder or (None if login_required() else Path.home())


def _ask_for_path() -> str:
    home = _server_folder()
    if home is None:
        return ""
    path = st.text_input(
        "Or a folder or ZIP on the server's machine",
        placeholder=str(home / "images"),
        key="import_path",
        help=f"Within {home}. Better for large ones: nothing is sent through the browser.",
    )
    return path or ""


def _within(text: str, home: Path | None) -> Path:
    """A path that visitors may name.

    Raises:
        InvalidImagesError: it lies elsewhere, or there is no folder that they may read.
    """
    if home is None:
        raise InvalidImagesError("This server offers no folder to import from. Upload a ZIP.")
    home = home.resolve()
    try:
        path = (home / Path(text).expanduser()).resolve()
        if path.is_relative_to(home):
            return path
    except (OSError, RuntimeError, ValueError):  # no such person, a zero byte, too long, a loop
        pass
    # The same words whatever is there: they must not tell what exists outside.
    raise InvalidImagesError(
        f"Images are imported from within {home} only. Copy them there, or let whoever runs "
        "this app set CNNKIT_IMPORT_FOLDER."
    )


def _summary(imported: Imported) -> str:
    report, count = imported.report, len(imported.report.left_out)
    taken = f"{report.images:,} images of {literal(report.source)} are here."
    if not imported.new:
        return f"{taken} They were already, in the same classes: that set is shown."
    were = "1 file was" if count == 1 else f"{count:,} files were"
    return f"{taken} {were} left out: see below." if count else taken


def class_names_area(names: Sequence[str], *, key: str) -> list[str]:
    """A text with the names of classes, one a line, to change; what stands in it now."""
    # Not a table: what is typed there is sent a moment later, after a button pressed at once.
    text = st.text_area(
        "Names of its classes, one a line",
        "\n".join(names),
        height=min(60 + 24 * len(names), 400),
        key=key,
        help="In the order in which they stand here: each line renames the class that was there.",
    )
    return (text or "").strip().splitlines()


def _rename(spec: DatasetSpec) -> None:
    title = st.text_input("Name of the set", spec.title, max_chars=60, key="new_title")
    names = class_names_area(spec.class_names, key="new_classes")
    st.caption("Networks trained on it keep the class names of their training.")
    if st.button("Rename", type="primary", key="rename_now"):
        with shown_errors():
            rename(spec.name, title=title or "", classes=names, person=person())
        close_dialog()


def _delete(spec: DatasetSpec) -> None:
    """Ask, delete a set, and turn the page to another imported one, if there is one."""
    st.markdown(
        f"The {sum(spec.images):,} images of **{literal(spec.title)}** will be gone from here "
        "for good. The file or folder they came from stays as it is, and networks trained on "
        "them go on knowing the names of their classes."
    )
    with st.container(horizontal=True):
        sure = st.button("Delete", type="primary", icon=":material/delete:", key="delete_now")
        if st.button("Keep them", key="keep"):
            close_dialog()
    if sure:
        with shown_errors():
            delete(spec.name, person=person())
            forget_images(get_settings(), spec.name)
            image_tasks().forget_done()  # a mapped file keeps its disk space
        others = list_own()
        if others:
            st.query_params[PARAMETER] = others[0]
        else:
            st.query_params.pop(PARAMETER, None)
        close_dialog()
