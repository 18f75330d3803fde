"""Fitting chats into a model's window: what upstream receives, what the client and the ledger are told."""

import json
import random
import sqlite3

import pytest

from support import answers
from support.upstream import Upstream
from support.weir import wait_until

WINDOW = 400
RESERVE = 100  # a quarter of the window
CODE = "context_length_exceeded"
ROUTES = ("/v1/chat/completions", "/v1/chat", "/v1/chat/stream")


def rule(name, **members):
    return {"name": name, "targets": [{"provider": "main", "model": "gpt-4o"}], **members}


CONFIG = {"models": [
    rule("oldest", window=WINDOW, context={"strategy": "drop_oldest"}),
    rule("middle", window=WINDOW, context={"strategy": "middle_out"}),
    rule("pass", window=WINDOW, context={"strategy": "pass"}),
    rule("default", window=WINDOW),
    rule("reserve", window=WINDOW, context={"strategy": "drop_oldest", "reserve_output": 300}),
    rule("output", window=WINDOW, max_output=20, context={"strategy": "drop_oldest"}),
    rule("unknown", context={"strategy": "drop_oldest"}),
    {"name": "catalogue", "targets": [{"provider": "openai", "model": "gpt-4-0613"}],
     "context": {"strategy": "drop_oldest"}},
]}


def open_fitting(make_gateway):
    """The upstream has a second name, which the catalogue knows."""
    upstream = Upstream()
    openai = {"dialect": "openai", "base_url": upstream.base_url, "api_key": "secret"}
    gateway = make_gateway(CONFIG | {"providers": {"openai": openai}}, upstream=upstream)
    wait_until(lambda: count(gateway, "oldest", []).status == 200, 10, "the encodings")
    return gateway


@pytest.fixture(scope="module")
def fitting(make_gateway):
    return open_fitting(make_gateway)


def count(gateway, model, messages, **members):
    return gateway.ask(path="/v1/chat/completions/count", model=model, messages=messages, **members)


def tokens(gateway, body):
    response = gateway.ask(body, path="/v1/chat/completions/count")
    assert response.status == 200, response
    return json.loads(response.body)["input_tokens"]


def words(number):
    return " word" * number


def turns(number, size=30):
    """Turns of a user and an assistant, and a last question."""
    messages = []
    for at in range(number):
        messages.append({"role": "user", "content": f"{at}" + words(size)})
        messages.append({"role": "assistant", "content": f"re {at}" + words(size)})
    return [*messages, {"role": "user", "content": "And now?"}]


def sent(gateway):
    """What upstream received of the last call."""
    return json.loads(gateway.upstream.calls[-1].body)


def row(gateway, response):
    """The ledger's row of this answer."""
    wanted = bytes.fromhex(response.header("x-request-id").replace("-", ""))

    def find():
        with sqlite3.connect(f"file:{gateway.weir.data_dir}/weir.db?mode=ro", uri=True) as store:
            store.row_factory = sqlite3.Row
            return store.execute("SELECT * FROM usage_logs WHERE id = ?", (wanted,)).fetchone()
    return wait_until(find, 10, "the row")


# What is dropped

def test_the_oldest_turns_go_until_the_rest_fits(fitting):
    messages = [{"role": "system", "content": "Be kind."}, *turns(8)]
    response = fitting.ask(model="oldest", messages=messages)
    assert response.status == 200, response
    kept = sent(fitting)["messages"]
    dropped = len(messages) - len(kept)
    assert dropped > 0 and dropped % 2 == 0
    assert kept == [messages[0], *messages[1 + dropped:]]
    assert response.header("x-weir-context") == f"dropped={dropped}"
    assert row(fitting, response)["context"] == f"dropped={dropped}"


def test_the_middle_goes_first_with_middle_out(fitting):
    messages = turns(8)
    assert fitting.ask(model="middle", messages=messages).status == 200
    kept = sent(fitting)["messages"]
    assert len(kept) < len(messages)
    assert kept[:2] == messages[:2] and kept[-3:] == messages[-3:]


