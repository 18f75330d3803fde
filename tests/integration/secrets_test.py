"""Credentials of providers in the store: sealed, in force at once, and nowhere in the clear."""

import base64
import contextlib
import http.client
import json
import signal
import sqlite3
import threading

import pytest

from support import admin_socket, answers
from support.weir import merge, wait_until

SECRET = "sk-upstream-4f9d2c7a81e35b60"
OTHER = "sk-upstream-another-0a1b2c3d"


@pytest.fixture
def keyless(make_gateway):
    """A gateway whose provider `main` has no credential in the file."""
    def make(config=None, **options):
        gateway = make_gateway(config, **options)
        file = merge(gateway.weir.config, {})
        del file["providers"]["main"]["api_key"]
        gateway.weir.config = file
        gateway.weir.write_config(file)
        gateway.weir.stop()
        gateway.weir.start()
        gateway.upstream.answer_always(answers.chat())
        return gateway
    return make


def credential_of_a_call(gateway):
    before = len(gateway.upstream.calls)
    assert gateway.ask().status == 200
    return gateway.upstream.wait_for_calls(before + 1)[-1].header("authorization")


def set_secret(gateway, value=SECRET, provider="main", **options):
    return gateway.weir.run("secrets", "set", provider, stdin=value + "\n", **options)


def rows(gateway, what="*"):
    with sqlite3.connect(f"file:{gateway.weir.data_dir}/weir.db?mode=ro", uri=True) as database:
        return database.execute(f"SELECT {what} FROM secrets ORDER BY provider").fetchall()


def everything_kept(gateway):
    """All bytes of the data directory and of what the program has said."""
    files = [path for path in gateway.weir.data_dir.rglob("*") if path.is_file()]
    said = [gateway.weir.stderr_path, gateway.weir.stdout_path]
    return b"".join(path.read_bytes() for path in files + said)


def test_a_secret_holds_at_once_and_after_a_restart(keyless):
    gateway = keyless()
    assert credential_of_a_call(gateway) is None
    said = set_secret(gateway).stdout
    assert SECRET not in said and SECRET[-4:] in said
    assert credential_of_a_call(gateway) == f"Bearer {SECRET}"
    set_secret(gateway, OTHER)
    assert credential_of_a_call(gateway) == f"Bearer {OTHER}"
    gateway.weir.stop()
    gateway.weir.start()
    assert credential_of_a_call(gateway) == f"Bearer {OTHER}"
    gateway.weir.run("secrets", "delete", "main")
    assert credential_of_a_call(gateway) is None


def test_a_secret_outlasts_a_reload_of_the_file(keyless):
    gateway = keyless()
    set_secret(gateway)
    gateway.weir.send_signal(signal.SIGHUP)
    gateway.weir.wait_for_log(lambda line: line["message"].startswith("reloaded"))
    assert credential_of_a_call(gateway) == f"Bearer {SECRET}"


def test_a_file_that_was_edited_and_not_reloaded_is_not_read_by_a_change(keyless):
    gateway = keyless()
    gateway.weir.write_config("nonsense: [")
    set_secret(gateway, code=2)  # the command itself reads the file
    assert admin_socket.call(gateway.weir, "PUT", "/secrets/main", {"value": SECRET}).status == 200
    assert credential_of_a_call(gateway) == f"Bearer {SECRET}"
    gateway.weir.write_config(gateway.weir.config)


def test_the_plain_text_is_nowhere(keyless):
    gateway = keyless()
    set_secret(gateway)
    answered = [set_secret(gateway).stdout,
                admin_socket.call(gateway.weir, "PUT", "/secrets/main", {"value": SECRET}).text,
                admin_socket.call(gateway.weir, "GET", "/secrets").text,
                admin_socket.call(gateway.weir, "GET", "/providers").text,
                admin_socket.call(gateway.weir, "GET", "/providers/main").text,
                admin_socket.call(gateway.weir, "PUT", "/secrets/nobody", {"value": SECRET}).text,
                admin_socket.call(gateway.weir, "POST", "/secrets/rotate-master").text,
                gateway.weir.run("config", "show").stdout,
                gateway.weir.run("models", "list").stdout,
                gateway.weir.run("audit", "tail", "--json").stdout,
                gateway.weir.run("secrets", "list").stdout]
    assert credential_of_a_call(gateway) == f"Bearer {SECRET}"
    gateway.weir.stop()
    kept = everything_kept(gateway) + "".join(answered).encode()
    gateway.weir.start()
    plain = SECRET.encode()
    for form in [plain, plain[:-4], base64.b64encode(plain)[:-4], plain.hex().encode()]:
        assert form not in kept
    entries = gateway.weir.run_json("audit", "tail")
    told = [(each["action"], each["subject"], json.loads(each["details"])
             if isinstance(each["details"], str) else each["details"])
            for each in entries if each["action"].startswith("secret.")]
    assert ("secret.set", "main", {"provider": "main"}) in told
    assert any(action == "secret.rotate_master" for action, _, _ in told)
    gateway.weir.run("audit", "verify")


