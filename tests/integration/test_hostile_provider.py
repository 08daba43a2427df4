# SPDX-License-Identifier: Apache-2.0
"""Servers that lie, stall or break off: a clear line in the log, nothing injected
that is not whole, nothing deleted that was not injected, other accounts go on."""

import re
import signal
from dataclasses import dataclass, field

import pytest
from mails import mail
from scripted_pop3 import ScriptedPop3, stuffed
from waiting import wait_for

BAIT = mail("bait", envelope="anna@example.org", body=b"line\n" * 200).replace(b"\n", b"\r\n")
WIRE = b"+OK\r\n" + stuffed(BAIT) + b".\r\n"


@dataclass
class Hostile:
    """What the server does, and what Mailhaul must say of it.

    `says`: a regular expression that the account's log line must match.
    """

    says: str
    answers: dict = field(default_factory=dict)
    tls: str = "pop3s"
    never_sent: tuple = ("DELE",)
    account: dict = field(default_factory=dict)


def close(session, _):
    session.drop()


def half_then_close(session, _):
    session.send(WIRE[: len(WIRE) // 2])
    session.drop()


def whole_but_end_then_close(session, _):
    session.send(WIRE[:-3])
    session.drop()


def half_then_silence(session, _):
    session.send(WIRE[: len(WIRE) // 2])
    session.server.stopping.wait(60)


def silence(session, _):
    session.server.stopping.wait(60)


def endless_line(session, _):
    chunk = b"x" * 65536
    while not session.server.stopping.is_set():
        session.send(chunk)


def endless_listing(session, _):
    session.send(b"+OK\r\n")
    number = 0
    while not session.server.stopping.is_set():
        session.send(b"".join(b"%d u%d\r\n" % (n, n) for n in range(number + 1, number + 5001)))
        number += 5000


def endless_capabilities(session, _):
    session.send(b"+OK\r\n")
    while not session.server.stopping.is_set():
        session.send(b"X-CAPABILITY\r\n" * 5000)


def inject_after_stls(session, _):
    session.send(b"+OK go on\r\n+OK you are in\r\n+OK really\r\n")
    session.start_tls()


CASES = {
    "greeting-of-a-mail-server": Hostile(
        r"greeting", {"": b"220 mx.isp.example ESMTP\r\n"}, never_sent=("USER", "AUTH")),
    "greeting-refused": Hostile(r"too many", {"": b"-ERR too many connections\r\n"}),
    "closed-at-once": Hostile(r"clos", {"": close}),
    "silence-at-greeting": Hostile(r"(?i)silen|time|answer", {"": silence}, account={"timeout": "2s"}),
    "endless-greeting": Hostile(r"without a line end", {"": endless_line}),
    "endless-capabilities": Hostile(r"CAPA", {"CAPA": endless_capabilities}),
    "log-in-refused": Hostile(r"\[AUTH\] no", {"PASS": b"-ERR [AUTH] no\r\n"}),
    "closed-at-password": Hostile(r"clos", {"PASS": close}),
    "no-uidl": Hostile(r"UIDL", {"UIDL": b"-ERR unknown command\r\n"}, never_sent=("RETR", "DELE")),
    "uidl-without-uid": Hostile(r"UID", {"UIDL": b"+OK\r\n1\r\n.\r\n"}, never_sent=("RETR", "DELE")),
    "uidl-too-long": Hostile(
        r"UID", {"UIDL": b"+OK\r\n1 " + b"u" * 300 + b"\r\n.\r\n"}, never_sent=("RETR", "DELE")),
    "uidl-endless-line": Hostile(r"without a line end", {"UIDL": endless_line}, never_sent=("RETR", "DELE")),
    "uidl-endless-listing": Hostile(r"UIDL", {"UIDL": endless_listing}, never_sent=("RETR", "DELE")),
    "uidl-huge-number": Hostile(
        r"UIDL", {"UIDL": b"+OK\r\n18446744073709551617 u\r\n.\r\n"}, never_sent=("RETR", "DELE")),
    "stat-nonsense": Hostile(r"STAT", {"STAT": b"+OK many\r\n"}, never_sent=("RETR", "DELE")),
    "closed-in-mid-message": Hostile(r"clos", {"RETR": half_then_close}),
    "closed-before-the-last-dot": Hostile(r"clos", {"RETR": whole_but_end_then_close}),
    "silence-in-mid-message": Hostile(
        r"(?i)silen|time|answer", {"RETR": half_then_silence}, account={"timeout": "2s"}),
    "endless-reply-to-retr": Hostile(r"without a line end", {"RETR": endless_line}),
    "stls-not-offered": Hostile(
        r"STLS", {"CAPA": b"+OK\r\nUSER\r\nUIDL\r\n.\r\n"}, tls="stls", never_sent=("USER", "PASS", "AUTH")),
    "stls-refused": Hostile(
        r"STLS", {"STLS": b"-ERR not today\r\n"}, tls="stls", never_sent=("USER", "PASS", "AUTH")),
    "stls-injection": Hostile(
        r"(?i)TLS", {"STLS": inject_after_stls}, tls="stls", never_sent=("USER", "PASS", "AUTH")),
}


@pytest.fixture
def hostile(scene):
    """start(Hostile, messages): a server for the account, stopped afterwards."""
    servers = []

    def start(case, messages=(("u1", BAIT),)):
        server = ScriptedPop3(
            messages, case.answers, None if case.tls == "none" else scene.world.certificates.pair("pop"),
            implicit=case.tls == "pop3s",
        )
        servers.append(server)
        scene.account.update(port=server.port, protocol="pop3s" if case.tls == "pop3s" else "pop3")
        scene.account.update(case.account)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("name", CASES)
def test_hostile_server(scene, hostile, name):
    case = CASES[name]
    server = hostile(case)
    good = scene.world.mailbox("good")
    good.put(mail("good", envelope="ben@example.org"))
    scene.mailhaul.add_account(good, "good")
    result = scene.mailhaul.fetch_once(timeout=90).expect(75)
    scene.postfix.wait_until_idle()
    about = [line.text for line in result.lines() if "office" in line.text]
    assert any(re.search(case.says, text) for text in about), f"no line says {case.says}:\n{result.err}"
    assert scene.got() == {"good": ["ben@example.org"]}
    assert [uid for uid, _ in server.messages] == ["u1"]
    sent = server.verbs()
    assert not set(case.never_sent) & set(sent), sent
    assert scene.mailhaul.spool() == []
    assert all(len(line) < 4200 and line.isprintable() for line in result.err.splitlines())


# Bytes on the wire after "+OK", and the message that must arrive.
BODIES = {
    "dot-stuffed": (b"a\r\n..b\r\n...\r\n....\r\nc\r\n", b"a\n.b\n..\n...\nc\n"),
    "lf-dot-lf": (b"a\n.\nb\r\n", b"a\n.\nb\n"),
    "cr-dot-cr": (b"a\r.\rb\r\n", None),
    "lf-dot-crlf": (b"a\n.\r\nb\r\n", b"a\n.\nb\n"),
    "crlf-dot-lf": (b"a\r\n.\nb\r\n", None),
    "nul": (b"a\x00b\r\n", b"a\x00b\n"),
    "8-bit": ("grüße\r\n".encode(), "grüße\n".encode()),
    "long-line": (b"x" * 100_000 + b"\r\n", b"x" * 100_000 + b"\n"),
}


@pytest.mark.parametrize("name", BODIES)
def test_nothing_ends_a_message_but_crlf_dot_crlf(scene, hostile, name):
    wire, wanted = BODIES[name]
    head = BAIT[: BAIT.index(b"\r\n\r\n") + 4]
    hostile(Hostile("", {"RETR": b"+OK\r\n" + head + wire + b"the end\r\n.\r\n"}))
    scene.mailhaul.fetch_once()
    # The body has no closing line of ours: look at it directly, then forget it.
    scene.postfix.wait_until_idle()
    (message,) = scene.postfix.delivered()["anna@example.org"]
    scene.postfix.forget_delivered()
    body = message[message.index(b"\n\n") + 2 :].rstrip(b"\n") + b"\n"
    assert body.endswith(b"the end\n")
    if wanted is not None:
        assert body == wanted + b"the end\n"


def test_slow_server_that_goes_on_is_waited_for(scene, hostile):
    """Silence has a limit, slowness does not."""

    def drip(session, _):
        head, tail = WIRE[:-40], WIRE[-40:]
        session.send(head)
        session.drip(tail, 0.2, session.server.stopping)

    hostile(Hostile("", {"RETR": drip}, account={"timeout": "6s"}))
    scene.fetch()
    assert scene.got() == {"bait": ["anna@example.org"]}


def test_server_without_capa_is_asked_for_stls(scene, hostile):
    server = hostile(Hostile("", {"CAPA": b"-ERR what\r\n"}, tls="stls"))
    scene.fetch()
    assert scene.got() == {"bait": ["anna@example.org"]}
    assert server.verbs()[:2] == ["CAPA", "STLS"]


@pytest.mark.parametrize("tls", ["pop3s", "stls"])
@pytest.mark.parametrize("answer", [close, silence])
def test_server_that_cannot_bear_capa(scene, hostile, answer, tls):
    server = hostile(Hostile("", {"CAPA": answer}, tls=tls, account={"timeout": "6s", "keep": "forever"}))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: "no answer to CAPA (the next try does without it): " in scene.mailhaul.log("fetcher"),
             "the first try", 20)
    for _ in range(2):
        scene.mailhaul.command("fetch", "--wait", "20s", "office").expect(0)
    scene.postfix.wait_until_idle()
    assert scene.got() == {"bait": ["anna@example.org"]}
    assert server.verbs().count("CAPA") == 1
    # When that fails, too, it was not CAPA's fault.
    server.answers["USER"] = close
    scene.mailhaul.command("fetch", "--wait", "20s", "office").expect(69)
    server.answers.clear()
    scene.mailhaul.command("fetch", "--wait", "20s", "office").expect(0)
    assert server.verbs().count("CAPA") > 1


def test_banner_for_apop_is_not_used(scene, hostile):
    server = hostile(Hostile("", {"": b"+OK <1896.697170952@isp.example> ready\r\n"}))
    scene.fetch()
    assert "APOP" not in server.verbs()
    assert scene.got() == {"bait": ["anna@example.org"]} and server.messages == []


def test_deletion_refused_does_not_fetch_twice(scene, hostile):
    server = hostile(Hostile("", {"DELE": b"-ERR read-only\r\n"}))
    scene.mailhaul.fetch_once()
    scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    assert scene.got() == {"bait": ["anna@example.org"]}
    assert [uid for uid, _ in server.messages] == ["u1"]
    assert server.verbs().count("RETR") == 1


def test_same_uid_twice_is_not_lost(scene, hostile):
    second = mail("second", envelope="anna@example.org").replace(b"\n", b"\r\n")
    server = hostile(Hostile(""), [("same", BAIT), ("same", second)])
    scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    remaining = {message for _, message in server.messages}
    for case, message in (("bait", BAIT), ("second", second)):
        assert message in remaining or case in scene.got(), f"{case} is lost"


def test_message_that_is_refused_does_not_stop_the_next(scene, hostile):
    second = mail("second", envelope="anna@example.org").replace(b"\n", b"\r\n")

    def retrieve(session, argument):
        if argument == b"1":
            session.send(b"-ERR message is damaged\r\n")
        else:
            session.server.answer_rightly(session, "RETR", argument)

    server = hostile(Hostile("", {"RETR": retrieve}), [("u1", BAIT), ("u2", second)])
    scene.mailhaul.fetch_once().expect(75)
    scene.postfix.wait_until_idle()
    assert scene.got() == {"second": ["anna@example.org"]}
    assert [uid for uid, _ in server.messages] == ["u1"]


def second_message():
    return mail("second", envelope="anna@example.org").replace(b"\n", b"\r\n")


def test_server_that_closes_at_a_message_gives_the_next(scene, hostile):
    """Whatever it dislikes there must not be the end of all mail behind it."""

    def retrieve(session, argument):
        if argument == b"1":
            session.drop()
        session.server.answer_rightly(session, "RETR", argument)

    server = hostile(Hostile("", {"RETR": retrieve}), [("u1", BAIT), ("u2", second_message())])
    scene.mailhaul.fetch_once().expect(75)
    scene.mailhaul.fetch_once().expect(75)
    scene.postfix.wait_until_idle()
    assert scene.got() == {"second": ["anna@example.org"]}
    assert [uid for uid, _ in server.messages] == ["u1"]


def test_server_that_closes_instead_of_answering_quit(scene, hostile):
    def quit_silently(session, _):
        session.server._do_quit(session, b"")
        session.drop()

    server = hostile(Hostile("", {"QUIT": quit_silently}), [("u1", BAIT), ("u2", second_message())])
    scene.account["max_messages_per_pass"] = 1
    result = scene.fetch()
    assert scene.got() == {"bait": ["anna@example.org"], "second": ["anna@example.org"]}
    assert server.messages == [] and "no answer to QUIT" in result.err
    assert {line["deleted"] for line in result.lines() if line["deleted"]} == {"0"}, "nobody confirmed one"


def test_reply_that_nobody_asked_for_is_no_part_of_a_message(scene, hostile):
    """Taken for the answer to RETR, it would make the answer the first header line."""

    def retrieve(session, argument):
        said = []
        session.send = said.append
        session.server.answer_rightly(session, "RETR", argument)
        del session.send
        session.send(b"".join(said) + b"+OK by the way\r\n")

    scene.account["keep"] = "forever"
    hostile(Hostile("", {"RETR": retrieve}), [("u1", BAIT), ("u2", second_message())])
    result = scene.mailhaul.fetch_once().expect(75)
    scene.postfix.wait_until_idle()
    assert scene.got() == {"bait": ["anna@example.org"]}
    assert any("unexpected reply (ready)" in line.text for line in result.lines())


def test_message_larger_than_the_server_said(scene, hostile):
    """Found out on the way, reported once, not fetched again."""
    big = mail("big", envelope="anna@example.org", body=b"x" * 70 + b"\n" * 300_000)
    server = hostile(
        Hostile("", {"LIST": b"+OK\r\n1 10\r\n2 10\r\n.\r\n"}),
        [("u1", big.replace(b"\n", b"\r\n")), ("u2", second_message())],
    )
    scene.account["keep"] = "forever"
    with scene.postfix.settings(message_size_limit="200000"):
        first = scene.fetch()
        second = scene.fetch()
    (line,) = first.lines(status="oversize")
    assert line["uid"] == "u1" and line["reason"] and second.lines(status="oversize") == []
    assert scene.got() == {"second": ["anna@example.org"]}
    assert server.verbs().count("RETR") == 2 and scene.mailhaul.spool() == []


def test_listing_of_many_messages_that_are_too_large(scene, hostile):
    """Their reports are not all in memory at once."""
    count = 50_000
    sizes = b"".join(b"%d 999999999\r\n" % n for n in range(1, count + 1))
    uids = b"".join(b"%d u%d\r\n" % (n, n) for n in range(1, count + 1))
    hostile(Hostile("", {
        "STAT": b"+OK %d 1\r\n" % count,
        "UIDL": b"+OK\r\n" + uids + b".\r\n",
        "LIST": b"+OK\r\n" + sizes + b".\r\n",
    }))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: len(scene.mailhaul.lines(status="oversize")) > 100, "some reports", 60)
    assert scene.mailhaul.peak_memory("fetcher") < 32 * 1024 * 1024


def test_listing_of_endless_uids(scene, hostile):
    """The longest that are allowed, and very many."""
    count = 400_000
    uids = b"".join(b"%d %0250d\r\n" % (n, n) for n in range(1, count + 1))
    hostile(Hostile("", {"STAT": b"+OK %d 1\r\n" % count, "UIDL": b"+OK\r\n" + uids + b".\r\n"}))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: "take more than 64 MiB" in scene.mailhaul.log("fetcher"), "the error", 60)
    assert scene.mailhaul.peak_memory("fetcher") < 112 * 1024 * 1024


def test_large_mailbox_of_which_all_is_known(scene, hostile):
    count = 100_000
    hostile(Hostile("", {
        "STAT": b"+OK %d 1\r\n" % count,
        "UIDL": b"+OK\r\n" + b"".join(b"%d %032x\r\n" % (n, n) for n in range(1, count + 1)) + b".\r\n",
        "LIST": b"+OK\r\n" + b"".join(b"%d 999\r\n" % n for n in range(1, count + 1)) + b".\r\n",
    }))
    scene.account["keep"] = "forever"
    scene.mailhaul.command("seen", "baseline", "office").expect(0)
    scene.mailhaul.start_fetcher()
    wait_for(lambda: scene.mailhaul.passes() >= 3, "three passes", 90)
    assert scene.mailhaul.peak_memory("fetcher") < 48 * 1024 * 1024


def test_what_is_wrong_with_a_mailbox_is_told_once(scene, hostile):
    """Deletions refused and a UID listed twice, at every poll."""
    server = hostile(
        Hostile("", {"DELE": b"-ERR read-only\r\n"}), [("u1", BAIT), ("u2", second_message())])
    other = ScriptedPop3([("same", BAIT), ("same", BAIT)], {}, scene.world.certificates.pair("pop"))
    scene.mailhaul.add_account(scene.world.mailbox(), "twice", port=other.port, keep="forever")
    try:
        scene.mailhaul.start_fetcher()
        wait_for(lambda: server.verbs().count("QUIT") > 3 and other.verbs().count("QUIT") > 3, "four polls", 40)
    finally:
        other.stop()
    log = scene.mailhaul.log("fetcher")
    assert log.count("read-only") == 1 and log.count("under a UID") == 1
    scene.postfix.wait_until_idle()
    assert scene.got() == {"bait": ["anna@example.org"], "second": ["anna@example.org"]}


def test_uid_that_is_used_again_is_another_message(scene, hostile):
    """RFC 1939 lets a server use a UID again once its message is gone."""
    server = hostile(Hostile(""), [("1", BAIT)])
    scene.account["every"] = "1h"
    scene.mailhaul.start_fetcher()
    wait_for(lambda: not server.messages, "the first message to be deleted", 20)
    server.messages.append(("1", second_message()))
    scene.mailhaul.send_signal("fetcher", signal.SIGUSR1)
    wait_for(lambda: not server.messages, "the second one to be deleted", 20)
    scene.postfix.wait_until_idle()
    assert scene.got() == {"bait": ["anna@example.org"], "second": ["anna@example.org"]}
    assert server.messages == []
