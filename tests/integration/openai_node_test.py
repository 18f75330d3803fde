"""The official Node client against weir; the scenarios stand in node/client.mjs."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from support import answers
from support.upstream import Close, Pause
from support.weir import ROOT, clean_environment

SOURCE = Path(__file__).resolve().parent / "node"
FOLDER = ROOT / "build" / "node-client"
SCENARIOS = ["whole", "streamed", "streamed_with_usage", "tools", "embeddings", "models", "errors",
             "broken", "aborted"]


@pytest.fixture(scope="module")
def client():
    """The folder in which the client is installed."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = (SOURCE / "package.json").read_text()
    if not (FOLDER / "node_modules" / "openai").is_dir() or \
            (FOLDER / "package.json").read_text() != wanted:
        (FOLDER / "package.json").write_text(wanted)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=FOLDER,
                              capture_output=True, text=True, timeout=110)
        assert done.returncode == 0, done.stdout + done.stderr
    shutil.copy(SOURCE / "client.mjs", FOLDER)
    return FOLDER


def provider(request):
    body = json.loads(request.body)
    match body.get("user"):
        case "limited":
            return answers.error(429, "too many", [("retry-after", "1")],
                                 type="requests", code="rate_limit_exceeded")
        case "broken":
            return [*answers.stream(answers.events(["Hel"])[:1])[:-1], Close()]
        case "endless":
            return [*answers.stream(answers.events(["Hel"])[:1])[:-1], Pause(60)]
    return answers.as_a_provider(request)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_node_client_works(gateway, weir, upstream, client, scenario):
    upstream.answer_always(provider)
    done = subprocess.run(
        ["node", "client.mjs", f"http://127.0.0.1:{weir.port}/v1", gateway.key, scenario],
        cwd=client, env=clean_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and f"{scenario} ok" in done.stdout, done.stdout + done.stderr
    if scenario == "aborted":
        assert upstream.calls[-1].connection.peer_closed.wait(2)
