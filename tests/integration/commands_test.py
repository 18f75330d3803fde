"""Commands: help, exit codes, forms, and where they find their data."""

import json
import os
import re
import socket
import subprocess

import pytest

from support.process import end_with_parent
from support.weir import BINARY, Weir, clean_environment, run_weir, standard_config, \
    wait_until

COMMANDS = [["serve"], ["check"], ["config", "show"], ["config"], ["users"], ["users", "create"],
            ["users", "list"], ["keys"], ["keys", "create"], ["keys", "revoke"], ["models"],
            ["models", "list"], ["models", "test"], ["audit"], ["audit", "verify"],
            ["audit", "export"], ["audit", "tail"], ["version"]]


@pytest.fixture
def idle(tmp_path):
    """A weir that is configured and does not run."""
    weir = Weir(tmp_path, standard_config("http://127.0.0.1:9/v1"))
    yield weir
    weir.kill()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(command):
    done = run_weir(*command, "--help")
    assert f"weir {command[0]}" in done.stdout and "Example" in done.stdout and not done.stderr


def test_weir_alone_and_its_help_name_every_command():
    helped = run_weir("--help").stdout
    assert all(name in helped for name in ("serve", "check", "config", "users", "keys", "models",
                                           "version"))
    assert run_weir(code=2).stderr


@pytest.mark.parametrize("command", [["bogus"], ["serve", "--bogus"], ["check", "x"], ["config"],
                                     ["config", "x"], ["version", "x"], ["models", "x"],
                                     ["serve", "--workers", "x"], ["serve", "--listen", "x"],
                                     ["serve", "--listen"]])
def test_wrong_usage_is_2(tmp_path, command):
    done = run_weir(*command, code=2, cwd=tmp_path)
    assert done.stderr and not done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [["upgrade"], ["cache", "stats"]])
def test_commands_of_later_versions_are_absent(command):
    assert run_weir(*command, code=2).stderr


def test_the_version_is_a_number_in_both_forms():
    version = json.loads(run_weir("version", "--json").stdout)["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", version)
    assert run_weir("version").stdout.strip() == f"weir {version}"


def test_a_missing_data_directory_is_named_and_not_made(tmp_path):
    where = tmp_path / "nowhere"
    for command in (["users", "list"], ["keys", "list"], ["users", "create", "x"]):
        done = run_weir(*command, "--data-dir", str(where), code=1, cwd=tmp_path)
        assert str(where) in done.stderr and not where.exists()


def test_commands_work_without_a_server_and_what_they_did_holds_in_the_next(idle):
    idle.start()
    idle.stop()
    made = idle.create_key("offline")
    assert [each["id"] for each in idle.run_json("keys", "list", "--user", "offline")] == \
        [made["id"]]
    idle.start()
    assert idle.get("/v1/models", made["key"]).status == 200
    idle.run("keys", "revoke", made["id"])
    wait_until(lambda: idle.get("/v1/models", made["key"]).status == 401, 1)
    idle.stop()
    assert idle.run_json("keys", "show", made["id"])["state"] == "revoked"
    idle.start()
    assert idle.get("/v1/models", made["key"]).status == 401
    idle.stop()


def test_what_was_changed_before_a_kill_holds_after_it(idle):
    idle.start()
    kept, gone = idle.create_key("crash")["key"], idle.create_key("crash")
    idle.run("keys", "revoke", gone["id"])
    idle.kill()
    idle.start()
    assert idle.get("/v1/models", kept).status == 200
    assert idle.get("/v1/models", gone["key"]).status == 401
    idle.stop()


def test_the_data_directory_is_for_its_owner_only(idle):
    idle.start()
    assert os.stat(idle.data_dir / "admin.sock").st_mode & 0o777 == 0o600
    for path in idle.data_dir.glob("secrets/*"):
        assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(idle.data_dir / "secrets").st_mode & 0o077 == 0
    idle.stop()


def test_keys_are_nowhere_on_disk_in_the_clear(idle):
    idle.start()
    key = idle.create_key("secretive")["key"]
    idle.stop()
    for path in idle.data_dir.rglob("*"):
        if path.is_file():
            assert key.encode() not in path.read_bytes(), path


def test_a_second_serve_names_the_owner_and_listens_nowhere(idle, tmp_path):
    idle.start()
    other = tmp_path / "other"
    other.mkdir()
    second = Weir(other, standard_config("http://127.0.0.1:9/v1") | {
        "data_dir": str(idle.data_dir)})
    second.spawn()
    assert second.wait(10) == 1
    said = second.stderr()
    assert str(idle.process.pid) in said and said.count("\n") == 1
    assert idle.get("/readyz").status == 200
    idle.stop()


def test_a_stale_lock_and_socket_stop_nobody(idle):
    idle.start()
    idle.kill()
    assert (idle.data_dir / "admin.sock").exists()
    assert idle.run_json("users", "list") is not None
    idle.start()
    assert idle.run_json("users", "list") is not None
    idle.stop()


