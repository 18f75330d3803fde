"""Bodies that weir must not misread: what it decides by may stand once and must be well formed."""

import pytest

ONCE = ["model", "stream", "messages", "max_tokens", "stream_options"]
OK = {"model": b'"gpt-test"', "stream": b"false", "messages": b"[]", "max_tokens": b"5",
      "stream_options": b"null"}


def body_of(*members):
    return b"{" + b",".join(b'"%s":%s' % (name, value) for name, value in members) + b"}"


def whole(**over):
    values = {name: value for name, value in OK.items() if name != "stream_options"} | over
    return [(name.encode(), value) for name, value in values.items()]


def refused(gateway, body, param=None, path="/v1/chat/completions"):
    response = gateway.ask(body, path=path)
    assert response.status == 400, (response.status, body[:200])
    error = response.error
    assert error["type"] == "invalid_request_error" and error["code"]
    if param is not None:
        assert error["param"] is not None and param in error["param"].lower(), error
    assert not gateway.upstream.calls
    return error


@pytest.mark.parametrize("name", ONCE)
def test_a_member_that_weir_decides_by_may_not_stand_twice(gateway, name):
    twice = [(name.encode(), OK[name])] * 2
    others = [each for each in whole() if each[0] != name.encode()]
    refused(gateway, body_of(*twice, *others), name)
    refused(gateway, body_of(twice[0], *others, twice[1]), name)


@pytest.mark.parametrize("name", ONCE)
def test_nor_may_it_stand_in_another_case_or_behind_escapes(gateway, name):
    for other in (name.upper(), name.capitalize(), name[:-1] + name[-1].upper(),
                  f"\\u{ord(name[0]):04x}{name[1:]}", f"{name[:-1]}\\u{ord(name[-1].upper()):04X}"):
        refused(gateway, body_of(*whole(**({name: OK[name]})), (other.encode(), OK[name])), name)
        refused(gateway, body_of((other.encode(), OK[name]), *whole(**({name: OK[name]}))), name)


def test_a_lone_member_in_another_case_steps_around_nothing(gateway):
    others = [each for each in whole() if each[0] != b"model"]
    response = gateway.ask(body_of((b"Model", b'"gpt-test"'), *others))
    if response.status == 200:  # taken for the model: then upstream must read the same
        assert b"gpt-test" in gateway.upstream.call.body
    else:
        assert response.status == 400 and not gateway.upstream.calls


@pytest.mark.parametrize("options", [
    b'{"include_usage":true,"include_usage":false}',
    b'{"include_usage":true,"Include_Usage":false}',
    b'{"include_usage":true,"include_\\u0075sage":false}'])
def test_what_stands_in_stream_options_may_stand_once_too(gateway, options):
    refused(gateway, body_of(*whole(stream=b"true", stream_options=options)), "include_usage")


@pytest.mark.parametrize("name,values", [
    ("model", [b"7", b"null", b"[]", b"{}", b"true", b'""']),
    ("stream", [b"1", b'"true"', b"[]", b"{}", b"0"]),
    ("messages", [b"{}", b'"x"', b"7", b"true"]),
    ("stream_options", [b"[]", b'"x"', b"1", b"true"]),
    ("max_tokens", [b'"5"', b"[]", b"{}", b"true"]),
])
def test_a_member_of_the_wrong_type_is_refused_by_name(gateway, name, values):
    for value in values:
        members = whole(**{"stream": b"true", name: value} if name == "stream_options"
                        else {name: value})
        refused(gateway, body_of(*members), name)


@pytest.mark.parametrize("value", [b"[]", b'"x"', b"7"])
def test_include_usage_must_be_a_boolean(gateway, value):
    options = b'{"include_usage":%s}' % value
    refused(gateway, body_of(*whole(stream=b"true", stream_options=options)), "include_usage")


def test_a_missing_model_is_refused_by_name(gateway):
    refused(gateway, b'{"messages":[]}', "model")


NOT_JSON = {
    "empty": b"", "space": b"  \n", "text": b"model", "array": b"[]", "string": b'"x"',
    "null": b"null", "number": b"1", "two": b"{}{}", "trailing": b'{"model":"gpt-test"}x',
    "comma": b'{"model":"gpt-test",}', "single quotes": b"{'model':'gpt-test'}",
    "comment": b'{"model":"gpt-test"/* */}', "no quotes": b"{model:1}",
    "leading zero": b'{"model":"gpt-test","messages":[],"a":01}', "plus": b'{"a":+1}',
    "dot": b'{"a":1.}', "bare dot": b'{"a":.5}', "hex": b'{"a":0x1}', "nan": b'{"a":NaN}',
    "infinity": b'{"a":-Infinity}', "True": b'{"a":True}', "control": b'{"a":"\x01"}',
    "newline in string": b'{"a":"x\ny"}', "bad escape": b'{"a":"\\x41"}', "short": b'{"a":"\\u12"}',
    "bom": b'\xef\xbb\xbf{"model":"gpt-test","messages":[]}', "nul": b'{"a":1}\x00',
    "missing colon": b'{"a" 1}', "vertical tab": b'{\x0b"a":1}', "nbsp": b'{\xc2\xa0"a":1}',
    "utf-16": '{"model":"gpt-test"}'.encode("utf-16"),
}


