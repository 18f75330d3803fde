"""Fixtures of the integration tests: the shared gateway, and what holds after every test."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.weir import BINARY, Gateway  # noqa: E402

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "upstream"


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    """A weir with the standard configuration, shared by all tests that need nothing else."""
    need_binary()
    with Gateway(tmp_path_factory.mktemp("gateway")) as shared:
        yield shared


@pytest.fixture
def upstream(gateway):
    return gateway.upstream


@pytest.fixture
def weir(gateway):
    return gateway.weir


@pytest.fixture(scope="module")
def make_gateway(tmp_path_factory):
    """Starts gateways with configurations of their own, stopped at the end of the module."""
    need_binary()
    started = []

    def make(config=None, **options):
        gateway = Gateway(tmp_path_factory.mktemp("gateway"), config, **options)
        started.append(gateway.__enter__())
        return gateway

    yield make
    failures = []
    for each in reversed(started):
        try:
            each.__exit__(None, None, None)
        except AssertionError as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


@pytest.fixture(autouse=True)
def clean_upstreams_and_living_programs(request):
    """Each test begins with clean upstreams, and ends with every program alive."""
    for gateway in Gateway.live:
        gateway.restart_if_dead()
        gateway.upstream.reset()
    yield
    for gateway in Gateway.live:
        assert gateway.weir.is_alive(), f"weir died: {gateway.weir.stderr()[-3000:]}"
        assert not gateway.upstream.faults, gateway.upstream.faults


def need_binary():
    if not BINARY.exists():
        pytest.fail(f"{BINARY} is not there: build it first", pytrace=False)