def test_a_chat_that_fits_is_sent_as_it_came(fitting):
    body = b' { "model" : "oldest", "messages" : [ {"role":"user","content":"Hi"} ] , "x":1e2 } '
    response = fitting.ask(body)
    assert response.status == 200 and response.header("x-weir-context") is None
    assert fitting.upstream.call.body == body.replace(b'"oldest"', b'"gpt-4o"')
    assert not row(fitting, response)["context"]


def test_nothing_but_the_dropped_messages_is_changed(fitting):
    old = b'{"role":"user","content":"%s"}' % (b"old " * 600)
    answer = b'{ "role":"assistant", "content":"ok" }'
    system = b'{"role":"system","content":"\\u00e9\\/"}'
    last = '{"content":[{"type":"text","text":"h\u00e9"}] , "role":"user", "odd": 1.0}'.encode()
    start = b'\n{"n":1,"model":"oldest","messages" : [ '
    end = b'\t ] ,\n "unknown":[[],{}], "temperature":0.70 }\n'
    body = start + old + b" , " + answer + b"\n,\n" + system + b" ,\t" + last + end
    assert fitting.ask(body).status == 200
    expected = start + system + b" ,\t" + last + end
    assert fitting.upstream.call.body == expected.replace(b'"oldest"', b'"gpt-4o"')


@pytest.mark.parametrize("path", ROUTES)
def test_the_short_form_is_fitted_by_default_and_openais_route_is_not(fitting, path):
    messages = turns(8)
    response = fitting.ask(path=path, model="default", messages=messages)
    assert response.status in (200, 500)  # 500: this upstream answers no stream here
    is_fitted = len(sent(fitting)["messages"]) < len(messages)
    assert is_fitted == (path != "/v1/chat/completions")


def test_with_pass_nothing_is_dropped(fitting):
    messages = turns(30)
    for path in ROUTES[:2]:
        response = fitting.ask(path=path, model="pass", messages=messages)
        assert response.status == 200 and response.header("x-weir-context") is None
        assert sent(fitting)["messages"] == messages


def test_where_nobody_knows_the_window_nothing_is_dropped(fitting):
    messages = turns(200)
    assert fitting.ask(model="unknown", messages=messages).status == 200
    assert sent(fitting)["messages"] == messages


def test_the_catalogues_window_holds_where_the_rule_states_none(fitting):
    messages = turns(100, size=50)  # some 10,800 tokens, of 8,192
    response = fitting.ask(model="catalogue", messages=messages)
    assert response.status == 200 and response.header("x-weir-context")
    body = fitting.upstream.call.body
    assert 8192 - 1024 - 300 < tokens(fitting, body.replace(b"gpt-4-0613", b"catalogue")) <= 8192 - 1024


def test_a_stream_is_fitted_and_says_so(fitting):
    fitting.upstream.answer_always(answers.as_a_provider)
    messages = turns(8)
    response = fitting.stream(path="/v1/chat/stream", model="default", messages=messages)
    assert response.status == 200
    dropped = len(messages) - len(sent(fitting)["messages"])
    assert dropped > 0 and response.header("x-weir-context") == f"dropped={dropped}"
    assert row(fitting, response)["context"] == f"dropped={dropped}"


def test_a_repeated_call_sends_what_was_fitted(make_gateway):
    gateway = open_fitting(make_gateway)

    def refuses(request):
        if "stream_options" in json.loads(request.body):
            return answers.error(400, "no stream_options here")
        return answers.stream(answers.events(["a"]))
    gateway.upstream.answer_always(refuses)
    messages = turns(8)
    assert gateway.stream(model="oldest", messages=messages).status == 200
    first, second = (json.loads(call.body) for call in gateway.upstream.calls)
    assert first["messages"] == second["messages"] and len(first["messages"]) < len(messages)


# The room for the answer

@pytest.mark.parametrize("model,members,reserve", [
    ("oldest", {}, RESERVE),
    ("oldest", {"max_tokens": 10}, 10),
    ("oldest", {"max_tokens": 10, "max_completion_tokens": 250}, 250),
    ("oldest", {"max_tokens": None}, RESERVE),
    ("reserve", {}, 300),
    ("reserve", {"max_tokens": 50}, 50),
    ("output", {}, 20),
    ("output", {"max_tokens": 350}, 20),
])
def test_the_room_for_the_answer_is_the_requests_else_the_rules(fitting, model, members, reserve):
    assert fitting.ask(model=model, messages=turns(60, size=2), **members).status == 200
    got = fitting.upstream.call.body.replace(b"gpt-4o", model.encode())
    assert WINDOW - reserve - 25 < tokens(fitting, got) <= WINDOW - reserve


