"""The command line: `cnnkit VERB`, or `python -m cnnkit VERB`. Every command accepts `--json`."""

from __future__ import annotations

import click

from cnnkit import __version__
from cnnkit._cli.anatomy import anatomy
from cnnkit._cli.build import build
from cnnkit._cli.catalog import datasets, models
from cnnkit._cli.convert import convert
from cnnkit._cli.doctor import backup, doctor, restore
from cnnkit._cli.embed import embed
from cnnkit._cli.explain import explain
from cnnkit._cli.gradcheck import gradcheck
from cnnkit._cli.predict import evaluate, predict
from cnnkit._cli.reproduce import reproduce
from cnnkit._cli.runs import runs
from cnnkit._cli.train import train
from cnnkit._cli.visualize import dream, mosaic, visualize
from cnnkit._cli.worker import worker
from cnnkit.errors import CnnkitError
from cnnkit.files import disk_problem

# Of a path that somebody gave, such as a folder in place of a file.
_PATH_ERRORS = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError)


class Verbs(click.Group):
    """A group that shows cnnkit's own errors, and those of paths, as one sentence."""

    def invoke(self, ctx: click.Context):
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except CnnkitError as error:
            raise click.ClickException(str(error)) from error
        except _PATH_ERRORS as error:
            if not error.filename:
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}.") from error
        except OSError as error:
            if not disk_problem(error):
                raise
            raise click.ClickException(disk_problem(error)) from error


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="cnnkit")
def main():
    """Train, inspect and visualize convolutional networks."""


_VERBS = (
    models,
    datasets,
    anatomy,
    build,
    train,
    runs,
    evaluate,
    predict,
    convert,
    explain,
    visualize,
    mosaic,
    dream,
    embed,
    gradcheck,
    reproduce,
    doctor,
    backup,
    restore,
    worker,
)
for _verb in _VERBS:
    main.add_command(_verb)

if __name__ == "__main__":
    main()
