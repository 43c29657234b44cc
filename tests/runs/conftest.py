import pytest

from cnnkit.runs import RunStore
from cnnkit.settings import get_settings
from tests.records import new_store


@pytest.fixture
def store(own_home) -> RunStore:
    return new_store(get_settings())
