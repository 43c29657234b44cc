import inspect

import pytest

from cnnkit import errors
from cnnkit.errors import CnnkitError, RunNotFoundError, UnknownModelError


def test_an_unknown_name_lists_the_known_ones():
    error = UnknownModelError("lenet6", ["vgg16", "lenet5"])
    assert str(error) == "Unknown model 'lenet6'. Known models: lenet5, vgg16."
    assert isinstance(error, LookupError)


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