def test_the_list_says_whose_and_no_more(keyless):
    gateway = keyless()
    assert gateway.weir.run_json("secrets", "list") == []
    set_secret(gateway, "elevenbytes")
    item, = gateway.weir.run_json("secrets", "list")
    assert item["provider"] == "main" and item["hint"] is None and len(item["master_id"]) == 16
    set_secret(gateway, "twelve-bytes")
    assert gateway.weir.run_json("secrets", "list")[0]["hint"] == "ytes"
    assert gateway.weir.run_json("secrets", "list")[0]["updated_at"] >= item["updated_at"]


@pytest.mark.parametrize("value", ["", "\n", "two\nlines", "bell\a", " led", "led "])
def test_what_is_no_credential_is_refused(keyless, value):
    gateway = keyless()
    set_secret(gateway, value, code=2)
    assert admin_socket.call(gateway.weir, "PUT", "/secrets/main", {"value": value}).status == 400
    assert rows(gateway) == []


def test_the_file_s_own_key_goes_first(make_gateway):
    gateway = make_gateway()
    lines = gateway.weir.config_path.read_text().splitlines()
    line = next(at for at, text in enumerate(lines, 1) if "api_key" in text)
    answer = admin_socket.call(gateway.weir, "PUT", "/secrets/main", {"value": SECRET})
    assert answer.status == 409 and f"weir.yaml:{line}" in answer.detail, answer
    assert SECRET not in answer.text
    assert "goes first" in set_secret(gateway, code=1).stderr


def test_a_key_in_the_environment_goes_first(make_gateway):
    gateway = make_gateway(environment={"OPENAI_API_KEY": "sk-of-the-environment"})
    answer = admin_socket.call(gateway.weir, "PUT", "/secrets/openai", {"value": SECRET})
    assert answer.status == 409 and "OPENAI_API_KEY" in answer.detail
    other = make_gateway()
    assert admin_socket.call(other.weir, "PUT", "/secrets/openai", {"value": SECRET}).status == 200


def test_an_unknown_provider_gets_none_and_a_name_nearby(keyless):
    gateway = keyless()
    answer = admin_socket.call(gateway.weir, "PUT", "/secrets/mian", {"value": SECRET})
    assert answer.status == 404 and "'main'" in answer.detail
    assert admin_socket.call(gateway.weir, "DELETE", "/secrets/main").status == 404


def test_a_secret_may_be_set_while_no_server_runs(keyless):
    gateway = keyless()
    gateway.weir.stop()
    set_secret(gateway)
    gateway.weir.start()
    assert credential_of_a_call(gateway) == f"Bearer {SECRET}"


# The master key


def test_another_master_key_seals_all_anew(keyless):
    gateway = keyless()
    set_secret(gateway)
    key_file = gateway.weir.data_dir / "secrets" / "master.key"
    assert key_file.stat().st_mode & 0o777 == 0o600
    former_key, former = key_file.read_text(), rows(gateway, "master_id, sealed")
    done = gateway.weir.run_json("secrets", "rotate-master")
    assert done["secrets"] == 1 and done["saved"] is True
    assert key_file.read_text() != former_key
    assert not (gateway.weir.data_dir / "secrets" / "master.key.next").exists()
    now = rows(gateway, "master_id, sealed")
    assert now[0][0] != former[0][0] and now[0][1] != former[0][1]
    assert credential_of_a_call(gateway) == f"Bearer {SECRET}"
    gateway.weir.stop()
    gateway.weir.start()
    assert credential_of_a_call(gateway) == f"Bearer {SECRET}"


def test_a_rotation_that_was_cut_off_is_taken_up(keyless):
    gateway = keyless()
    secrets = gateway.weir.data_dir / "secrets"
    set_secret(gateway)
    former = (secrets / "master.key").read_text()
    gateway.weir.run("secrets", "rotate-master")
    gateway.weir.kill()
    # As after the transaction, before the file has its name.
    (secrets / "master.key").rename(secrets / "master.key.next")
    (secrets / "master.key").write_text(former)
    (secrets / "master.key").chmod(0o600)
    gateway.weir.start()
    assert credential_of_a_call(gateway) == f"Bearer {SECRET}"
    assert not (secrets / "master.key.next").exists()
    # As before the transaction: a next key that nothing is sealed under.
    gateway.weir.kill()
    (secrets / "master.key.next").write_text("ab" * 32)
    (secrets / "master.key.next").chmod(0o600)
    gateway.weir.start()
    assert credential_of_a_call(gateway) == f"Bearer {SECRET}"