@pytest.mark.parametrize("kind", NOT_JSON)
def test_what_is_not_strictly_json_is_refused(gateway, kind):
    refused(gateway, NOT_JSON[kind])


@pytest.mark.parametrize("piece", [
    b"\x80", b"\xc0\x80", b"\xc1\xbf", b"\xc3", b"\xe0\x80\x80", b"\xed\xa0\x80",
    b"\xf0\x80\x80\x80",
    b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xff", b"\xc3("])
def test_invalid_utf8_is_refused_wherever_it_stands(gateway, piece):
    refused(gateway, b'{"model":"gpt-test","messages":[],"a":"%s"}' % piece)
    refused(gateway, b'{"model":"gpt-test","messages":[],"%s":1}' % piece)


def test_a_body_cut_at_any_byte_is_refused(gateway):
    body = b'{"model":"gpt-test","messages":[{"a":"\xc3\xa9\\u00e9"}],"n":1.5e3,"t":true}'
    for size in range(len(body)):
        refused(gateway, body[:size])
    assert gateway.ask(body).status == 200


def nested(depth):
    return b'{"model":"gpt-test","messages":[],"x":' + b"[" * depth + b"]" * depth + b"}"


def test_depth_is_limited(gateway):
    assert gateway.ask(nested(60)).status == 200
    gateway.upstream.reset()
    refused(gateway, nested(65))
    refused(gateway, nested(100_000))
    refused(gateway, b"[" * 100_000)
    refused(gateway, b'{"a":' * 100_000)


# Keys that may call some models only

@pytest.fixture(scope="module")
def limited(gateway):
    return gateway.weir.create_key("limited", "--models", "gpt-test,wild-*")["key"]


@pytest.mark.parametrize("model,status", [
    ("gpt-test", 200), ("wild-anything", 200), ("wild-", 200), ("renamed", 404),
    ("gpt-3.5-turbo", 404), ("wild", 404), ("GPT-TEST", 404), ("gpt-test ", 404),
    (" gpt-test", 404),
    ("gpt-test\0", 404), ("wild*", 404), ("*", 404)])
def test_a_limited_key_calls_its_models_only(gateway, upstream, limited, model, status):
    response = gateway.ask(key=limited, model=model)
    assert response.status == status
    if status == 404:
        assert response.error["code"] == "model_not_found"
        assert not upstream.calls


STEPPING_AROUND = [
    b'{"model":"gpt-test","model":"renamed","messages":[]}',
    b'{"model":"renamed","model":"gpt-test","messages":[]}',
    b'{"model":"gpt-test","Model":"renamed","messages":[]}',
    b'{"MODEL":"renamed","model":"gpt-test","messages":[]}',
    b'{"model":"gpt-test","messages":[],"mode\\u006c":"renamed"}',
    b'{"model":"gpt-test","messages":[],"mode\\u006C":"renamed"}',
    b'{"model":"gpt-test","messages":[],"\\u004dodel":"renamed"}',
]


@pytest.mark.parametrize("body", STEPPING_AROUND)
def test_no_second_model_steps_around_the_limit(gateway, limited, body):
    response = gateway.ask(body, key=limited)
    assert response.status == 400 and response.error["param"] == "model"
    assert not gateway.upstream.calls


@pytest.mark.parametrize("body", [
    b'{"model":"ren\\u0061med","messages":[]}', b'{"mod\\u0065l":"renamed","messages":[]}',
    b'{"messages":[{"model":"gpt-test"}],"model":"renamed"}'])
def test_no_escape_steps_around_the_limit(gateway, limited, body):
    response = gateway.ask(body, key=limited)
    assert response.status == 404 and response.error["code"] == "model_not_found"
    assert not gateway.upstream.calls


def test_a_limit_holds_on_the_short_routes_too(gateway, limited):
    body = {"model": "renamed", "messages": []}
    assert gateway.ask(body, path="/v1/chat", key=limited).status == 404
    assert gateway.ask({"messages": []}, path="/v1/chat", key=limited).status == 404
    assert gateway.ask(b'{"model":"gpt-test","Model":"renamed","messages":[]}', path="/v1/chat",
                       key=limited).status == 422
    assert not gateway.upstream.calls
