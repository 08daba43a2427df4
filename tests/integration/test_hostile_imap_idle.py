# SPDX-License-Identifier: Apache-2.0
"""IMAP servers that lie, stall or break off while the daemon idles: what comes is
collected, and nothing that they say takes memory or becomes a storm."""

import pytest
from hostile_imap import Hostile, close, endless, letter, silence
from scripted_imap import CAPABILITIES
from waiting import wait_for


@pytest.fixture
def idling(scene, hostile):
    """start(answers, settings): the daemon waits for mail in a server's INBOX."""

    def start(answers=None, capabilities=CAPABILITIES, **settings):
        server = hostile(Hostile("", answers or {}, capabilities=capabilities), ())
        scene.account.update({"every": "1h", **settings})
        scene.mailhaul.start_fetcher()
        return server

    return start


def arrives(scene, server, case, timeout=40):
    server.deliver(letter(case))
    wait_for(lambda: not server.messages, f"{case} to be collected", timeout,
             lambda: f"{server.commands}\n{scene.mailhaul.log('fetcher')}")
    scene.postfix.wait_until_idle()
    assert scene.got()[case] == ["anna@example.org"]


def test_idle_hears_of_new_mail(scene, idling):
    server = idling()
    wait_for(lambda: "IDLE" in server.verbs(), "IDLE")
    arrives(scene, server, "first")
    arrives(scene, server, "second")
    assert server.logins == 1


def test_idle_that_never_ends_is_broken_off(scene, idling):
    server = idling({"DONE": silence}, timeout="6s")
    wait_for(lambda: "IDLE" in server.verbs(), "IDLE")
    arrives(scene, server, "first", 60)
    assert scene.mailhaul.stop("fetcher", timeout=30) == 0


@pytest.mark.parametrize("answer", [b"TAG NO not now\r\n", b"TAG BAD what\r\n", close])
def test_idle_refused_polls(scene, idling, answer):
    server = idling({"IDLE": answer}, every="1s")
    wait_for(lambda: "IDLE" in server.verbs(), "IDLE")
    arrives(scene, server, "first")


def test_server_without_idle_is_polled(scene, idling):
    server = idling(capabilities="IMAP4rev1 AUTH=PLAIN UIDPLUS", every="1s")
    wait_for(lambda: server.logins > 1, "a second pass")
    arrives(scene, server, "first")
    assert "IDLE" not in server.verbs()


def test_idle_is_renewed(scene, idling):
    """A server that has forgotten to tell, or a connection that is dead."""

    def deaf(session, _):
        session.send(b"+ idling\r\n")
        session.tag, done = session.tag, session.line()
        session.server.commands.append(b"- " + (done or b""))
        session.ok()

    server = idling({"IDLE": deaf}, idle_renew="1s")
    wait_for(lambda: "IDLE" in server.verbs(), "IDLE")
    arrives(scene, server, "first")
    assert server.logins == 1


@pytest.mark.parametrize("noise", [b"* OK Still here\r\n", b"* 0 EXISTS\r\n* 0 RECENT\r\n"])
def test_idle_that_tells_nothing_new_is_no_storm(scene, idling, noise):
    told = []

    def chatter(session, argument):
        session.send(b"+ idling\r\n")
        while not session.has_more(0.005):
            session.send(noise)
            told.append(noise)
        session.line()
        session.ok()

    server = idling({"IDLE": chatter})
    wait_for(lambda: len(told) > 400, "much talk", 20)
    assert len(server.commands) < 60


def test_flood_of_bytes_while_idling_is_bounded(scene, idling):
    def flood(session, argument):
        session.send(b"+ idling\r\n")
        endless(b"x" * 65536)(session, argument)

    server = idling({"IDLE": flood})
    wait_for(lambda: scene.mailhaul.lines() and "without a line end" in scene.mailhaul.log("fetcher"),
             "the end of it", 20, lambda: scene.mailhaul.log("fetcher"))
    assert scene.mailhaul.peak_memory("fetcher") < 32 * 1024 * 1024
    assert server.verbs().count("IDLE") < 5
