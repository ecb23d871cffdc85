"""One compiled project for all tests, one child process for each."""

import pytest
from harness import Child, Project


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def child(project, tmp_path):
    child = Child(project, tmp_path)
    yield child
    child.close()
