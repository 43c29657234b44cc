"""What several tests do to a page."""

from collections.abc import Callable

from playwright.sync_api import Locator, TimeoutError

TIMES = 8


def insist(act: Callable[[], object], reached: Locator, wait: float = 15_000) -> None:
    """Act, and again if nothing came of it: keys pressed before a page listens go nowhere.

    Args:
        act: does nothing where it has been done.
        reached: appears when it has.
        wait: between two attempts, in ms.
    """
    for _ in range(TIMES):
        act()
        try:
            return reached.first.wait_for(timeout=wait)
        except TimeoutError:
            continue
    raise AssertionError(f"{TIMES} attempts came to nothing: {reached}")


def click_cell(page, true: int, predicted: int, classes: int = 10) -> None:
    """Click one cell of the confusion matrix, the last chart of a page."""
    cells = page.locator(".js-plotly-plot").last.locator(".scatterlayer .points path")
    cell = cells.nth(classes * true + predicted)
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