# What cannot fit

def test_what_cannot_fit_is_refused_in_openais_words(fitting):
    response = fitting.ask(model="oldest", messages=turns(1, size=3) + [
        {"role": "user", "content": words(1000)}])
    assert response.status == 400 and not fitting.upstream.calls
    error = response.error
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", CODE,
                                                              "messages")
    assert error["message"].startswith(f"This model's maximum context length is {WINDOW} tokens. "
                                       "However, your messages resulted in 1")


def test_too_large_an_answer_is_refused_with_both_numbers(fitting):
    response = fitting.ask(model="oldest", messages=[{"role": "user", "content": "Hi"}],
                           max_tokens=395)
    assert response.status == 400 and response.error["code"] == CODE
    assert response.error["message"] == (
        "This model's maximum context length is 400 tokens. However, you requested 403 tokens (8 in "
        "the messages, 395 in the completion). Please reduce the length of the messages or "
        "completion.")


@pytest.mark.parametrize("path", ROUTES[1:])
def test_the_short_form_refuses_with_a_detail(fitting, path):
    response = fitting.ask(path=path, model="default",
                           messages=[{"role": "user", "content": words(1000)}])
    assert response.status == 400 and not fitting.upstream.calls
    assert json.loads(response.body)["detail"].startswith("This model's maximum context length is")


@pytest.mark.parametrize("members", [{"messages": []}, {"tools": [{"type": "function", "function": {
    "name": "f", "description": words(1000)}}]}])
def test_tools_count_and_are_never_dropped(fitting, members):
    response = fitting.ask(model="oldest", **({"messages": turns(1)} | members))
    assert response.status == (400 if "tools" in members else 200)


def test_pictures_are_not_overlooked(fitting):
    for key in ('"image_url"', '"\\u0069mage_url"', '"image\\u005furl"'):
        body = ('{"model":"oldest","messages":[{"role":"user","content":[{"type":"image_url",%s:'
                '{"url":"x"}}]}]}' % key).encode()
        assert fitting.ask(body).status == 400, key  # the largest counts 1,445


# Counting

def test_the_count_is_that_of_the_model_and_calls_nobody(fitting):
    messages = [{"role": "user", "content": "Hi"}]
    response = count(fitting, "oldest", messages)
    assert response.status == 200
    assert json.loads(response.body) == {"input_tokens": 8, "model": "oldest", "estimated": False}
    tools = [{"type": "function", "function": {"name": "f", "parameters": {
        "type": "object", "properties": {"a": {"type": "object", "properties": {}}}}}}]
    assert json.loads(count(fitting, "oldest", messages, tools=tools).body)["estimated"]
    assert not fitting.upstream.calls


def test_counting_needs_a_key_and_a_model_that_it_may_use(fitting):
    path = "/v1/chat/completions/count"
    assert fitting.ask(path=path, key="sk-wrong").status == 401
    assert count(fitting, "nobody-knows", []).error["code"] == "model_not_found"
    assert fitting.ask(b'{"model":"oldest"}', path=path).error["param"] == "messages"
    assert fitting.ask(path=path[3:], model="oldest").status == 200
    assert fitting.weir.get(path, fitting.key).status == 405


def test_the_command_counts_as_the_route_does(fitting, tmp_path):
    body = {"model": "gpt-4o", "messages": turns(20)}
    file = tmp_path / "request.json"
    file.write_text(json.dumps(body))
    counted = fitting.weir.run_json("models", "count", str(file))
    assert counted["input_tokens"] == tokens(fitting, json.dumps(body | {"model": "oldest"}).encode())
    assert (counted["model"], counted["estimated"]) == ("gpt-4o", False)
    file.write_text("hello world")
    assert fitting.weir.run_json("models", "count", str(file))["input_tokens"] == 2
    assert "gpt-4 " in fitting.weir.run("models", "count", str(file), "--model", "gpt-4").stdout
    fitting.weir.run("models", "count", str(tmp_path / "nothing"), code=2)


# Whatever the conversation

