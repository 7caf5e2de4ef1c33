"""The playground's server: only a page of this computer that knows the token has it do anything; whatever else comes is refused, logged and without effect."""

import contextlib
import http.client
import json
import logging
import socket
import struct
import threading
import time

import pytest
from optional import need_layout
from sizes import size

from scalargrad import live
from scalargrad.playground import server as room
from scalargrad.playground.server import MOST_BYTES, MOST_CONNECTIONS, PlaygroundServer

CLIENT, OTHER = "0" * 32, "1" * 32


class Clock:
    """Seconds that pass when the test says so."""

    now = 100.0

    def __call__(self):
        return self.now


class Counting:
    """A session that counts what it is asked."""

    def __init__(self):
        self.inner, self.asked = live("x*y", x=2.0, y=3.0).session(), []

    def handle(self, message):
        self.asked.append(message)
        return self.inner.handle(message)


@contextlib.contextmanager
def running():
    need_layout()
    clock = Clock()
    with PlaygroundServer(Counting(), clock=clock) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        made.time = clock
        try:
            yield made
        finally:
            made.shutdown()
            thread.join()


@pytest.fixture
def served():
    with running() as made:
        yield made


def connection(made):
    return http.client.HTTPConnection("127.0.0.1", made.server_port, timeout=20)


def headers(made, **changes):
    given = {
        "Content-Type": "application/json", "X-Scalargrad": made.token, "X-Scalargrad-Client": CLIENT,
        "Host": f"127.0.0.1:{made.server_port}",
    }  # fmt: skip
    given |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in given.items() if value is not None}


def post(made, message=None, *, path="/api", body=None, method="POST", **changes):
    """(status, text) of a message, with other headers than a page sends."""
    body = json.dumps(message if message is not None else {"id": 1, "do": "open"}).encode() if body is None else body
    given = {"Content-Length": str(len(body)), **headers(made)}
    given |= {name.replace("_", "-"): value for name, value in changes.items()}
    line = connection(made)
    line.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in given.items():
        for one in value if isinstance(value, list) else [value] if value is not None else []:
            line.putheader(name, one)
    line.endheaders()
    with contextlib.suppress(OSError):  # who is refused is not read to the end
        line.send(body)
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    return answer, text


def test_a_page_of_this_computer_is_answered(served):
    answer, text = post(served)
    assert answer.status == 200
    assert json.loads(text)["frame"]["values"] == ["2", "3", "6"]
    assert served.refusals == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"X_Scalargrad": "wrong"}, "wrong token"),
        ({"X_Scalargrad": None}, "wrong token"),
        ({"X_Scalargrad": "ü" * 32}, "wrong token"),
        ({"Host": "evil.example"}, "wrong host"),
        ({"Host": "127.0.0.1"}, "wrong host"),
        ({"Host": None}, "wrong host"),
        ({"Host": ["127.0.0.1:{port}", "evil.example"]}, "wrong host"),
        ({"Origin": "http://evil.example"}, "wrong origin"),
        ({"Origin": "null"}, "wrong origin"),
        ({"Sec_Fetch_Site": "cross-site"}, "wrong site"),
        ({"Sec_Fetch_Site": "same-site"}, "wrong site"),
        ({"Content_Type": "text/plain"}, "wrong type"),
        ({"Content_Type": "application/x-www-form-urlencoded"}, "wrong type"),
        ({"Content_Type": None}, "wrong type"),
        ({"Content_Length": str(MOST_BYTES + 1)}, "wrong size"),
        ({"Content_Length": "-1"}, "wrong size"),
        ({"Content_Length": "1e3"}, "wrong size"),
        ({"Content_Length": "²"}, "wrong size"),
        ({"Content_Length": None}, "wrong size"),
        ({"Content_Length": ["2", "9"]}, "wrong size"),
        ({"Transfer_Encoding": "chunked"}, "wrong size"),
        ({"X_Scalargrad_Client": None}, "another page"),
        ({"X_Scalargrad_Client": "x" * 32}, "another page"),
        ({"path": "/other"}, "wrong address"),
        ({"method": "PUT"}, "no request that is understood"),
        ({"method": "OPTIONS"}, "no request that is understood"),
        ({"method": "DELETE"}, "no request that is understood"),
        ({"body": b"{"}, "not JSON"),
        ({"body": b'{"id": 1, "do": "views", "x": NaN}'}, "not JSON"),
        ({"body": b"\xff\xfe"}, "not JSON"),
        ({"body": b"[" * 100_000}, "not JSON"),
        ({"body": b""}, "not JSON"),
    ],
)
def test_what_is_not_right_is_refused_logged_and_has_no_effect(served, changes, why, caplog, figure):
    hosts = changes.get("Host")
    if isinstance(hosts, list):
        changes = {"Host": [host.format(port=served.server_port) for host in hosts]}
    with caplog.at_level(logging.WARNING):
        answer, text = post(served, **changes)
    assert answer.status == 403
    assert why in text
    assert served.session.asked == []
    assert len(served.refusals) == 1
    assert "refused" in caplog.text
    assert served.token not in caplog.text
    figure(
        "a request with a wrong token, host, origin, site, type, size, address, method or body",
        "refused, logged, without effect",
    )


