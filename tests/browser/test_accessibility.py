"""Every page held against the rules of axe-core, and its dark colors against that of contrast.

Serious and critical findings fail. Left out is what Streamlit itself draws and no page can
change; each exception says why.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnkit.ui.common.page import PAGES

FILES = [page.file for page in PAGES]
QUERIES = {"pages/reproduce.py": {"row": "flowers_vgg16"}}  # one row has what all of them have
# Nothing but contrast depends on the theme.
RULES = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
SERIOUS = ("serious", "critical")
BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 21, 29)"}  # of config.toml
SHOWS = """background => getComputedStyle(document.querySelector('[data-testid="stApp"]'))
  .backgroundColor === background"""
# Fragments and charts draw after the script has ended: until nothing has changed for a while.
QUIET = """() => new Promise(resolve => {
  let timer
  const observer = new MutationObserver(() => wait())
  const end = () => { observer.disconnect(); resolve() }
  const wait = () => { clearTimeout(timer); timer = setTimeout(end, 400) }
  observer.observe(document.body, {childList: true, subtree: true, attributes: true})
  setTimeout(end, 2000)
  wait()
})"""
# Rule -> part of a finding's selector that Streamlit owns; "": all findings of the rule.
STREAMLITS_OWN = {
    # Streamlit lets a formula that is wider than its column scroll, and gives it no tab stop.
    "scrollable-region-focusable": (".katex-display",),
}


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_a_page_has_no_serious_accessibility_findings(app, page, file):
    from axe_playwright_python.sync_playwright import Axe

    address = "" if file == "app.py" else Path(file).stem
    page.goto(app.url(address, **QUERIES.get(file, {})))
    app.settle(page)
    findings = []
    for theme, background in BACKGROUNDS.items():
        page.emulate_media(color_scheme=theme)  # the page follows its reader's system at once
        page.wait_for_function(SHOWS, arg=background)
        page.evaluate(QUIET)
        options = {"resultTypes": ["violations"], **RULES[theme]}
        findings += Axe().run(page, options=options).response["violations"]
    serious = [
        f"{finding['id']}: {finding['help']}: {' '.join(map(str, node['target']))}"
        f" ({node['failureSummary'].splitlines()[-1].strip()})"
        for finding in findings
        if finding["impact"] in SERIOUS
        for node in finding["nodes"]
        if not _streamlits_own(finding["id"], " ".join(map(str, node["target"])))
    ]
    assert not serious, "\n".join(serious)


def _streamlits_own(rule: str, target: str) -> bool:
    return any(part in target for part in STREAMLITS_OWN.get(rule, ()))