ALPHABET = ["word ", "\u00e9\u00e8", "\U0001f600", '"', "\\", "\n", "{}[],", "data: ", "   "]


class Conversation:
    """Any conversation that a client may send, and how it is written."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.messages = []
        self.calls = 0
        for _ in range(self.random.randrange(2)):
            self.add("system")
        for _ in range(self.random.randrange(1, 12)):
            self.turn()
        self.add("user")

    def text(self, size=None):
        size = self.random.randrange(25) if size is None else size
        return "".join(self.random.choice(ALPHABET) for _ in range(size))

    def add(self, role, **members):
        content = self.text()
        if role == "user" and self.random.random() < 0.2:
            content = [{"type": "text", "text": content}, {"type": "text", "text": self.text(3)}]
        self.messages.append({"role": role, "content": content, **members})

    def turn(self):
        for _ in range(self.random.choice([1, 1, 1, 2])):
            self.add("user")
        if self.random.random() < 0.1:
            self.add(self.random.choice(["system", "developer"]))
        for _ in range(self.random.randrange(3)):
            self.tools()
        self.add("assistant")

    def tools(self):
        ids = [f"call_{self.calls + at}" for at in range(self.random.randrange(1, 4))]
        self.calls += len(ids)
        self.add("assistant", tool_calls=[
            {"id": each, "type": "function", "function": {"name": "f", "arguments": self.text(4)}}
            for each in ids])
        for each in ids:
            self.add("tool", tool_call_id=each)

    def space(self):
        return self.random.choice(["", "", "", " ", "\n", "\t ", "  "])

    def write(self, model):
        """The pieces of the body: before the messages, each message with what follows it, the rest."""
        start = f'{self.space()}{{{self.space()}"model":{self.space()}"{model}","messages":['
        start += self.space()
        parts = []
        for message in self.messages:
            raw = json.dumps(message, ensure_ascii=self.random.random() < 0.5,
                             separators=self.random.choice([(",", ":"), (", ", ": ")]))
            is_last = message is self.messages[-1]
            parts.append(raw + self.space() + ("" if is_last else "," + self.space()))
        end = f'],{self.space()}"seed":1{self.space()}}}{self.space()}'
        return start.encode(), [part.encode() for part in parts], end.encode()


def check_conversation(before, after):
    """`after` is a part of `before` that a model can read."""
    rest = iter(before)
    assert all(any(each == other for other in rest) for each in after), "no part of it, in order"
    assert after[-1] == before[-1]
    assert [each for each in before if each["role"] in ("system", "developer")] == \
        [each for each in after if each["role"] in ("system", "developer")]
    talk = [each for each in after if each["role"] not in ("system", "developer")]
    assert talk[0]["role"] == "user"
    known = set()
    for message in talk:
        known |= {call["id"] for call in message.get("tool_calls", ())}
        assert message["role"] != "tool" or message["tool_call_id"] in known
    answered = {each["tool_call_id"] for each in talk if each["role"] == "tool"}
    assert answered == known


@pytest.mark.parametrize("seed", range(60))
def test_what_upstream_gets_fits_is_a_conversation_and_else_the_clients_bytes(fitting, seed):
    conversation = Conversation(seed)
    model = conversation.random.choice(["oldest", "middle"])
    start, parts, end = conversation.write(model)
    response = fitting.ask(start + b"".join(parts) + end)
    if response.status == 400:
        assert response.error["code"] == CODE and not fitting.upstream.calls
        return
    assert response.status == 200, response
    got = fitting.upstream.call.body.replace(b'"gpt-4o"', b'"%s"' % model.encode())
    assert tokens(fitting, got) <= WINDOW - RESERVE
    after = json.loads(got)["messages"]
    check_conversation(conversation.messages, after)
    dropped = len(parts) - len(after)
    assert response.header("x-weir-context") == (f"dropped={dropped}" if dropped else None)
    # Equal messages may be written in two ways, so a client's own bytes are looked for in order.
    rest, wanted = got[len(start):len(got) - len(end)], list(parts)
    assert got.startswith(start) and got.endswith(end)
    while rest:
        part = next(each for each in wanted if rest.startswith(each))
        del wanted[:wanted.index(part) + 1]
        rest = rest[len(part):]