def test_every_answer_has_the_headers_that_shut_out_others(served):
    line = connection(served)
    answers = []
    for method, path in (("GET", "/"), ("GET", "/live.js"), ("GET", "/nothing"), ("POST", "/api")):
        line.request(method, path, body=b"{}" if method == "POST" else None)
        answer = line.getresponse()
        answer.read()
        answers.append(answer)
        if answer.status == 403:
            line.close()
    line.close()
    answers.append(post(served)[0])
    assert [answer.status for answer in answers] == [200, 200, 404, 403, 200]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
        assert "unsafe" not in policy
        assert "*" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", ["/../server.py", "/%2e%2e/server.py", "/server.py", "//etc/passwd", "/live.js/", "/index.html%00", "/./live.js"])  # fmt: skip
def test_only_files_of_the_list_are_handed_out(served, path):
    with contextlib.closing(connection(served)) as line:
        line.putrequest("GET", path, skip_host=True)
        line.putheader("Host", f"127.0.0.1:{served.server_port}")
        line.endheaders()
        assert line.getresponse().status in (404, 403)
    assert set(served.files) <= {"index.html", "page.js", "live.js", "network.js", "live.css"}


def test_it_listens_on_this_computer_only(served):
    assert served.server_address[0] == "127.0.0.1"
    assert served.server_port not in (0, 80, 8000, 8080)


def test_every_server_has_a_token_of_its_own_that_no_file_holds():
    with running() as one, running() as other:
        assert one.token != other.token
        assert len(one.token) >= 32
        for content, _ in one.files.values():
            assert one.token.encode() not in content


def test_one_page_at_a_time_until_it_has_said_nothing_for_long_or_leaves(served):
    assert post(served)[0].status == 200
    assert post(served, X_Scalargrad_Client=OTHER)[0].status == 403
    served.time.now += room.SILENCE - 1
    assert post(served)[0].status == 200
    served.time.now += room.SILENCE - 1
    assert post(served, X_Scalargrad_Client=OTHER)[0].status == 403
    served.time.now += 2
    assert post(served, X_Scalargrad_Client=OTHER)[0].status == 200
    assert post(served)[0].status == 403
    assert post(served, X_Scalargrad_Client=OTHER, X_Scalargrad_Leaves="1")[0].status == 200
    assert post(served)[0].status == 200


