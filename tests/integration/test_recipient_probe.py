# SPDX-License-Identifier: Apache-2.0
"""An SMTP server as directory: a real Postfix, asked by RCPT."""

import contextlib
import socket
import socketserver
import threading

import postfix
import pytest
from mails import mail
from waiting import wait_for

FOUND, ABSENT, UNKNOWN = 0, 1, 75


def use(scene, port=25, **settings):
    scene.mailhaul.config["directory"] = [
        {"smtp": {"host": "127.0.0.1", "port": port, "timeout": "9s", **settings}}
    ]


def query(scene, address):
    return scene.mailhaul.command("query", address)


@pytest.mark.parametrize("address, status, reply", [
    ("anna@example.org", FOUND, "250 2.1.5"),
    ("ANNA@example.org", FOUND, "250 2.1.5"),
    ("nobody@example.org", ABSENT, "550 5.1.1"),
    ("clara@lan.example.org", FOUND, "250 2.1.5"),  # of the system's own users
    ("stranger@lan.example.org", ABSENT, "550 5.1.1"),
    ('"x> NOTIFY=NEVER <y"@example.org', ABSENT, "550 5.1.1"),
])
def test_postfix(scene, address, status, reply):
    use(scene)
    result = query(scene, address).expect(status)
    assert reply in result.out


def test_collected_mail(scene):
    use(scene, canary="anna@example.org")
    scene.account["recipients"] = {"occurrence": "all"}
    scene.put(
        mail("both", envelope=["anna@example.org", "nobody@example.org"]),
        mail("many", envelope=["ben@example.org", *(f"no{n}@example.org" for n in range(30))]),
    )
    scene.fetch()
    assert scene.got() == {
        "both": ["anna@example.org", "office@example.org"],
        "many": ["ben@example.org", "office@example.org"],
    }
    (source,) = scene.mailhaul.milter_statistics()["sources"]
    assert source["kind"] == "smtp" and source["faults"] == 0 and source["found"] == 2


def test_a_server_that_takes_everybody(scene):
    """It would make everybody exist: mail waits, with the reason."""
    use(scene, postfix.SINK_PORT)
    assert "takes mail for anybody@example.org" in query(scene, "anna@example.org").expect(UNKNOWN).out
    (uid,) = scene.put(mail("wait", envelope="anna@example.org"))
    assert "takes mail for anybody" in scene.fetch(UNKNOWN).err
    assert scene.mailbox.uids() == [uid] and not scene.postfix.waiting()
    scene.sink.recipients.clear()  # questions, no mail
    assert not scene.sink.messages


@pytest.mark.parametrize("port, line", [
    (25, "ok: smtp 127.0.0.1: answers"),
    (postfix.SINK_PORT, "error: smtp 127.0.0.1: 127.0.0.1:2526: takes mail for anybody@"),
])
def test_check_live(scene, port, line):
    use(scene, port)
    assert line in scene.mailhaul.command("check", "--live", timeout=60).out
    scene.sink.recipients.clear()  # questions, no mail


@pytest.mark.parametrize("reply, status", [
    ("250 2.1.5 ok", FOUND),
    ("251 2.1.5 will forward", FOUND),
    ("252 2.1.5 cannot verify", UNKNOWN),
    ("550 5.1.1 unknown", ABSENT),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", ABSENT),
    ("551 5.1.6 moved", ABSENT),
    ("553 5.1.3 bad address", ABSENT),
    ("550-5.1.1 unknown\r\n550 5.1.1 really", ABSENT),
    ("550 unknown, or refused for policy", UNKNOWN),
    ("550 5.7.1 refused for policy", UNKNOWN),
    ("550 5.1.8 your domain", UNKNOWN),
    ("554 5.7.1 relay access denied", UNKNOWN),
    ("530 5.7.0 authenticate first", UNKNOWN),
    ("450 4.7.1 greylisted", UNKNOWN),
    ("421 4.3.2 closing", UNKNOWN),
    ("nonsense", UNKNOWN),
    ("", UNKNOWN),
])
def test_replies(scene, reply, status):
    with Scripted({"anna": reply}) as server:
        use(scene, server.port)
        query(scene, "anna@example.org").expect(status)


def test_session_is_kept_and_replaced(scene):
    """Used again; ended before Postfix would slow down; replaced when it was lost."""
    with Scripted({"anna": "250 2.1.5 ok"}) as server:
        use(scene, server.port)
        scene.account["recipients"] = {"occurrence": "all"}
        scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(3)))
        scene.fetch()
        assert server.connections <= 2  # READY may need one beside it
        server.hang_up()
        scene.put(mail("m3", envelope=["anna@example.org", *(f"n{i}@example.org" for i in range(20))]))
        scene.fetch()
        assert max(server.refusals) <= 8
        assert len(scene.got()) == 4


def test_silent_server_is_bounded(scene):
    with Scripted({"anna": None}) as server:
        use(scene, server.port, timeout="2s")
        assert "no answer in time" in query(scene, "anna@example.org").expect(UNKNOWN).out


class Scripted:
    """Says `replies[local part]` to RCPT, 550 5.1.1 to others; None: nothing."""

    def __init__(self, replies):
        self.replies = replies
        self.connections = 0
        self.refusals = []  # of each session
        self._open = set()
        scripted = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                scripted.serve(self)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.hang_up()
        self._server.shutdown()
        self._server.server_close()

    def hang_up(self):
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # it may be gone already
                connection.shutdown(socket.SHUT_RDWR)
        wait_for(lambda: not self._open, "the end of the sessions", 10)

    def serve(self, link):
        number = self.connections
        self.connections += 1
        self.refusals.append(0)
        self._open.add(link.connection)
        try:
            link.wfile.write(b"220 scripted\r\n")
            for line in link.rfile:
                text = line.decode().strip()
                reply = "250 2.0.0 ok"
                if text.startswith("RCPT"):
                    local = text.split("<")[1].split("@")[0]
                    reply = self.replies.get(local, "550 5.1.1 unknown")
                    self.refusals[number] += bool(reply and reply[0] == "5")
                if reply is not None:
                    link.wfile.write(reply.encode() + b"\r\n")
                if text == "QUIT":
                    return
        except OSError:
            pass
        finally:
            self._open.discard(link.connection)
