"""What upstream receives equals what the client sent, byte for byte, but for the edited members."""

import json
import random
import re

import pytest

from support import answers

ASKING = re.compile(rb'\s*,?\s*"stream_options"\s*:\s*\{\s*"include_usage"\s*:\s*true\s*\}\s*,?\s*')

ODD = [
    b'{"model":"gpt-test","messages":[],"num":1e400}',
    b'{"model":"gpt-test","messages":[],"num":[1.0e+2,-0,-0.0,0.10,1E5,12345678901234567890123]}',
    b' \r\n\t{ "model" :\t"gpt-test" ,\n"messages" : [ ] }\n ',
    b'{"messages":[],"x":{"b":1,"a":2,"b":3},"model":"gpt-test","a":null}',
    b'{"x":1,"x":2,"model":"gpt-test","messages":[],"x":3}',
    '{"model":"gpt-test","messages":[{"content":"é\u2028\U0001f600\u0301"}]}'.encode(),
    rb'{"model":"gpt-test","messages":[{"content":"\u00e9\/\"\\\b\f\ud83d\ude00\u0000"}]}',
    b'{"model":"gpt-test","messages":[],"":1," ":2,"un_\xc3\xa9":[[[[[]]]]],"t":true,"f":false}',
    b'{"model":"gpt-test","messages":[],"user":"","max_tokens":7,"temperature":1.0000000000000001}',
    b'{"m\\u006fdel":"gpt\\u002dtest","messages":[]}',
    b'{"model":"gpt-test","messages":[{"model":"in","stream":true}],"tools":[{"stream":1}]}',
    b'{"model":"gpt-test","messages":[],"metadata":{"model":"other","Model":1,"stream":7}}',
    rb'{"model":"gpt-test","messages":[],"lone":"\ud800","other":"\udc00x"}',
    b'{"model":"gpt-test","messages":[],"stream":false,"stream_options":null}',
    b'{"model":"gpt-test","messages":[],"long":"' + b"x" * 200_000 + b'"}',
]


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_an_odd_body_arrives_untouched(gateway, upstream, body):
    assert gateway.ask(body).status == 200
    assert upstream.call.body == body


PLAIN = [body for body in ODD if b"gpt-test" in body]


@pytest.mark.parametrize("body", PLAIN, ids=range(len(PLAIN)))
def test_only_the_models_name_is_replaced(gateway, upstream, body):
    assert gateway.ask(body.replace(b"gpt-test", b"renamed")).status == 200
    assert upstream.call.body == body.replace(b"gpt-test", b"other-name")


def test_a_name_written_with_escapes_is_replaced_as_a_whole(gateway, upstream):
    gateway.ask(rb'{"a":1.0,"m\u006fdel" : "ren\u0061med" ,"messages":[]}')
    assert upstream.call.body == rb'{"a":1.0,"m\u006fdel" : "other-name" ,"messages":[]}'


STREAMED = [
    b'{"model":"gpt-test","messages":[],"stream":true}',
    b'{"stream":true,"s":1,"model":"gpt-test","messages":[],"st":1e400}',
    b' { "stream" : true ,\n "messages" : [ ] , "model" : "gpt-test" } ',
    b'{"model":"gpt-test","str\\u0065am":true,"messages":[],"x":1,"x":2}',
    b'{"stream":true,"model":"gpt-test","messages":[{"stream_options":{"include_usage":false}}]}',
]


def inserted(original, received):
    """What was put into the original at one place, for every place that explains it."""
    size = len(received) - len(original)
    return [received[at:at + size] for at in range(len(original) + 1)
            if received[:at] + received[at + size:] == original]


@pytest.mark.parametrize("body", STREAMED, ids=range(len(STREAMED)))
def test_a_stream_asks_for_usage_and_changes_nothing_else(gateway, upstream, body):
    upstream.answer(answers.as_a_provider)
    assert gateway.ask(body).status == 200
    received = upstream.call.body
    assert json.loads(received)["stream_options"] == {"include_usage": True}
    assert any(ASKING.fullmatch(each) for each in inserted(body, received)), received