def test_who_announces_more_than_comes_or_goes_away_does_no_harm(served, figure):
    head = "\r\n".join(f"{name}: {value}" for name, value in headers(served).items())
    for body in (b"", b'{"id": 1'):
        with socket.create_connection(("127.0.0.1", served.server_port)) as line:
            line.sendall(f"POST /api HTTP/1.1\r\n{head}\r\nContent-Length: 50\r\n\r\n".encode() + body)
    with socket.create_connection(("127.0.0.1", served.server_port)) as line:  # a reset in place of an end
        line.sendall(
            f"POST /api HTTP/1.1\r\n{head}\r\nContent-Length: 24\r\n\r\n".encode() + b'{"id": 1, "do": "open"} '
        )
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert post(served)[0].status == 200
    figure("clients that vanish: in the head, in the body, by a reset before the answer", "the next page is answered")


def gone(line):
    """Whether the other side has closed the connection."""
    line.settimeout(20)
    try:
        return line.recv(1) == b""
    except ConnectionError:
        return True


def test_who_says_nothing_or_speaks_slowly_without_the_token_is_put_out(served, figure):
    silent = socket.create_connection(("127.0.0.1", served.server_port))
    slow = socket.create_connection(("127.0.0.1", served.server_port))
    slow.sendall(b"POST /api HTTP/1.1\r\nHost: 127")
    while len(served._strangers) < 2:
        time.sleep(0.001)
    served.time.now += room.STRANGERS + 1
    assert gone(silent)
    assert gone(slow)
    assert post(served)[0].status == 200
    silent.close()
    slow.close()
    figure(f"clients that say nothing, or half a line, for {room.STRANGERS} seconds", "put out; the page is answered")


def test_many_connections_put_out_strangers_and_never_the_page(served, figure):
    page = connection(served)
    page.request("POST", "/api", body=b'{"id": 1, "do": "open"}', headers=headers(served))
    assert page.getresponse().read()
    lines = [socket.create_connection(("127.0.0.1", served.server_port)) for _ in range(MOST_CONNECTIONS + 20)]
    assert all(gone(line) for line in lines[:20])
    page.request("POST", "/api", body=b'{"id": 2, "do": "views"}', headers=headers(served))
    assert json.loads(page.getresponse().read())["id"] == 2
    for line in lines:
        line.close()
    page.close()
    figure(
        f"{len(lines)} connections of strangers, of which {MOST_CONNECTIONS} are kept", "the page's own is not put out"
    )


def test_fifty_clients_at_once_are_answered_each_with_its_own_reply(served, figure):
    def ask(number):
        message = {"id": number, "do": "set", "inputs": {"x": number}}
        for _ in range(each):
            reply = json.loads(post(served, message)[1])
            assert reply["id"] == number
            assert reply["frame"]["values"][:1] == [str(number)]
        found.append(number)

    post(served)
    found, each = [], size(5, 100)
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(50))
    assert served.refusals == []
    figure(f"50 clients at once, {each} messages each", f"{50 * each} replies, each to its own message")


def test_it_ends_when_no_page_has_asked_anything_for_long():
    clock = Clock()
    with PlaygroundServer(Counting(), clock=clock) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        clock.now += room.IDLE + 1
        thread.join(30)
        assert not thread.is_alive()


def test_random_bytes_are_refused_and_the_server_goes_on(served, figure):
    import random

    rng = random.Random(1)
    words = [
        b"GET ",
        b"POST ",
        b"/api",
        b" HTTP/1.1",
        b"\r\n",
        b"Host: ",
        b"Content-Length: 5",
        b"\x00",
        b"\xff" * 9,
        b":",
        b" ",
        b"A" * 70_000,
    ]
    times = size(150, 2000)
    for _ in range(times):
        with socket.create_connection(("127.0.0.1", served.server_port)) as line, contextlib.suppress(OSError):
            line.sendall(b"".join(rng.choice(words) for _ in range(rng.randrange(1, 12))))
            line.shutdown(socket.SHUT_WR)
            line.settimeout(20)
            line.recv(100)
    assert served.session.asked == []
    assert post(served)[0].status == 200
    figure(f"{times} connections that send random bytes", "none reached the session; the page is answered")
