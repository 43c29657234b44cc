"""The Camera page in a real browser, whose camera is a file that is made here."""

import re

import pytest

from benchmarks._camera import SHOTS, THINGS, take_classes, with_camera
from cnnkit.datasets import dataset_info, load_dataset
from cnnkit.datasets.folders import import_report, list_own
from cnnkit.settings import get_settings
from tests.browser.conftest import PATIENCE

pytestmark = pytest.mark.browser

BUSY = 300_000  # ms for a job, which gives way to everything else on a busy machine

# Draws what changes on a canvas, and records it; the bytes of the WebM as a list.
RECORDED = """seconds => new Promise(resolve => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const context = canvas.getContext("2d");
  const timer = setInterval(() => {
    context.fillStyle = `hsl(${performance.now() / 8}, 90%, 50%)`;
    context.fillRect(0, 0, 64, 64);
  }, 40);
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
  const parts = [];
  recorder.ondataavailable = event => parts.push(event.data);
  recorder.onstop = async () => {
    clearInterval(timer);
    resolve([...new Uint8Array(await new Blob(parts).arrayBuffer())]);
  };
  recorder.start();
  setTimeout(() => recorder.stop(), 1000 * seconds);
})"""

# Whether each of three classes was the most probable one at some time.
SEEN = """bars => {
  const best = bars.querySelector(".best")?.dataset.name;
  window.seen ??= new Set();
  if (best) window.seen.add(best);
  return window.seen.size === 3;
}"""


@pytest.fixture
def page(browser, tmp_path):
    """A window of a browser with a camera, which fails the test on a page's error."""
    with with_camera(browser, tmp_path) as other:
        page = other.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(PATIENCE)
        broken: list[str] = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        yield page
    assert not broken


@pytest.fixture
def home(app, monkeypatch):
    """The data sets of the server's home can be read here."""
    monkeypatch.setenv("CNNKIT_HOME", str(app.home))
    get_settings.cache_clear()
    return app.home


@pytest.mark.endurance
@pytest.mark.weights
@pytest.mark.slow
def test_three_classes_are_taken_learned_and_recognized_live(app, page, home):
    from playwright.sync_api import expect

    before = set(list_own())
    page.goto(app.url("camera"))
    make = page.get_by_role("button", name="Make the data set")
    expect(make).to_be_disabled()
    take_classes(page)
    page.get_by_role("button", name=f"Delete image 1 of {THINGS[2]}").click()
    page.locator(".card").nth(2).get_by_text(f"{SHOTS - 1} images").wait_for()
    page.get_by_label("Call it").fill("Desk")
    make.click()
    page.get_by_text("images of the camera are here").wait_for()
    (name,) = set(list_own()) - before
    assert dataset_info(name).title == "Desk" and dataset_info(name).class_names == THINGS
    assert len(load_dataset(name).images) + len(import_report(name).left_out) == 3 * SHOTS - 1
    page.locator(".card").first.get_by_text("0 images").wait_for()  # it has let them go

    page.get_by_role("button", name="Fine-tune MobileNetV2").click()
    page.get_by_text("95 % confidence interval").wait_for(timeout=BUSY)
    page.get_by_role("link", name="Ask it live").click()
    page.wait_for_url(re.compile("mode=live"))
    page.get_by_role("button", name="Start the camera").click()
    bars = page.get_by_role("list", name="Predicted probabilities").element_handle()
    page.wait_for_function(SEEN, arg=bars)  # within a round of the film
    assert set(page.evaluate("[...window.seen]")) == set(THINGS)
    expect(page.locator(".rate")).to_contain_text("answers a second")

    # The camera is let go with the page.
    page.locator("video.view").evaluate("video => (window.track = video.srcObject.getTracks()[0])")
    assert page.evaluate("window.track.readyState") == "live"
    page.get_by_role("link", name="Runs", exact=True).first.click()
    page.wait_for_function("window.track.readyState === 'ended'")


def test_a_video_gives_its_frames_and_a_held_button_as_many_as_one_likes(app, page, home):
    page.goto(app.url("camera"))
    first, second = page.locator(".card").nth(0), page.locator(".card").nth(1)
    video = bytes(page.evaluate(RECORDED, 1.6))
    file = {"name": "clip.webm", "mimeType": "video/webm", "buffer": video}
    first.locator('input[type="file"]').set_input_files(file)
    first.get_by_text(re.compile("^[6-9] images")).wait_for()  # five a second
    file = {"name": "notes.mp4", "mimeType": "video/mp4", "buffer": b"no video"}
    second.locator('input[type="file"]').set_input_files(file)
    page.get_by_text("The browser cannot play notes.mp4").wait_for()

    second.get_by_role("button", name="Hold to record").click()
    page.get_by_text("Start the camera first").wait_for()
    page.get_by_role("button", name="Start the camera").click()
    page.wait_for_function(
        "video => video.videoWidth > 0", arg=page.locator("video.view").element_handle()
    )
    second.get_by_role("button", name="Hold to record").click(delay=1100)
    second.get_by_text(re.compile("^[3-7] images")).wait_for()
    page.get_by_text(re.compile("Click one to delete it|take more of")).wait_for()
    # Shots wait for whoever looks at another page.
    page.get_by_role("link", name="Runs", exact=True).first.click()
    page.get_by_role("heading", name="Runs").wait_for()
    page.go_back()
    page.locator(".card").nth(0).get_by_text(re.compile("^[6-9] images")).wait_for()