@pytest.mark.parametrize("options,expected", [
    (b'{}', {"include_usage": True}),
    (b'{"include_usage":false}', {"include_usage": True}),
    (b'{"include_usage":null}', {"include_usage": True}),
    (b'null', {"include_usage": True}),
    (b'{"other":1.0e+2}', {"other": 100.0, "include_usage": True}),
    (b'{"include_usage":false,"other":[1]}', {"include_usage": True, "other": [1]}),
    (b'{ "other" : 1 , "include_usage" : false }', {"other": 1, "include_usage": True}),
])
def test_stream_options_are_edited_in_their_place(gateway, upstream, options, expected):
    upstream.answer(answers.as_a_provider)
    before = b'{"a":1e400,"stream":true,"stream_options": '
    after = b' ,"model":"gpt-test","messages":[]}'
    assert gateway.ask(before + options + after).status == 200
    received = upstream.call.body
    assert received.startswith(before) and received.endswith(after), received
    assert json.loads(received)["stream_options"] == expected


def test_a_stream_that_asks_for_usage_itself_is_untouched(gateway, upstream):
    upstream.answer(answers.as_a_provider)
    body = (b'{"model":"gpt-test", "messages":[],"stream":true,'
            b'"stream_options":{ "include_usage" : true,"x":1.0}}')
    assert gateway.ask(body).status == 200
    assert upstream.call.body == body


# Bodies made at random. The seed is in the name of the test, so that a failure can be had again.

def random_space(rng):
    return rng.choice(["", "", "", " ", "\n", "\t ", "\r\n  "])


def random_string(rng):
    pieces = ["a", "model", "stream", "é", "\u2028", "\U0001f600", r"\n", r"\"", r"\\", r"\/",
              r"\u0041", r"\ud83d\ude00", r"\u0000", "}", "{", "[", ":", ",", "  ", "\x7f"]
    return '"' + "".join(rng.choice(pieces) for _ in range(rng.randrange(6))) + '"'


def random_number(rng):
    return rng.choice(["0", "-0", "1.0e+2", "1e400", "-1E-400", "0.10", "12345678901234567890123",
                       "1.7976931348623157e309", str(rng.randrange(10 ** 9))])


def random_value(rng, depth=0):
    kind = rng.randrange(6 if depth < 4 else 4)
    if kind == 0:
        return random_string(rng)
    if kind == 1:
        return random_number(rng)
    if kind in (2, 3):
        return rng.choice(["true", "false", "null"])
    items = [random_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 4:
        return joined(rng, "[", items, "]")
    return joined(rng, "{", [named(rng, random_string(rng), each) for each in items], "}")


def named(rng, name, value):
    return f"{random_space(rng)}{name}{random_space(rng)}:{random_space(rng)}{value}"


def joined(rng, opening, items, closing):
    return opening + f"{random_space(rng)},{random_space(rng)}".join(items) + \
        random_space(rng) + closing


def random_body(rng):
    """A body whose top level has model and messages once and other members as they come."""
    members = [named(rng, f'"x{rng.randrange(4)}"', random_value(rng))
               for _ in range(rng.randrange(8))]
    members.append(named(rng, '"model"', '"gpt-test"'))
    members.append(named(rng, '"messages"', "[]"))
    rng.shuffle(members)
    return (random_space(rng) + joined(rng, "{", members, "}") + random_space(rng)).encode()


@pytest.mark.parametrize("seed", range(8))
def test_random_bodies_arrive_untouched(gateway, weir, upstream, seed):
    rng = random.Random(seed)
    bodies = [random_body(rng) for _ in range(60)]
    for body in bodies:
        assert gateway.ask(body).status == 200, body
    assert [call.body for call in upstream.calls] == bodies


@pytest.mark.parametrize("seed", range(4))
def test_random_bodies_arrive_with_the_name_replaced(gateway, weir, upstream, seed):
    rng = random.Random(1000 + seed)
    bodies = [random_body(rng) for _ in range(40)]
    for body in bodies:
        assert gateway.ask(body.replace(b'"gpt-test"', b'"renamed"')).status == 200, body
    assert [call.body for call in upstream.calls] == \
        [body.replace(b'"gpt-test"', b'"other-name"') for body in bodies]
