# SPDX-License-Identifier: Apache-2.0
"""POP3 beyond one command at a time with USER and PASS."""

import time

import pytest
from mails import mail
from provider import POP3S
from relay import Relay
from scripted_pop3 import ScriptedPop3, stuffed

MAILS = 40


def bait(number):
    return mail(f"mail-{number}", envelope="anna@example.org").replace(b"\n", b"\r\n")


@pytest.fixture
def scripted(scene):
    """scripted(messages, capabilities, **answers): the account's server."""
    servers = []

    def start(messages, capabilities, **answers):
        lines = b"".join(b"%s\r\n" % name for name in (b"USER", *capabilities))
        server = ScriptedPop3(
            [(f"uid-{n}", bait(n)) for n in range(messages)],
            {"CAPA": b"+OK\r\n" + lines + b".\r\n", **answers},
            certificate=scene.world.certificates.pair("pop"),
        )
        scene.account.update(port=server.port)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


class Withhold:
    """Answers a verb only when so many of it have come: all of them at once."""

    def __init__(self, server_answers, count):
        self._answer, self._count = server_answers, count
        self._held = []

    def __call__(self, session, argument):
        self._held.append(argument)
        if len(self._held) == self._count:
            session.send(b"".join(self._answer(session, held) for held in self._held))
            self._held.clear()


def message(session, argument):
    return b"+OK\r\n" + stuffed(session.server.messages[int(argument) - 1][1]) + b".\r\n"


def test_several_commands_are_under_way(scene, scripted):
    """The server says nothing before it has heard all of them."""
    server = scripted(6, [b"PIPELINING"], RETR=Withhold(message, 6))
    scene.fetch()
    assert len(scene.got()) == 6 and server.messages == []
    assert server.verbs()[2:7] == ["PASS", "STAT", "UIDL", "LIST", "RETR"]


def test_listings_are_asked_for_together(scene, scripted):
    def stat(session, argument):
        assert session.has_more(60)
        server.answer_rightly(session, "STAT", argument)

    server = scripted(2, [b"PIPELINING"], STAT=stat)
    scene.fetch()
    assert len(scene.got()) == 2


def test_one_command_at_a_time(scene, scripted):
    """A server that does not offer PIPELINING may lose what it did not wait for."""
    early = []

    def answer(verb):
        def right(session, argument):
            if session.has_more(0.05):
                early.append(verb)
            server.answer_rightly(session, verb, argument)

        return right

    server = scripted(3, [], **{verb: answer(verb) for verb in ("STAT", "UIDL", "LIST", "RETR", "DELE")})
    scene.fetch()
    assert len(scene.got()) == 3 and server.messages == [] and early == []


def collect_from_afar(scene, delay):
    """All mail, each of whose bytes needs `delay` seconds: how many round trips that
    took for each message."""
    relay = Relay(POP3S, delay=delay)
    scene.account.update(port=relay.port)
    scene.put(*(mail(f"mail-{delay}-{n}", envelope="anna@example.org") for n in range(MAILS)))
    scene.mailhaul.start_milter()
    began = time.monotonic()
    try:
        scene.mailhaul.fetch_once().expect(0)
    finally:
        relay.shut()
    took = time.monotonic() - began
    scene.postfix.wait_until_idle()
    assert scene.mailbox.uids() == []
    assert scene.got().keys() >= {f"mail-{delay}-{n}" for n in range(MAILS)}
    return took / (2 * delay) / MAILS


def test_far_away(scene):
    """Dovecot, each round trip of which takes 100 ms.  Where it is the machine that takes
    the time, from farther away."""
    if collect_from_afar(scene, 0.05) >= 1:
        assert collect_from_afar(scene, 0.3) < 1


def test_refused_among_others(scene, scripted):
    """One that the server will not give keeps nobody from the others."""

    def retrieve(session, argument):
        return b"-ERR gone\r\n" if argument == b"2" else message(session, argument)

    server = scripted(4, [b"PIPELINING"], RETR=Withhold(retrieve, 4))
    scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    assert sorted(scene.got()) == ["mail-0", "mail-2", "mail-3"]
    assert [uid for uid, _ in server.messages] == ["uid-1"]


def test_broken_off_among_others(scene, scripted):
    """Asked for and not had: a later session brings it."""
    scene.mailhaul.config["inject"] = {"retry": "1s"}
    server = scripted(4, [b"PIPELINING"])
    count = []

    def break_off(session, argument):
        count.append(argument)
        if len(count) == 3:
            session.send(message(session, argument)[:200])
            session.drop()
        session.send(message(session, argument))

    server.answers["RETR"] = break_off
    scene.mailhaul.fetch_once().expect(75)
    del server.answers["RETR"]
    deadline = time.monotonic() + 30
    while server.messages and time.monotonic() < deadline:
        scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    assert sorted(scene.got()) == [f"mail-{n}" for n in range(4)] and server.messages == []
    assert all(copies == ["anna@example.org"] for copies in scene.got().values())


@pytest.mark.parametrize("takes_utf8", [True, False])
def test_utf8(scene, scripted, takes_utf8):
    """Asked for before the login, and only if Postfix takes such mail."""
    server = scripted(1, [b"UTF8"], UTF8=b"+OK\r\n")
    with scene.postfix.settings(smtputf8_enable="yes" if takes_utf8 else "no"):
        scene.fetch()
    assert server.verbs()[:3] == (["CAPA", "UTF8", "USER"] if takes_utf8 else ["CAPA", "USER", "PASS"])
    assert list(scene.got()) == ["mail-0"]


NO_UIDL = {"UIDL": b"-ERR unknown command\r\n"}


def test_without_uidl(scene, scripted):
    server = scripted(3, [], **NO_UIDL)
    scene.fetch()
    assert sorted(scene.got()) == ["mail-0", "mail-1", "mail-2"] and server.messages == []
    assert "UIDL" in server.verbs()


@pytest.mark.parametrize("pipelining", [True, False])
def test_lost_quit_without_uidl(scene, scripted, pipelining):
    """What was deleted is there again, under no name: it is known by its content."""
    server = scripted(3, [b"PIPELINING"] if pipelining else [], QUIT=lambda session, _: session.drop(), **NO_UIDL)
    scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    assert len(server.messages) == 3 and "DELE" in server.verbs()
    server.messages.insert(1, ("new", bait(3)))
    del server.answers["QUIT"]
    scene.fetch()
    assert scene.got() == {f"mail-{n}": ["anna@example.org"] for n in range(4)}
    assert server.messages == []


def test_keeping_needs_uidl(scene, scripted):
    scene.account.update(keep="forever")
    server = scripted(1, [], **NO_UIDL)
    result = scene.mailhaul.fetch_once().expect(75)
    assert any("keep: none" in line.text for line in result.lines()), result.err
    assert "RETR" not in server.verbs()
