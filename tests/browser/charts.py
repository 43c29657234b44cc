"""What tests do to the charts of a page."""


def click_cell(page, true: int, predicted: int, classes: int = 10) -> None:
    """Click one cell of the confusion matrix, the last chart of a page."""
    cells = page.locator(".js-plotly-plot").last.locator(".scatterlayer .points path")
    cell = cells.nth(classes * true + predicted)
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
