"""stream_usage: whether a provider is asked for the usage of streams, and when it cannot say."""

import json

import pytest

from support import answers

REFUSALS = [
    (400, {"message": "Unrecognized request argument supplied: stream_options"}),
    (422, {"message": "bad member", "param": "stream_options"}),
    (400, {"message": "extra fields not permitted", "loc": ["body", "stream_options"]}),
]


def refuses(status, error):
    """A provider that knows no stream_options."""
    def script(request):
        body = json.loads(request.body)
        if "stream_options" in body:
            return answers.whole(answers.compact({"error": error}), status)
        return answers.stream(answers.events(["a"])) if body.get("stream") else answers.chat()
    return script


def gateway_with(make_gateway, mode=None):
    return make_gateway({"providers": {"main": {"stream_usage": mode} if mode else {}},
                         "models": [{"name": "gpt-test", "targets": ["main"]}]})


@pytest.mark.parametrize("status,error", REFUSALS)
def test_a_refusal_that_names_stream_options_is_repeated_once_without_and_remembered(
        make_gateway, status, error):
    gateway = gateway_with(make_gateway)
    gateway.upstream.answer_always(refuses(status, error))
    for _ in range(3):
        response = gateway.stream()
        assert response.status == 200 and response.body == b"".join(answers.events(["a"]))
    asked = ["stream_options" in json.loads(call.body) for call in gateway.upstream.calls]
    assert asked == [True, False, False, False]


def test_the_repeated_request_is_what_the_client_sent(make_gateway):
    gateway = gateway_with(make_gateway)
    gateway.upstream.answer_always(refuses(*REFUSALS[0]))
    body = b'{"model":"gpt-test", "messages":[],"n":1,"x":1.0e+2,"stream":true}'
    assert gateway.ask(body).status == 200
    assert gateway.upstream.calls[1].body == body


def test_another_refusal_is_not_repeated(gateway, upstream):
    upstream.answer(answers.error(400, "the prompt is too long"))
    response = gateway.stream()
    assert response.status == 400 and len(upstream.calls) == 1
    assert response.error["message"] == "the prompt is too long"


def test_a_refusal_of_what_the_client_itself_asked_for_is_the_clients(make_gateway):
    gateway = gateway_with(make_gateway)
    gateway.upstream.answer_always(answers.error(400, "no stream_options here"))
    response = gateway.stream(stream_options={"include_usage": True})
    assert response.status in (200, 400)
    assert len(gateway.upstream.calls) <= 2


def test_a_refusal_that_stays_is_passed_on(make_gateway):
    gateway = gateway_with(make_gateway)
    gateway.upstream.answer_always(answers.error(400, "stream_options is not even known"))
    response = gateway.stream()
    assert response.status == 400 and len(gateway.upstream.calls) == 2


def test_never_does_not_ask(make_gateway):
    gateway = gateway_with(make_gateway, "never")
    gateway.upstream.answer_always(answers.as_a_provider)
    assert gateway.stream().status == 200
    assert "stream_options" not in json.loads(gateway.upstream.call.body)


def test_always_asks_again_after_a_refusal(make_gateway):
    gateway = gateway_with(make_gateway, "always")
    gateway.upstream.answer_always(refuses(*REFUSALS[0]))
    for _ in range(2):
        assert gateway.stream().status == 400
    assert all("stream_options" in json.loads(call.body) for call in gateway.upstream.calls)
    assert len(gateway.upstream.calls) == 2


def test_whole_answers_are_never_asked_for_it(gateway, upstream):
    gateway.ask()
    gateway.ask(stream=False)
    assert not any(b"stream_options" in call.body for call in upstream.calls)


def test_embeddings_are_never_asked_for_it(gateway, upstream):
    upstream.answer_always(answers.as_a_provider)
    gateway.ask({"model": "gpt-test", "input": "x"}, path="/v1/embeddings")
    assert b"stream_options" not in upstream.call.body
