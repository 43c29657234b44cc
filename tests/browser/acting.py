"""What several tests do to a page."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, TimeoutError

TIMES = 8
# TensorFlow's import in a new child, on a machine whose cores are all taken.
PATIENCE = 120_000  # ms
# A seven, in fractions of the canvas.
SEVEN = ((0.28, 0.24), (0.72, 0.24), (0.5, 0.52), (0.42, 0.8))
# A one.
ONE = ((0.5, 0.15), (0.5, 0.85))


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
    chart = page.locator(".js-plotly-plot").last
    cell = chart.locator(".scatterlayer .points path").nth(classes * true + predicted)
    cell.wait_for(state="attached")
    # Through what takes the mouse, which Playwright waits for until it stands still: what is
    # drawn above the chart later moves it, and a click on where it was goes elsewhere.
    surface = chart.locator(".nsewdrag")
    at, origin = cell.bounding_box(), surface.bounding_box()
    surface.click(
        position={
            "x": at["x"] + at["width"] / 2 - origin["x"],
            "y": at["y"] + at["height"] / 2 - origin["y"],
        }
    )


def click_fullest_cell(page, true: int, classes: int) -> int:
    """Click the class that most images of a class were predicted as, and return that class."""
    chart = page.locator(".js-plotly-plot").last
    chart.locator(".scatterlayer .points path").first.wait_for(state="attached")
    cells = chart.evaluate("chart => chart.data.at(-1).customdata")
    row = {predicted: count for of, predicted, count in cells if of == true}
    predicted = max(row, key=row.__getitem__)
    click_cell(page, true=true, predicted=predicted, classes=classes)
    return predicted


def draw(page, points) -> None:
    """Press, follow the points, lift."""
    box = page.locator("canvas").last.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=12)
    page.mouse.up()


def press_train(page, epochs: int) -> None:
    """Set the epochs, press Train, wait for the run's own address."""
    page.set_default_timeout(PATIENCE)
    field = page.get_by_role("spinbutton", name="Epochs", exact=True)
    field.fill(str(epochs))
    field.press("Enter")
    page.get_by_text(f"→ {epochs}").wait_for()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url(re.compile("run="))
