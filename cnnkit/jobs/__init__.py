"""Long work: each job is a child process, placed by Dask, known by its run alone.

    pool = JobPool(settings, store)
    pool.recover()
    run = pool.submit(kind="train", spec=recipe.to_dict(), name="my first network")

Importing this loads neither Dask, MLflow nor Keras.
"""

from cnnkit.jobs._care import checkpoint_problem, forsaken, mark_interrupted
from cnnkit.jobs._child import child_environment, start_child, wake_fork_server
from cnnkit.jobs._controls import (
    CHECKPOINT,
    ask_cancel,
    ask_pause,
    kill,
    requeue,
    resume_in_words,
)
from cnnkit.jobs._fork_server import fork_server
from cnnkit.jobs._pool import JobPool
from cnnkit.jobs._sharing import forget_images
from cnnkit.jobs.kinds import list_kinds, register_kind

__all__ = [
    "CHECKPOINT",
    "JobPool",
    "ask_cancel",
    "ask_pause",
    "checkpoint_problem",
    "child_environment",
    "forsaken",
    "forget_images",
    "fork_server",
    "kill",
    "list_kinds",
    "mark_interrupted",
    "register_kind",
    "requeue",
    "resume_in_words",
    "start_child",
    "wake_fork_server",
]
