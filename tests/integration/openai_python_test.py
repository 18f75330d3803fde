"""The official Python client against weir: what applications do, and the errors that they catch."""

import asyncio
import json
import threading

import openai
import pytest

from support import answers
from support.upstream import Close, Gate, Pause

MESSAGES = [{"role": "user", "content": "Hi"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}}}}]


@pytest.fixture
def client(gateway, weir):
    with openai.OpenAI(base_url=f"http://127.0.0.1:{weir.port}/v1", api_key=gateway.key,
                       max_retries=0, timeout=20) as one:
        yield one


@pytest.fixture(autouse=True)
def as_a_provider(upstream):
    upstream.answer_always(answers.as_a_provider)


def chat(client, **members):
    return client.chat.completions.create(**{"model": "gpt-test", "messages": MESSAGES} | members)


def test_a_whole_answer(client):
    answer = chat(client)
    assert answer.choices[0].message.content == "Hello there"
    assert answer.usage.total_tokens == 7
    assert answer._request_id


def test_a_streamed_answer_has_no_usage_chunk(client):
    chunks = list(chat(client, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello there"


def test_a_streamed_answer_with_usage(client):
    chunks = list(chat(client, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage.total_tokens == 7 and not chunks[-1].choices


def test_tools_are_called(client, upstream):
    call = chat(client, tools=TOOLS).choices[0].message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("get_weather", '{"city":"Paris"}')
    assert json.loads(upstream.call.body)["tools"] == TOOLS


def test_tools_are_called_in_a_stream(client):
    arguments = "".join(call.function.arguments for chunk in chat(client, tools=TOOLS, stream=True)
                        for call in chunk.choices[0].delta.tool_calls or [])
    assert arguments == '{"city":"Paris"}'


def test_the_streaming_helper_puts_the_answer_together(client):
    with client.chat.completions.stream(model="gpt-test", messages=MESSAGES) as stream:
        answer = stream.get_final_completion()
    assert answer.choices[0].message.content == "Hello there"


def test_embeddings_in_base64_are_decoded(client, upstream):
    answer = client.embeddings.create(model="gpt-test", input=["a", "b"])
    assert [each.embedding for each in answer.data] == [[1.0, 2.0, 3.0]] * 2
    assert json.loads(upstream.call.body)["encoding_format"] == "base64"


def test_moderations_and_models(client):
    assert client.moderations.create(model="gpt-test", input="x").results[0].flagged is False
    names = {model.id for model in client.models.list()}
    assert {"gpt-test", "renamed"} <= names
    assert client.models.retrieve("gpt-test").id == "gpt-test"


def test_the_raw_answer_shows_weirs_headers(client):
    raw = client.chat.completions.with_raw_response.create(model="renamed", messages=MESSAGES)
    assert raw.headers["x-weir-target"] == "main/other-name"
    assert raw.parse().choices[0].message.content == "Hello there"


def test_large_prompts_and_unicode(client, upstream):
    content = "é\U0001f600\u2028" * 100_000
    chat(client, messages=[{"role": "user", "content": content}])
    assert json.loads(upstream.call.body)["messages"][0]["content"] == content


# Errors

def test_a_bad_key_is_an_authentication_error(client):
    with pytest.raises(openai.AuthenticationError) as caught:
        chat(client.with_options(api_key="sk-weir-unknown"))
    assert caught.value.code == "invalid_api_key"


def test_an_unknown_model_is_a_not_found_error(client):
    with pytest.raises(openai.NotFoundError) as caught:
        chat(client, model="nobody-has-this")
    assert caught.value.code == "model_not_found"


def test_a_bad_request_names_its_parameter(client):
    with pytest.raises(openai.BadRequestError) as caught:
        chat(client, stream=True, extra_body={"Model": "x"})
    assert caught.value.param == "model"


@pytest.mark.parametrize("status,kind", [
    (400, openai.BadRequestError), (409, openai.ConflictError), (404, openai.NotFoundError),
    (422, openai.UnprocessableEntityError), (429, openai.RateLimitError),
    (500, openai.InternalServerError), (503, openai.InternalServerError)])
def test_a_providers_error_is_the_same_error_as_without_weir(client, upstream, status, kind):
    upstream.answer_always(answers.error(status, "of the provider", code="its_code"))
    with pytest.raises(kind) as caught:
        chat(client)
    assert caught.value.code == "its_code" and "of the provider" in str(caught.value)


def test_a_provider_that_refuses_weir_is_not_the_applications_mistake(client, upstream):
    upstream.answer_always(answers.error(401))
    with pytest.raises(openai.InternalServerError) as caught:
        chat(client)
    assert caught.value.status_code == 502


def test_a_broken_stream_raises_after_what_was_delivered(client, upstream):
    upstream.answer([*answers.stream(answers.events(["Hel", "lo"])[:1])[:-1], Pause(0.05), Close()])
    words = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in chat(client, stream=True):
            words.append(chunk.choices[0].delta.content)
    assert words == ["Hel"] and caught.value.type == "upstream_error"


def test_retries_of_the_client_work(gateway, client, upstream):
    upstream.answer(answers.error(503, headers=[("retry-after-ms", "1")]),
                    answers.error(429, headers=[("retry-after", "0")]))
    assert chat(client.with_options(max_retries=2)).usage.total_tokens == 7
    assert len(upstream.calls) == 3


def test_an_aborted_stream_ends_the_call(client, upstream):
    upstream.answer([*answers.stream()[:2], Pause(30)])
    stream = chat(client, stream=True)
    assert next(iter(stream)).choices[0].delta.content == "Hel"
    stream.close()
    assert upstream.calls[0].connection.peer_closed.wait(1)


def test_a_client_that_gives_up_ends_the_call(client, upstream):
    upstream.answer([Pause(30)])
    with pytest.raises(openai.APITimeoutError):
        chat(client, timeout=0.3)
    assert upstream.calls[0].connection.peer_closed.wait(1)


# The asynchronous client

def run_async(gateway, weir, work):
    async def run():
        async with openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{weir.port}/v1", timeout=20,
                                      api_key=gateway.key, max_retries=0) as client:
            return await work(client)
    return asyncio.run(run())


def test_many_calls_at_once(gateway, weir):
    async def work(client):
        return await asyncio.gather(*[chat(client, user=str(n)) for n in range(50)])
    assert all(answer.usage.total_tokens == 7 for answer in run_async(gateway, weir, work))


def test_many_streams_at_once(gateway, weir):
    async def one(client):
        return "".join([chunk.choices[0].delta.content or ""
                        async for chunk in await chat(client, stream=True)])

    async def work(client):
        return await asyncio.gather(*[one(client) for _ in range(50)])
    assert run_async(gateway, weir, work) == ["Hello there"] * 50


def test_a_cancelled_task_ends_the_call(gateway, weir, upstream):
    upstream.answer([*answers.stream()[:2], Pause(30)])

    async def work(client):
        async def read():
            async for _ in await chat(client, stream=True):
                pass
        task = asyncio.create_task(read())
        await asyncio.to_thread(upstream.wait_for_calls)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await asyncio.to_thread(upstream.calls[0].connection.peer_closed.wait, 1)

    assert run_async(gateway, weir, work)


def test_a_stream_arrives_as_it_is_sent(gateway, weir, upstream):
    gate = threading.Event()
    script = answers.stream()
    upstream.answer([*script[:2], Gate(gate), *script[2:]])

    async def work(client):
        words = []
        async for chunk in await chat(client, stream=True):
            words.append(chunk.choices[0].delta.content)
            gate.set()  # nothing more is sent before the first word was read
        return words
    assert run_async(gateway, weir, work)[0] == "Hel"
