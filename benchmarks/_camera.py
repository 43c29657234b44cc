"""A camera that films three things in turn, for a browser that takes a file for one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page

from benchmarks._app import FLAGS, executable

THINGS = ("cup", "leaf", "pen")  # red, green and blue
COLORS = ((205, 60, 50), (50, 160, 70), (60, 80, 215))
RATE = 15  # frames a second
SCENE = 4.5  # seconds of each thing; then the next one comes, and after the last the first
SIDE = 128  # pixels
SHOTS = 30  # of each thing

# The channel of a video's frame that is the brightest, on average: the number of the thing.
SCENE_NOW = """video => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 8, 8);
  const sums = [0, 0, 0];
  context.getImageData(0, 0, 8, 8).data.forEach((value, k) => k % 4 < 3 && (sums[k % 4] += value));
  return sums.indexOf(Math.max(...sums));
}"""


def frames(seed: int = 0) -> Iterator[np.ndarray]:
    """What the camera films, uint8 (side, side, 3); no two frames are alike."""
    generator = np.random.default_rng(seed)
    for number in range(len(THINGS)):
        for _ in range(round(RATE * SCENE)):
            yield _frame(number, generator)


def _frame(number: int, generator: np.random.Generator) -> np.ndarray:
    image = Image.fromarray(generator.integers(110, 150, (SIDE, SIDE, 3)).astype(np.uint8))
    draw, color = ImageDraw.Draw(image), COLORS[number]
    left, top = generator.integers(12, 40, 2).tolist()
    size = int(generator.integers(60, 76))
    box = (left, top, left + size, top + size)
    if THINGS[number] == "cup":
        draw.rectangle(box, color)
        draw.arc((left + size // 2, top + 10, left + size + 24, top + size - 10), -80, 80, color, 8)
    elif THINGS[number] == "leaf":
        draw.chord(box, 20, 250, color)
    else:
        draw.line(box, color, 14)
        draw.rectangle((left, top, left + size, top + 16), color)
    return np.asarray(image)


def write_video(path: Path) -> Path:
    """The frames as a YUV4MPEG2 file, which Chromium takes for a camera."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{SIDE} H{SIDE} F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames():
            planes = Image.fromarray(frame).convert("YCbCr").split()
            small = [plane.resize((SIDE // 2, SIDE // 2), Image.Resampling.BOX) for plane in planes]
            file.write(b"FRAME\n" + planes[0].tobytes() + small[1].tobytes() + small[2].tobytes())
    return path


def flags(video: Path) -> list[str]:
    """What tells Chromium to use a file for its camera, and to ask nobody."""
    return [
        *FLAGS,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
    ]


@contextlib.contextmanager
def with_camera(browser: Browser, folder: Path) -> Iterator[Browser]:
    """Another browser like this one, with the camera, whose file goes to a folder."""
    video = write_video(folder / "camera.y4m")
    other = browser.browser_type.launch(executable_path=executable(), args=flags(video))
    yield other
    other.close()


def take_classes(page: Page) -> None:
    """On the page Camera: name three classes, and take a burst of each when its thing is filmed."""
    page.get_by_role("button", name="Add a class").click()
    for number, name in enumerate(THINGS):
        page.get_by_label("Name of the class").nth(number).fill(name)
    page.get_by_label("Recording, and frames of a video").select_option("10")
    page.get_by_role("button", name="Start the camera").click()
    for number in (1, 2, 0):  # as the film goes on: the first is in the middle already
        wait_for_scene(page, number)
        page.get_by_role("button", name=f"Burst of {SHOTS}").nth(number).click()
        page.locator(".card").nth(number).get_by_text(f"{SHOTS} images").wait_for()


def wait_for_scene(page: Page, number: int) -> None:
    """Wait until the camera begins to film a thing."""
    video = page.locator("video.view")
    page.wait_for_function("video => video.videoWidth > 0", arg=video.element_handle())
    other = f"video => ({SCENE_NOW})(video) !== {number}"
    this = f"video => ({SCENE_NOW})(video) === {number}"
    for condition in (other, this):
        page.wait_for_function(condition, arg=video.element_handle())
