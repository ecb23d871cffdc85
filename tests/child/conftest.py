"""One compiled project for all tests, one child process for each."""

import pytest
from harness import Child, Project


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def make_child(project, tmp_path):
    """Starts a child with further environment variables."""
    children = []

    def make(**environment):
        children.append(Child(project, tmp_path, environment))
        return children[-1]

    yield make
    for child in children:
        child.close()


@pytest.fixture
def child(make_child):
    return make_child()
