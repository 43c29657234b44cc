"""What several tests do to a page."""

from collections.abc import Callable

from playwright.sync_api import Locator, TimeoutError

TIMES = 8


def insist(
    act: Callable[[], object], reached: Locator, wait: float = 15_000, *, gone: bool = False
) -> None:
    """Act, and again if nothing came of it: a page that is just running may miss a click.

    Args:
        act: does nothing where it has been done.
        reached: appears when it has.
        wait: between two attempts, in ms.
        gone: it is there, or about to be, and disappears instead.
    """
    if gone:
        reached.first.wait_for()
    for _ in range(TIMES):
        act()
        try:
            return reached.first.wait_for(timeout=wait, state="detached" if gone else "visible")
        except TimeoutError:
            continue
    raise AssertionError(f"{TIMES} attempts came to nothing: {reached}")


def press(button: Locator) -> None:
    """Click a button if it is there and can be clicked."""
    if button.is_visible() and button.is_enabled():
        button.click()


def click_cell(page, true: int, predicted: int, classes: int = 10) -> None:
    """Click one cell of the confusion matrix, the last chart of a page."""
    cells = page.locator(".js-plotly-plot").last.locator(".scatterlayer .points path")
    cell = cells.nth(classes * true + predicted)
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
