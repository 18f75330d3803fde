"""Limits at each level, and weir with all of them, for support.overload."""

import contextlib

from support import answers, wire
from support.admin_socket import call
from support.overload import Lane
from support.weir import Weir

PER_S = 100
REQUESTS = f"{60 * PER_S}req/min"
INPUT, OUTPUT = 9, 50  # tokens of a request
TOKENS = f"{60 * PER_S * (INPUT + OUTPUT)}tok/min"
LANES = ("key", "user", "team", "model", "provider", "tokens", "gateway")
WAITED_PER_S = 50
ANSWER = b"".join(answers.chat(usage={"prompt_tokens": INPUT, "completion_tokens": OUTPUT,
                                      "total_tokens": INPUT + OUTPUT}))


def answer(call):
    call.answer([ANSWER])


def make_key(weir, name, **limits):
    """Of a new team and user; limits of each level by its name."""
    def make(path, level, **members):
        made = call(weir, "POST", path, members | {"limits": limits.get(level, [])})
        assert made.status == 201, made.text
        return made.body

    make("/teams", "team", name=name)
    make("/users", "user", name=name, team=name)
    return make("/keys", "key", user=name)["key"]


def request(key, model="plain"):
    body = {"model": model, "max_tokens": OUTPUT, "messages": [{"role": "user", "content": "Hi"}]}
    return wire.request("POST", "/v1/chat/completions", body, key)


def configuration(stage, **more):
    provider = {"dialect": "openai", "base_url": stage.base_url, "api_key": "sk-provider"}
    return {"workers": 2,
            "providers": {"main": provider, "limited": provider | {"limits": [REQUESTS]}},
            "models": [{"name": "plain", "targets": ["main"]},
                       {"name": "by-model", "targets": ["main"], "limits": [REQUESTS]},
                       {"name": "by-provider", "targets": ["limited"]}]} | more


@contextlib.contextmanager
def gateways(stage, folder):
    """A lane for each level; the whole gateway's has a gateway of its own."""
    for name in ("levels", "whole"):
        (folder / name).mkdir()
    with Weir(folder / "levels", configuration(stage)) as weir, \
            Weir(folder / "whole", configuration(stage, limits=[REQUESTS])) as whole:
        data = {level: request(make_key(weir, level, **{level: [REQUESTS]}))
                for level in ("key", "user", "team")}
        data["model"] = request(make_key(weir, "model"), "by-model")
        data["provider"] = request(make_key(weir, "provider"), "by-provider")
        data["tokens"] = request(make_key(weir, "tokens", key=[TOKENS]))
        lanes = [Lane(stage, name, weir.port, each, PER_S) for name, each in data.items()]
        lanes.append(Lane(stage, "gateway", whole.port, request(make_key(whole, "gateway")), PER_S))
        yield lanes


@contextlib.contextmanager
def waited_gateway(stage, folder):
    """(Its port, a request of a key that admits WAITED_PER_S)."""
    with Weir(folder, configuration(stage)) as weir:
        yield weir.port, request(make_key(weir, "waits", key=[f"{60 * WAITED_PER_S}req/min"]))