def test_a_kill_at_any_moment_of_a_rotation_loses_nothing(keyless):
    gateway = keyless()
    set_secret(gateway)
    for wait_ms in [1, 2, 3, 5, 8, 13, 21]:
        threading.Timer(wait_ms / 1000, gateway.weir.process.kill).start()
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            while True:  # until it is killed
                admin_socket.call(gateway.weir, "POST", "/secrets/rotate-master")
        gateway.weir.kill()
        gateway.weir.start()
        assert credential_of_a_call(gateway) == f"Bearer {SECRET}"


def test_a_wrong_master_key_is_said_clearly(keyless):
    gateway = keyless()
    set_secret(gateway)
    gateway.weir.stop()
    gateway.weir.environment["WEIR_MASTER_KEY"] = "cd" * 32
    gateway.weir.spawn()
    assert gateway.weir.wait() == 1
    gateway.weir.process = None
    said = gateway.weir.stderr().splitlines()[-1]
    assert "provider main is sealed under another master key" in said and "WEIR_MASTER_KEY" in said
    assert "cdcd" not in said
    set_secret(gateway, OTHER)  # of the only one: it is sealed anew, under the key of today
    gateway.weir.start()
    assert credential_of_a_call(gateway) == f"Bearer {OTHER}"
    del gateway.weir.environment["WEIR_MASTER_KEY"]
    gateway.weir.stop()
    gateway.weir.run("secrets", "delete", "main")
    gateway.weir.start()


def test_a_missing_master_key_is_not_made_anew(keyless):
    gateway = keyless()
    set_secret(gateway)
    gateway.weir.stop()
    key_file = gateway.weir.data_dir / "secrets" / "master.key"
    key = key_file.read_text()
    key_file.unlink()
    gateway.weir.spawn()
    assert gateway.weir.wait() == 1
    gateway.weir.process = None
    assert "master.key is missing" in gateway.weir.stderr().splitlines()[-1]
    set_secret(gateway, OTHER, code=1)
    key_file.write_text(key)
    key_file.chmod(0o600)
    gateway.weir.start()


@pytest.mark.parametrize("form", ["environment", "file", "raw file", "credential"])
def test_the_master_key_may_come_from_elsewhere(keyless, tmp_path, form):
    key = bytes(range(7, 39))
    config, environment = {}, {}
    if form == "environment":
        environment["WEIR_MASTER_KEY"] = base64.b64encode(key).decode()
    elif form == "credential":
        (tmp_path / "weir-master-key").write_text(key.hex() + "\n")
        environment["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    else:
        (tmp_path / "key").write_bytes(key if form == "raw file" else key.hex().encode() + b"\n")
        config["secrets"] = {"master_key": f"file:{tmp_path}/key"}
    gateway = keyless(config, environment=environment)
    set_secret(gateway)
    assert not (gateway.weir.data_dir / "secrets" / "master.key").exists()
    gateway.weir.stop()
    gateway.weir.start()
    assert credential_of_a_call(gateway) == f"Bearer {SECRET}"
    assert key.hex() not in gateway.weir.run("config", "show").stdout
    # A new one has to be given, since weir cannot put it there.
    assert "give the new one" in gateway.weir.run("secrets", "rotate-master", code=1).stderr
    (tmp_path / "next").write_text("ef" * 32)
    done = gateway.weir.run_json("secrets", "rotate-master", "--new-key-file", str(tmp_path / "next"))
    assert done["secrets"] == 1 and done["saved"] is False
    assert credential_of_a_call(gateway) == f"Bearer {SECRET}"
    # Until it is put there, nothing may be sealed beside it under the former one.
    wait_until(lambda: admin_socket.call(gateway.weir, "PUT", "/secrets/local", {"value": OTHER}).status
               == 409, 2, "the refusal")


def test_a_row_that_was_moved_does_not_open(keyless):
    gateway = keyless()
    set_secret(gateway)
    gateway.weir.stop()
    with sqlite3.connect(gateway.weir.data_dir / "weir.db") as database:
        database.execute("UPDATE secrets SET provider = 'local'")
    gateway.weir.spawn()
    assert gateway.weir.wait() == 1
    gateway.weir.process = None
    assert "was changed or moved" in gateway.weir.stderr().splitlines()[-1]
    gateway.weir.run("secrets", "delete", "local")
    gateway.weir.start()


def test_commands_show_that_there_is_one(keyless):
    gateway = keyless()
    set_secret(gateway)
    shown = {each["key"]: each for each in gateway.weir.run_json("config", "show")["settings"]}
    assert shown["providers.main.api_key"]["from"] == "store"
    assert shown["providers.main.api_key"]["value"] == "***"
    model = gateway.weir.run_json("models", "list")[0]
    assert model["targets"][0]["credential"] == "set"
