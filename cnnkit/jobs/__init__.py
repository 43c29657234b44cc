"""Long work: each job is a child process, placed by Dask, known by its run alone.

    pool = JobPool(settings, store)
    pool.recover()
    run = pool.submit(kind="train", spec=recipe.to_dict(), name="my first network")

Importing this loads neither Dask, MLflow nor Keras.
"""

from cnnkit.jobs._child import child_environment, start_child
from cnnkit.jobs._controls import ask_cancel, ask_pause, kill, requeue, resume_in_words
from cnnkit.jobs._pool import JobPool
from cnnkit.jobs._sharing import forget_images
from cnnkit.jobs.kinds import list_kinds, register_kind

__all__ = [
    "JobPool",
    "ask_cancel",
    "ask_pause",
    "child_environment",
    "forget_images",
    "kill",
    "list_kinds",
    "register_kind",
    "requeue",
    "resume_in_words",
    "start_child",
]
