import subprocess
import sys

import pytest

from cnnkit.training import Recipe, evaluate, fit, get_recipe, list_recipes, recipe_dataset
from cnnkit.training.export import write_script


@pytest.mark.parametrize("recipe", list_recipes(), ids=lambda r: f"{r.model}-{r.name}")
def test_the_script_holds_the_very_recipe(recipe):
    source = write_script(recipe).split("result = fit")[0]
    names = {}
    exec(compile(source, "script", "exec"), names)  # noqa: S102
    assert names["recipe"] == recipe


def test_a_hostile_name_stays_a_comment():
    source = write_script(get_recipe("toy_cnn", "published"), '"""\nraise SystemExit\n"""\\')
    compile(source, "script", "exec")
    assert "\nraise SystemExit" not in source


def test_the_script_reproduces_the_run(tmp_path):
    recipe = Recipe(
        name="short", model="toy_cnn", dataset="toy_patterns", epochs=3, learning_rate=0.01
    )
    evaluation = evaluate(fit(recipe).model, *recipe_dataset(recipe).part("test"))
    script = tmp_path / "run.py"
    script.write_text(write_script(recipe), encoding="utf-8")
    ran = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert f"test error {evaluation.error:.2%}, loss {evaluation.loss:.4f}" in ran.stdout
    assert (tmp_path / "toy_cnn.keras").exists()
