"""Figures on a page."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest


def test_growing_lines_are_drawn_as_others_are():
    def page():
        from cnnkit.figures.curves import lines
        from cnnkit.ui.common import charts

        series = {"objective": ([0, 1, 2], [1.0, None, 3.5]), "total variation": ([0, 2], [2.0, 1])}
        how = {"x_title": "step", "y_title": "value", "logarithmic": True, "height": 220}
        charts.chart(lines(series, **how), alt="Lines", key="lines")
        for name in ("few", "many"):
            points = 2 if name == "few" else 3
            grown = {k: (x[:points], y[:points]) for k, (x, y) in series.items()}
            charts.growing_lines(grown, alt="Lines", key=name, **how)

    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception
    whole, few, many = (json.loads(chart.proto.spec) for chart in at.get("plotly_chart"))
    assert many == whole
    assert few["layout"] == whole["layout"] and few["data"][0]["x"] == [0, 1]
