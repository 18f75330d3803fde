"""Answers of a provider, as steps for support.upstream: heads, bodies, chunked framing, streams."""

import json

CONTENT_JSON = ("content-type", "application/json")
CONTENT_EVENTS = ("content-type", "text/event-stream")
CHUNKED = ("transfer-encoding", "chunked")
LAST_CHUNK = b"0\r\n\r\n"

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           408: "Request Timeout", 409: "Conflict", 422: "Unprocessable Entity",
           429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
           503: "Service Unavailable", 529: "Overloaded"}

USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def head(status=200, headers=()):
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Whatever')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def whole(body, status=200, headers=(CONTENT_JSON,)):
    """A body with its length, in one piece."""
    return [head(status, [*headers, ("content-length", len(body))]) + body]


def chunked(pieces, status=200, headers=(CONTENT_JSON,)):
    """Head and each piece as a chunk, sent one by one; cut what is not wanted from the end."""
    return [head(status, [*headers, CHUNKED]), *(chunk(piece) for piece in pieces), LAST_CHUNK]


def error(status, message="no", headers=(), **members):
    body = {"error": {"message": message, "type": "some_error", "param": None, "code": None,
                      **members}}
    return whole(compact(body), status, [CONTENT_JSON, *headers])


def models(*names):
    return whole(compact({"object": "list", "data": [
        {"id": name, "object": "model", "created": 1, "owned_by": "upstream"} for name in names]}))


# Unstreamed

def chat_body(content="Hello there", model="upstream-model", usage=USAGE, **members):
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": content},
                         "logprobs": None, "finish_reason": "stop"}], **members}
    if usage:
        body["usage"] = usage
    return compact(body)


def chat(content="Hello there", **members):
    return whole(chat_body(content, **members))


def tool_call():
    return whole(compact({
        "id": "chatcmpl-2", "object": "chat.completion", "created": 1700000000,
        "model": "upstream-model", "usage": USAGE,
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": None, "tool_calls": [
                {"id": "call_1", "type": "function",
                 "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}]}}]}))


# Streamed

def delta(content=None, finish=None, index=0, **members):
    body = {"id": "chatcmpl-3", "object": "chat.completion.chunk", "created": 1700000000,
            "model": "upstream-model", "choices": [
                {"index": index, "delta": {} if content is None else {"content": content},
                 "finish_reason": finish}], **members}
    return compact(body)


def usage_chunk(usage=USAGE):
    return compact({"id": "chatcmpl-3", "object": "chat.completion.chunk", "created": 1700000000,
                    "model": "upstream-model", "choices": [], "usage": usage})


def event(data, eol=b"\n"):
    return b"data: " + data + eol + eol


DONE = event(b"[DONE]")


def events(words=("Hel", "lo", " there"), usage=None, done=True, finish=True, eol=b"\n"):
    """The events of a stream; with usage, as the usage chunk before [DONE]."""
    payloads = [delta(word) for word in words]
    if finish:
        payloads.append(delta(finish="stop"))
    if usage:
        payloads.append(usage_chunk(usage))
    if done:
        payloads.append(b"[DONE]")
    return [event(payload, eol) for payload in payloads]


def asks_for_usage(request):
    options = json.loads(request.body).get("stream_options") or {}
    return options.get("include_usage") is True


def stream(pieces=None, headers=(CONTENT_EVENTS,)):
    """A stream of these events, each in a chunk of its own."""
    return chunked(events(usage=USAGE) if pieces is None else pieces, headers=headers)


def as_a_provider(request):
    """What a well-behaved provider answers: unary or streamed, usage if asked for."""
    body = json.loads(request.body)
    if request.target.endswith("/embeddings"):
        return embeddings(body)
    if request.target.endswith("/moderations"):
        return whole(compact({"id": "modr-1", "model": "m", "results": [{"flagged": False}]}))
    if not body.get("stream"):
        return tool_call() if body.get("tools") else chat()
    if body.get("tools"):
        return stream(tool_call_events(asks_for_usage(request)))
    return stream(events(usage=USAGE if asks_for_usage(request) else None))


def tool_call_events(usage=False):
    def call(function, **members):
        return compact({"id": "chatcmpl-4", "object": "chat.completion.chunk", "created": 1,
                        "model": "upstream-model", "choices": [
                            {"index": 0, "finish_reason": None, "delta": {"tool_calls": [
                                {"index": 0, **members, "function": function}]}}]})

    payloads = [call({"name": "get_weather", "arguments": ""}, id="call_1", type="function"),
                call({"arguments": '{"city":'}), call({"arguments": '"Paris"}'}),
                delta(finish="tool_calls")]
    payloads += [usage_chunk()] if usage else []
    return [event(payload) for payload in payloads] + [DONE]


def embeddings(body):
    """Vectors of three numbers, in base64 where asked for as the official clients do."""
    count = len(body["input"]) if isinstance(body["input"], list) else 1
    vector = "AACAPwAAAEAAAEBA" if body.get("encoding_format") == "base64" else [1.0, 2.0, 3.0]
    return whole(compact({"object": "list", "model": "upstream-model",
                          "data": [{"object": "embedding", "index": at, "embedding": vector}
                                   for at in range(count)],
                          "usage": {"prompt_tokens": 4, "total_tokens": 4}}))
