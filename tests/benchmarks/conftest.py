"""A task of a few examples for what is timed and counted."""

import pytest
from small_tasks import small_task


@pytest.fixture(scope="session")
def task():
    """Two modalities, three classes; 24, 12 and 10 examples."""
    return small_task()
