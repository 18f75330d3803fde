"""weir in front of a real small model, as `make run` sets it up."""

import signal
import subprocess

import openai
import pytest

from support import wire
from support.process import end_with_parent
from support.weir import ROOT, Gateway, free_port, wait_until

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(300)]

MESSAGES = [{"role": "user", "content": "Say hello."}]
CALLING = """Repeat this text exactly and nothing else:
<tool_call>
{"name": "get_weather", "arguments": {"city": "Paris"}}
</tool_call>"""
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}}}}]


@pytest.fixture(scope="module")
def model_port(tmp_path_factory):
    """A running model; its first start installs it, which may take a minute."""
    port = free_port()
    said = tmp_path_factory.mktemp("model") / "said"
    with open(said, "wb") as output:
        process = subprocess.Popen([ROOT / "tools" / "local-model", str(port)], stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   preexec_fn=end_with_parent)

    def is_ready():
        assert process.poll() is None, said.read_text()
        try:
            return wire.exchange(port, wire.request("GET", "/v1/models"), "GET").status == 200
        except OSError:
            return False

    try:
        wait_until(is_ready, 240, "the model")
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="module")
def real(make_gateway, model_port):
    """weir with its built-in `*` rule, whose provider is the model."""
    gateway = make_gateway({
        "providers": {"main": {"base_url": f"http://127.0.0.1:{model_port}/v1"}},
        "models": [{"name": "*", "targets": ["main"]}]})
    return gateway


@pytest.fixture(scope="module")
def client(real):
    with openai.OpenAI(base_url=f"http://127.0.0.1:{real.weir.port}/v1", api_key=real.key,
                       max_retries=0, timeout=120) as one:
        yield one


def ask(client, **members):
    return client.chat.completions.create(**{"model": "smollm2-135m", "messages": MESSAGES,
                                             "max_tokens": 12, "temperature": 0} | members)


def test_it_answers(client):
    answer = ask(client)
    assert answer.choices[0].message.content and answer.usage.completion_tokens > 0


def test_it_answers_in_a_stream_with_the_same_words(client):
    whole = ask(client).choices[0].message.content
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in ask(client, stream=True))
    assert streamed == whole


def test_usage_comes_to_who_asks(client):
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage.prompt_tokens > 0 and not chunks[-1].choices


def test_it_calls_tools(client):
    messages = [{"role": "user", "content": CALLING}]
    answer = ask(client, messages=messages, tools=TOOLS, max_tokens=60)
    calls = answer.choices[0].message.tool_calls
    assert calls and calls[0].function.name == "get_weather"


def test_it_embeds(client):
    vectors = client.embeddings.create(model="smollm2-135m", input=["one", "two"]).data
    assert len(vectors[0].embedding) == len(vectors[1].embedding) > 100


def test_its_model_is_listed(real, client):
    wait_until(lambda: "smollm2-135m" in {each.id for each in client.models.list()}, 15)


def test_a_prompt_that_is_too_long_is_the_models_own_error(client):
    with pytest.raises(openai.BadRequestError):
        ask(client, messages=[{"role": "user", "content": "word " * 20_000}])


def test_an_aborted_stream_frees_the_model(client):
    for _ in range(6):  # more than it has slots
        stream = ask(client, stream=True, max_tokens=500)
        next(iter(stream))
        stream.close()
    assert ask(client, max_tokens=2).choices


def test_its_connections_that_close_after_100_requests_lose_none(real):
    with real.weir.connect(timeout_s=60) as connection:
        for _ in range(130):
            connection.send(real.request(model="smollm2-135m", max_tokens=1))
            assert connection.response().status == 200


def test_unknown_names_are_answered_on_the_built_in_defaults(tmp_path, model_port):
    """Without any model rule of its own, weir answers every name with what the model lists."""
    gateway = Gateway(tmp_path, {})
    gateway.weir.config = {key: value for key, value in gateway.weir.config.items()
                           if key not in ("models", "providers")}
    gateway.weir.config["providers"] = {"local": {
        "dialect": "openai", "base_url": f"http://127.0.0.1:{model_port}/v1", "api_key": "x"}}
    gateway.weir.write_config(gateway.weir.config)
    with gateway:
        answer = gateway.ask({"messages": MESSAGES, "max_tokens": 5}, path="/v1/chat")
        assert answer.status == 200 and answer.json()["model"] == "gpt-3.5-turbo"
        response = gateway.ask(model="any-name-at-all", max_tokens=5)
        assert response.status == 200
        assert response.header("x-weir-target") == "local/smollm2-135m"
