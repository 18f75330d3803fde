"""Fixtures of the fault tests. tools/fault runs them; WEIR_FAULT=full is their long form."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

REPORT = os.environ.get("WEIR_FAULT_REPORT")


@pytest.fixture(scope="session")
def is_full():
    return os.environ.get("WEIR_FAULT") == "full"


@pytest.fixture
def report(request):
    """Writes a line with figures for the reader of the report."""
    def write(text):
        line = f"{request.node.name}: {text}"
        print(line)
        if REPORT:
            with open(REPORT, "a") as out:
                out.write(line + "\n")
    return write
