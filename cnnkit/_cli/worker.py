"""`cnnkit worker`: the child process of a job. People hardly ever type this."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from cnnkit._cli._console import json_option, print_result
from cnnkit.runs import Status
from cnnkit.settings import get_settings

NICE = 10  # every page of the app comes first, however many processes compute


@click.command()
@click.argument("run_id", required=False)
@click.option("--lease", help="Lease of the run; taken now if missing.")
@click.option("--shared", is_flag=True, help="Keep checkpoints in the artifact store too.")
@click.option("--warm", is_flag=True, help="Import everything and wait for a run on stdin.")
@click.option(
    "--sessions",
    type=click.Path(path_type=Path),
    help="Be the visualization worker: obey stdin, and write sessions to this folder.",
)
@click.option("--forking", type=int, help="Be the fork server: obey this descriptor.")
@json_option
def worker(
    run_id: str | None,
    lease: str | None,
    shared: bool,
    warm: bool,
    sessions: Path | None,
    forking: int | None,
    as_json: bool,
):
    """Execute the queued run RUN_ID in this process."""
    # The fork server computes nothing, and whoever starts a job waits for its answer.
    if forking is None and hasattr(os, "setpriority"):  # not on Windows
        # Not `os.nice`, which adds to what the process that started this one may have set.
        own = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, 0, max(NICE, own))
    if forking is not None:
        from cnnkit.jobs.forking import fork_children

        cnnkit = click.get_current_context().find_root().command
        fork_children(forking, lambda arguments: cnnkit.main(["worker", *arguments]))
        leave(0)
    if sessions:
        from cnnkit.jobs.session_server import serve

        serve(get_settings(), sessions)
        leave(0)
    from cnnkit.jobs.worker import wait_for_work, work

    if warm:
        wait_for_work(get_settings())
        leave(0)
    if run_id is None:
        raise click.UsageError("Name a run, or give --warm, --sessions or --forking.")
    status = work(get_settings(), run_id, lease, shared)
    print_result({"run": run_id, "status": status}, f"{run_id}: {status}", as_json)
    leave(1 if status is Status.FAILED else 0)


def leave(code: int) -> NoReturn:
    """End this process now: TensorFlow takes seconds to take itself apart."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
