import inspect

import pytest

from cnnkit import errors
from cnnkit.errors import CnnkitError, RunNotFoundError, UnknownModelError


def test_an_unknown_name_lists_the_known_ones():
    error = UnknownModelError("lenet6", ["vgg16", "lenet5"])
    assert str(error) == (
        "Unknown model 'lenet6'. Did you mean 'lenet5'? Known models: lenet5, vgg16."
    )
    assert isinstance(error, LookupError)


@pytest.mark.parametrize(
    ("name", "nearest"), [("LeNet5", " Did you mean 'lenet5'?"), ("resnet", ""), (None, "")]
)
def test_an_unknown_name_is_compared_with_the_known_ones(name, nearest):
    error = UnknownModelError(name, ["vgg16", "lenet5"])
    assert str(error) == f"Unknown model {name!r}.{nearest} Known models: lenet5, vgg16."
    assert str(UnknownModelError("x", [])) == "Unknown model 'x'. Known models: none."


def test_the_tree_in_the_docstring_names_every_error():
    classes = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    ]
    assert len(classes) > 10
    assert [name for name in classes if name not in errors.__doc__] == []


def test_every_error_can_be_caught_together():
    with pytest.raises(CnnkitError, match="no run 'x'"):
        raise RunNotFoundError("x")
