"""What visitors do, for the log and the metrics: never what is in their images."""

from __future__ import annotations

import logging

from cnnkit.errors import CnnkitError
from cnnkit.monitoring import metrics
from cnnkit.ui.common.person import person

log = logging.getLogger("cnnkit.visits")


def record_visit() -> None:
    """A browser has opened a page, as the first one of its session."""
    metrics.VISITS.inc()
    log.info("login" if _who() else "visit", extra=_who())


def record_prediction(network: str, seconds: float, images: int = 1) -> None:
    """A network (a `NetworkRef` as text) has classified so many images in so many seconds."""
    count_prediction(network, seconds, images)
    facts = {"network": network, "images": images, "seconds": round(seconds, 3)}
    log.info("prediction", extra=_who() | facts)


def count_prediction(network: str, seconds: float, images: int = 1) -> None:
    """The same for the metrics alone: a camera asks several times a second."""
    kind, _, name = network.partition(".")
    # The names of runs and uploaded files would be labels without end.
    metrics.PREDICTIONS.labels(network=name if kind == "pretrained" else kind).inc(images)
    metrics.PREDICTION_SECONDS.observe(seconds)


def record_import(name: str, images: int) -> None:
    """Images were imported as a data set."""
    log.info("import", extra=_who() | {"dataset": name, "images": images})


def record_error(error: BaseException, *, expected: bool) -> None:
    """A visitor saw an error.

    Args:
        error: what was raised.
        expected: it was shown as a sentence; else it is a fault of ours, with its traceback.
    """
    kind = type(error).__name__
    metrics.ERRORS.labels(type=kind, expected=str(expected).lower()).inc()
    facts = _who() | {"error": kind}
    if expected:
        log.warning("error shown", extra=facts)
    else:
        log.error("page failed", extra=facts, exc_info=error)


def _who() -> dict[str, str]:
    """Id of the person whose page is running; nothing without a login."""
    try:
        id = person().id
    except CnnkitError:  # nobody has logged in yet
        return {}
    return {"person": id} if id else {}
