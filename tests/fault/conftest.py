"""Fixtures of the fault tests. WEIR_FAULT=full is their long form, which `make fault` runs."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

IS_FULL = os.environ.get("WEIR_FAULT") == "full"
figures = []


def pytest_configure(config):
    config.addinivalue_line("markers", "long: runs in the long form alone")


def pytest_collection_modifyitems(config, items):
    left_out = [] if IS_FULL else [each for each in items if each.get_closest_marker("long")]
    items[:] = [each for each in items if each not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("what was measured")
    for each in figures:
        terminalreporter.write_line(each)


@pytest.fixture(scope="session")
def is_full():
    return IS_FULL


@pytest.fixture
def report(request):
    """Takes a line with figures for the report at the end."""
    return lambda text: figures.append(f"{request.node.name}: {text}")