def test_commands_reach_a_server_as_soon_as_it_is_ready(idle):
    for _ in range(8):
        idle.spawn()
        wait_until(idle.is_ready, 10)
        idle.run("users", "list")
        idle.stop()


def test_a_port_in_use_is_one_line_that_says_which(idle):
    with socket.create_server(("127.0.0.1", idle.port)):
        idle.spawn()
        assert idle.wait(10) == 1
    said = [line for line in idle.stderr().splitlines() if line]
    assert str(idle.port) in said[-1]


def test_a_data_directory_that_cannot_be_made_is_one_line(idle, tmp_path):
    (tmp_path / "file").write_text("")
    idle.write_config(idle.config | {"data_dir": str(tmp_path / "file" / "data")})
    idle.spawn()
    assert idle.wait(10) == 1
    assert "file" in idle.stderr()


def test_a_missing_configuration_file_is_named():
    for command in ("serve", "check"):
        done = run_weir(command, "--config", "/no/such/weir.yaml", code=2)
        assert "/no/such/weir.yaml" in done.stderr + done.stdout


# The demo key, on embedded defaults

def defaults(folder, **environment):
    """weir on embedded defaults, in a folder without a configuration."""
    weir = Weir(folder, {})
    weir.config_path.unlink()
    weir.environment = clean_environment(
        WEIR_LISTEN=f"127.0.0.1:{weir.port}", WEIR_ADMIN_LISTEN=f"127.0.0.1:{weir.admin_port}",
        WEIR_TIMEOUTS_LINGER="10ms", **environment)

    def spawn():
        with open(weir.stderr_path, "ab") as stderr, open(weir.stdout_path, "wb") as stdout:
            weir.process = subprocess.Popen([BINARY, "serve", *weir.arguments], cwd=folder,
                                            env=weir.environment, stdin=subprocess.DEVNULL,
                                            stdout=stdout, stderr=stderr, start_new_session=True,
                                            preexec_fn=end_with_parent)

    weir.spawn = spawn
    return weir


def test_the_demo_key_is_made_once_and_printed_again(tmp_path):
    weir = defaults(tmp_path)
    keys = []
    for _ in range(2):
        weir.start()
        wait_until(lambda: "sk-weir-" in weir.stdout())
        keys.append(re.search(r"sk-weir-[0-9A-Za-z_-]+", weir.stdout())[0])
        assert f"127.0.0.1:{weir.port}" in weir.stdout()
        assert "curl" in weir.stdout() and "OpenAI(" in weir.stdout()
        assert weir.get("/v1/models", keys[-1]).status == 200
        assert keys[-1] not in weir.stderr()
        weir.stop()
    assert keys[0] == keys[1]
    secret = tmp_path / "data" / "secrets" / "demo.key"
    assert secret.read_text().strip() == keys[0] and secret.stat().st_mode & 0o777 == 0o600


def test_serve_says_in_json_where_it_is_and_the_key(tmp_path):
    weir = defaults(tmp_path)
    weir.arguments = ["--json"]
    weir.start()
    wait_until(lambda: weir.stdout().endswith("\n"))
    said = json.loads(weir.stdout())
    assert said["address"] == f"http://127.0.0.1:{weir.port}/v1" and said["file"] is None
    assert said["admin"] == [f"http://127.0.0.1:{weir.admin_port}"]
    assert said["pid"] == weir.process.pid
    assert weir.get("/v1/models", said["key"]).status == 200
    weir.stop()


def test_serve_of_a_file_has_no_key_to_tell(idle):
    idle.arguments = ["--json"]
    idle.start()
    wait_until(lambda: idle.stdout().endswith("\n"))
    said = json.loads(idle.stdout())
    assert said["key"] is None and said["file"] == str(idle.config_path)
    assert said["listen"] == [f"http://127.0.0.1:{idle.port}"]
    idle.stop()


def test_the_demo_key_outlives_the_database(tmp_path):
    weir = defaults(tmp_path)
    weir.start()
    weir.stop()
    for path in (tmp_path / "data").glob("weir.db*"):
        path.unlink()
    weir.start()
    key = (tmp_path / "data" / "secrets" / "demo.key").read_text().strip()
    assert weir.get("/v1/models", key).status == 200
    weir.stop()


# Models

def test_the_models_of_the_configuration_are_listed(gateway, weir):
    said = weir.run("models", "list").stdout
    assert all(name in said for name in ("gpt-test", "renamed", "other-name", "wild-*", "main"))
    assert {each["name"] for each in weir.run_json("models", "list")} == \
        {"gpt-test", "gpt-3.5-turbo", "renamed", "wild-*"}


def test_a_model_can_be_tested(gateway, weir, upstream):
    weir.environment["WEIR_KEY"] = gateway.key
    try:
        assert weir.run("models", "test", "gpt-test").stdout
        assert len(upstream.calls) == 1
        weir.run("models", "test", "nobody-has-this", code=1)
    finally:
        del weir.environment["WEIR_KEY"]
