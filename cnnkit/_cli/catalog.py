"""`cnnkit models` and `cnnkit datasets`: list what is registered; import images."""

from __future__ import annotations

from pathlib import Path

import click

from cnnkit._cli._console import counting, json_option, print_result, table
from cnnkit.datasets import dataset_info, list_datasets
from cnnkit.datasets.folders import KINDS, LABEL_SOURCES, ImportReport, delete, image_folder, rename
from cnnkit.jobs import forget_images
from cnnkit.models import list_models, model_info
from cnnkit.settings import get_settings
from cnnkit.training import list_recipes


@click.command()
@json_option
def models(as_json: bool):
    """List the networks and their recipes."""
    listed = [
        {
            "name": name,
            "title": model_info(name).title,
            "parameters": model_info(name).parameters,
            "input_shape": model_info(name).input_shape,
            "recipes": [recipe.name for recipe in list_recipes(name)],
            "options": [option.name for option in model_info(name).options],
        }
        for name in list_models()
    ]
    rows = [
        (m["name"], f"{m['parameters']:,}", m["title"], "; ".join(m["recipes"])) for m in listed
    ]
    print_result(listed, table(("NAME", "PARAMETERS", "TITLE", "RECIPES"), rows), as_json)


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def datasets(ctx: click.Context, as_json: bool):
    """List data sets, imported ones included, and whether they are on this machine."""
    if ctx.invoked_subcommand:
        return
    listed = [
        {
            "name": spec.name,
            "title": spec.title,
            "images": sum(spec.images),
            "classes": spec.classes,
            "available": spec.available,
            "source": spec.source,
            "license": spec.license,
        }
        for spec in map(dataset_info, [*list_datasets(), *list_datasets("own")])
    ]
    rows = [
        (d["name"], f"{d['images']:,}", "yes" if d["available"] else "no", d["title"])
        for d in listed
    ]
    print_result(listed, table(("NAME", "IMAGES", "HERE", "TITLE"), rows), as_json)


@datasets.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--title", help="Title of the data set.  [default: the name of the file]")
@click.option(
    "--by",
    type=click.Choice(list(LABEL_SOURCES)),
    default="auto",
    show_default=True,
    help="Where the class of an image is read from. "
    + " ".join(f"{source}: {what}." for source, what in LABEL_SOURCES.items()),
)
@json_option
def import_images(path: Path, title: str | None, by: str, as_json: bool):
    """Import your own images from a folder or a ZIP file."""
    with counting("Reading images") as progress:
        imported = image_folder(path, title=title, by=by, progress=progress)
    spec = dataset_info(imported.name)
    value = {
        "name": imported.name,
        "title": spec.title,
        "new": imported.new,
        "class_names": spec.class_names,
        **imported.report.to_dict(),
    }
    print_result(value, _summary(imported.name, spec.title, spec.classes, imported.report), as_json)


@datasets.command("rename")
@click.argument("name")
@click.argument("title")
@json_option
def rename_imported(name: str, title: str, as_json: bool):
    """Change the title of an imported data set; its NAME stays."""
    rename(name, title=title)
    spec = dataset_info(name)
    print_result({"name": name, "title": spec.title}, f"{name} is now called {spec.title}", as_json)


@datasets.command("delete")
@click.argument("name")
@click.confirmation_option(prompt="Delete its images for good?")
@json_option
def delete_imported(name: str, as_json: bool):
    """Delete an imported data set with its images."""
    delete(name)
    forget_images(get_settings(), name)
    print_result({"deleted": name}, f"{name} is deleted", as_json)


def _summary(name: str, title: str, classes: int, report: ImportReport) -> str:
    lines = [f"{title}: {report.images:,} images in {classes} classes, now {name}"]
    lines += [f"left out, {KINDS[kind]}: {count:,}" for kind, count in report.counts.items()]
    if report.two_classes:
        lines.append(f"{len(report.two_classes):,} images stand in more than one class")
    return "\n".join([*lines, *report.notes])
