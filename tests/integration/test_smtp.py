# SPDX-License-Identifier: Apache-2.0
"""inject.method: smtp: through a listener of Postfix's own."""

import contextlib
import pathlib
import signal
import socketserver
import threading

import pytest
from commands import run
from conftest import LISTENER
from mails import mail
from postgrey import PORT as POSTGREY_PORT
from postgrey import Postgrey
from rspamd import BAD_CLIENT, Rspamd
from rspamd import PORT as RSPAMD_PORT
from waiting import wait_for

SERVICE = "mailhaul/unix"
pytestmark = pytest.mark.usefixtures("listener")


@pytest.fixture(autouse=True)
def by_smtp(scene):
    scene.inject_by_smtp()
    scene.account["recipients"] = {"trusted_hosts": [".isp.example"]}


@contextlib.contextmanager
def listener_settings(scene, **values):
    """The listener has these values of its own inside this block."""
    master = pathlib.Path("/etc/postfix/master.cf")
    saved = master.read_bytes()
    for name, value in values.items():
        run("postconf", "-P", f"{SERVICE}/{name}={value}")
    scene.postfix.stop()
    scene.postfix.start()
    try:
        yield
    finally:
        master.write_bytes(saved)
        scene.postfix.stop()
        scene.postfix.start()


def table(scene, text):
    """A table that no chroot hides: the name for main.cf."""
    path = scene.mailhaul.folder / "table"
    path.write_text(text)
    return path


def sessions(scene, words):
    """The lines of the listener in Postfix's log that have these words."""
    return [line for line in scene.mail_log().splitlines() if "mailhaul/smtpd" in line and words in line]


def clients(scene):
    """{case: client=… of Postfix's log}"""
    queue = {}
    for line in scene.mail_log().splitlines():
        if " client=" in line and "/smtpd[" in line:
            identity, client = line.split("]: ", 1)[1].split(": client=")
            queue[identity] = client.split(",")[0]
    return {m.message_id.strip("<").split("@")[0]: queue[m.queue_id]
            for m in scene.messages().values() if m.queue_id in queue}


def test_verdict_and_queue_id(scene):
    scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(40)))
    result = scene.fetch()
    lines = result.lines(status="injected")
    assert len(lines) == 40
    routed = {line["id"]: line.text.split(":")[0] for line in scene.mailhaul.lines("milter")
              if line["status"] == "routed"}
    for line in lines:
        assert line["queue"] in scene.messages()
        assert routed[line.text.split(":")[0]] == line["queue"]
    assert scene.got() == {f"m{n}": ["anna@example.org"] for n in range(40)}
    assert scene.mailbox.uids() == []
    begun = len(sessions(scene, " connect "))
    assert 0 < begun <= 4, "sessions are kept"
    wait_for(lambda: len(sessions(scene, " disconnect ")) == begun, "their end")
    assert all("quit=1" in line for line in sessions(scene, " disconnect ")), "none is lost"
    assert set(clients(scene).values()) == {"mail.sender.example[192.0.2.7]"}


def test_content_arrives_as_by_sendmail(scene):
    body = b"one\n.\n..two\n\n. three\n" + b"x" * 5000 + b"\n\xe4\xf6\xfc \xc3\xa4\nlast ."
    scene.put(mail("dots", envelope="anna@example.org", body=body))
    scene.fetch()
    (message,) = scene.postfix.delivered()["anna@example.org"]
    assert body + b"\n" in message


def test_null_sender_and_notify(scene):
    """Nobody outside is ever told of what becomes of a mail."""
    scene.may_bounce.add("refused@example.org")
    users = scene.mailhaul.folder / "users.txt"
    users.write_text("refused@example.org\nanna@example.org\n")
    scene.mailhaul.config["directory"] = [{"file": str(users)}]
    scene.put(mail("null", envelope="anna@example.org", sender=""),
              mail("bounces", envelope="refused@example.org"))
    scene.fetch()
    assert scene.got() == {"null": ["anna@example.org"]}
    assert "someone@sender.example" not in [a for m in scene.messages().values() for a in m.sent]


@pytest.mark.parametrize("reply, status", [
    ("550 5.7.1 never", "parked"), ("450 4.7.1 later", "retry"),
])
def test_a_refused_message_does_not_hold_up_others(scene, reply, status):
    senders = table(scene, f"bad@sender.example {reply}\n")
    scene.mailhaul.config["inject"]["retry"] = "1h"
    bad, _ = scene.put(mail("bad", envelope="anna@example.org", sender="bad@sender.example"),
                       mail("good", envelope="anna@example.org"))
    with listener_settings(
        scene, smtpd_sender_restrictions=f"check_sender_access,texthash:{senders}"
    ):
        result = scene.fetch(75 if status == "retry" else 0)
    (line,) = result.lines(uid=bad)
    assert line["status"] == status and reply[:9] in line["reason"] and reply[10:] in line["reason"]
    assert scene.got() == {"good": ["anna@example.org"]}
    assert scene.mailbox.uids() == [bad]
    scene.fetch(75 if status == "retry" else 0)
    assert len(scene.got()) == 1 and scene.mailbox.uids() == [bad]


def test_a_session_that_ends_with_the_first_refusal(scene):
    senders = table(scene, "bad@sender.example 550 5.7.1 never\n")
    bad, _ = scene.put(mail("bad", envelope="anna@example.org", sender="bad@sender.example"),
                       mail("good", envelope="anna@example.org"))
    with listener_settings(
        scene, smtpd_sender_restrictions=f"check_sender_access,texthash:{senders}",
        smtpd_hard_error_limit="1", smtpd_delay_reject="no",
    ):
        (line,) = scene.fetch().lines(uid=bad)
    assert line["status"] == "parked" and "never" in line["reason"]
    assert scene.got() == {"good": ["anna@example.org"]}


def test_larger_than_the_listener_takes(scene):
    (uid,) = scene.put(mail("large", envelope="anna@example.org", body=b"text\n" * 20000))
    with listener_settings(scene, message_size_limit="50000"):
        (line,) = scene.fetch().lines(uid=uid)
        assert line["status"] == "oversize"
        assert scene.fetch().lines(uid=uid) == [], "it is reported once"
    assert scene.mailbox.uids() == [uid]


def test_nothing_is_fetched_while_the_listener_lacks_the_milter(scene):
    (uid,) = scene.put(mail("waits", envelope="anna@example.org"))
    with listener_settings(scene, smtpd_milters=""):
        result = scene.fetch(75)
    assert "listener" in result.err and "mailhaul setup postfix" in result.err
    assert scene.mailbox.uids() == [uid] and not scene.messages()


def test_nobody_listens(scene):
    """Nothing is lost, nothing is blamed on the message."""
    (uid,) = scene.put(mail("waits", envelope="anna@example.org"))
    with scene.postfix.stopped():
        result = scene.mailhaul.fetch_once().expect(75)
        assert "cannot connect to /var/spool/postfix/public/mailhaul" in result.err
        assert result.lines(uid=uid) == []
    assert scene.mailbox.uids() == [uid]
    scene.fetch()
    assert scene.got() == {"waits": ["anna@example.org"]}


def test_milter_away_behind_our_back(scene):
    """With require_milter it would not even be tried."""
    scene.mailhaul.config["inject"]["require_milter"] = False
    (uid,) = scene.put(mail("waits", envelope="anna@example.org"))
    result = scene.mailhaul.fetch_once(milter=False).expect(75)
    assert "4.7.1 Service unavailable" in result.err and "collecting pauses" in result.err
    assert result.lines(uid=uid) == []
    scene.fetch()
    assert scene.got() == {"waits": ["anna@example.org"]}


def test_fallback_that_postfix_does_not_know(scene):
    scene.account["fallback"] = "missing@example.org"
    (uid,) = scene.put(mail("waits", envelope="anna@example.org"))
    with listener_settings(scene, smtpd_recipient_restrictions="reject_unlisted_recipient"):
        result = scene.fetch(75)
    assert "fallback address" in result.err and "collecting pauses" in result.err
    assert scene.mailbox.uids() == [uid]


def test_daemon_goes_on_when_postfix_restarts(scene):
    """Kept sessions end with it."""
    scene.mailhaul.start_fetcher()
    scene.put(mail("before", envelope="anna@example.org"))
    wait_for(lambda: "before" in scene.got(), "the first mail")
    with scene.postfix.stopped():
        pass
    scene.put(mail("after", envelope="anna@example.org"))
    wait_for(lambda: "after" in scene.got(), "the second mail")


def test_a_reload_changes_the_way(scene):
    """From the next message on; what was kept open is closed."""
    scene.mailhaul.start_fetcher()
    ways = [{"method": "sendmail"}, {"method": "smtp", "smtp": {"socket": LISTENER}}]
    for number in range(4):
        (uid,) = scene.put(mail(f"m{number}", envelope="anna@example.org"))
        wait_for(lambda: scene.mailhaul.lines(uid=uid, status="injected"), "the mail")
        (line,) = scene.mailhaul.lines(uid=uid, status="injected")
        assert (line["queue"] is not None) == (number % 2 == 0), line.text
        scene.mailhaul.config["inject"] = ways[number % 2]
        scene.mailhaul.write()
        scene.mailhaul.send_signal("fetcher", signal.SIGHUP)
        wait_for(lambda: scene.mailhaul.log("fetcher").count("configuration reloaded") > number, "the reload")
    scene.postfix.wait_until_idle()
    assert len(scene.got()) == 4


def test_sessions_do_not_wait_for_ever(scene):
    """An smtpd(8) is ours for a few seconds only."""
    scene.put(mail("one", envelope="anna@example.org"))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: "one" in scene.got(), "the mail")
    wait_for(lambda: sessions(scene, " disconnect "), "the end of the session", 40)
    assert "quit=1" in sessions(scene, " disconnect ")[0]


def test_by_host_and_port(scene):
    master = pathlib.Path("/etc/postfix/master.cf")
    saved = master.read_text()
    entry = next(line for line in run("postconf", "-M", SERVICE).splitlines())
    master.write_text(saved + entry.replace("mailhaul   unix", "127.0.0.1:10025 inet") + "\n")
    scene.postfix.stop()
    scene.postfix.start()
    scene.inject_by_smtp(host="127.0.0.1", port=10025)
    scene.mailhaul.groups = []
    try:
        scene.put(mail("inet", envelope="anna@example.org"))
        scene.fetch()
    finally:
        master.write_text(saved)
        scene.postfix.stop()
        scene.postfix.start()
    assert scene.got() == {"inet": ["anna@example.org"]}
    assert clients(scene) == {"inet": "mail.sender.example[192.0.2.7]"}


BOUNDARY = (b"Received: from mail.sender.example (mail.sender.example [192.0.2.7])\n"
            b"\tby mx.isp.example")


def other_client(message, line):
    assert BOUNDARY in message
    return message.replace(BOUNDARY, line + b"\n\tby mx.isp.example")


def test_the_origin_of_each_message(scene):
    """As the boundary names it; nothing that a sender could have written."""
    forged = b"Received: from x (trusted.example [198.51.100.1]) by mx.isp.example; Sat, 21 Nov 2026 10:00:00 +0000"
    scene.put(
        mail("plain", envelope="anna@example.org"),
        other_client(mail("nameless", envelope="anna@example.org"),
                     b"Received: from helo.example (unknown [203.0.113.4])"),
        other_client(mail("six", envelope="anna@example.org"),
                     b"Received: from six.example (six.example [IPv6:2001:db8::6])"),
        other_client(mail("no-address", forged.decode(), envelope="anna@example.org"),
                     b"Received: from helo.example"),
        other_client(mail("odd-helo", envelope="anna@example.org"),
                     b"Received: from a'b\\\"c (odd.example [203.0.113.5])"),
    )
    scene.fetch()
    assert clients(scene) == {
        "plain": "mail.sender.example[192.0.2.7]",
        "nameless": "unknown[203.0.113.4]",
        "six": "unknown[unknown]",  # inet_protocols = ipv4
        "no-address": "unknown[unknown]",
        "odd-helo": "odd.example[203.0.113.5]",
    }
    assert len(scene.got()) == 5


def test_without_xclient(scene):
    scene.mailhaul.config["inject"]["smtp"]["xclient"] = False
    scene.put(mail("plain", envelope="anna@example.org"))
    scene.fetch()
    assert clients(scene) == {"plain": "localhost[127.0.0.1]"}


def test_xclient_only_once(scene):
    """Where the list of those who may does not hold everybody: a session each."""
    scene.put(mail("one", envelope="anna@example.org"),
              other_client(mail("two", envelope="anna@example.org"),
                           b"Received: from helo.example (unknown [203.0.113.4])"))
    with listener_settings(scene, smtpd_authorized_xclient_hosts="127.0.0.1"):
        scene.mailhaul.config["inject"]["parallel"] = 1
        scene.fetch()
    assert clients(scene) == {"one": "mail.sender.example[192.0.2.7]", "two": "unknown[203.0.113.4]"}


def test_a_policy_server_judges_the_origin(scene):
    """Greylisting: the first mail of a client waits, and keeps nobody else waiting."""
    scene.mailhaul.config["inject"]["retry"] = "100ms"
    scene.put(mail("first", envelope="anna@example.org"))
    postgrey = Postgrey(scene.mailhaul.folder)
    restrictions = f"reject_unauth_destination,check_policy_service,inet:127.0.0.1:{POSTGREY_PORT}"
    try:
        with listener_settings(scene, smtpd_recipient_restrictions=restrictions):
            # Where that takes more than a second the next try has been made, too.
            (line, *_) = scene.mailhaul.fetch_once().lines(status="retry")
            assert "Greylisted" in line["reason"]
            scene.put(other_client(mail("other", envelope="anna@example.org"),
                                   b"Received: from helo.example (unknown [203.0.113.4])"))
            wait_for(lambda: scene.mailhaul.fetch_once().status == 0, "the next try", 20)
            scene.postfix.wait_until_idle()
    finally:
        postgrey.stop()
    assert scene.got() == {"first": ["anna@example.org"], "other": ["anna@example.org"]}
    asked = {line.split("sender=")[0] for line in postgrey.log().splitlines() if "reason=new" in line}
    assert asked == {
        "action=greylist, reason=new, client_name=mail.sender.example, client_address=192.0.2.7, ",
        "action=greylist, reason=new, client_name=unknown, client_address=203.0.113.4, ",
    }


def test_rspamd_judges_the_origin(scene):
    """Behind our milter: the ticket is gone, the client is the true one."""
    bad = other_client(mail("bad", envelope="anna@example.org"),
                       f"Received: from helo.example (bad.example [{BAD_CLIENT}])".encode())
    scene.put(mail("good", envelope="anna@example.org"))
    (uid,) = scene.put(bad)
    rspamd = Rspamd(scene.mailhaul.folder)
    milters = f"unix:mailhaul/milter.sock,inet:127.0.0.1:{RSPAMD_PORT}"
    try:
        with listener_settings(scene, smtpd_milters=milters):
            result = scene.fetch()
    finally:
        rspamd.stop()
    assert scene.got() == {"good": ["anna@example.org"]}
    (line,) = result.lines(uid=uid)
    assert line["status"] == "parked" and "Spam message rejected" in line["reason"]
    assert scene.mailbox.uids() == [uid]
    assert "ip: 192.0.2.7" in rspamd.log() and f"ip: {BAD_CLIENT}" in rspamd.log()


class ScriptedSmtp:
    """A listener that takes a message, and then does what a test says: a
    function of the connection, after the final dot, or "" for an acceptance."""

    def __init__(self, path, after_dot=None):
        self.messages = messages = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b"220 scripted ESMTP\r\n")
                while line := self.rfile.readline():
                    verb = line.split()[0].upper()
                    if verb != b"DATA":
                        self.wfile.write(b"250 2.0.0 ok\r\n")
                        continue
                    self.wfile.write(b"354 go on\r\n")
                    message = []
                    while (line := self.rfile.readline()) not in (b".\r\n", b""):
                        message.append(line)
                    messages.append((b"".join(message), line != b""))
                    if after_dot:
                        after_dot(self)
                        return
                    self.wfile.write(b"250 2.0.0 Ok: queued as SCRIPTED\r\n")

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self._server.daemon_threads = True
        path.chmod(0o666)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def scripted(scene):
    """scripted(after_dot): the listener is this one from now on."""
    servers = []

    def start(after_dot=None):
        path = scene.mailhaul.folder / f"listener{len(servers)}"
        servers.append(ScriptedSmtp(path, after_dot))
        scene.inject_by_smtp(socket=str(path))
        scene.mailhaul.config["inject"].update(require_milter=False, retry="100ms")
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_no_answer_to_the_final_dot(scene, scripted):
    """It may have been taken or not: it comes again, so that it is not lost."""
    server = scripted(lambda session: None)
    (uid,) = scene.put(mail("unknown", envelope="anna@example.org"))
    (line, *_) = scene.mailhaul.fetch_once().expect(75).lines(uid=uid)
    assert line["status"] == "retry" and "closed the connection" in line["reason"]
    assert scene.mailbox.uids() == [uid]
    assert server.messages and all(whole for _, whole in server.messages)
    again = scripted()
    wait_for(lambda: scene.mailhaul.fetch_once().status == 0, "the next try", 20)
    assert len(again.messages) == 1 and scene.mailbox.uids() == []


def test_silence_after_the_final_dot(scene, scripted):
    scripted(lambda session: session.rfile.read())
    scene.mailhaul.config["inject"]["timeout"] = "1s"
    (uid,) = scene.put(mail("unknown", envelope="anna@example.org"))

    def is_told():
        """Not where this machine is silent, earlier."""
        result = scene.mailhaul.fetch_once().expect(75)
        assert result.lines(uid=uid) == [] and scene.mailbox.uids() == [uid]
        return "was not taken within 1 s (end of message)" in result.err

    wait_for(is_told, "the reason")


def test_killed_in_the_middle_of_a_message(scene, scripted):
    """No final dot: the server knows that it has only a part."""
    server = scripted()
    scene.put(mail("large", envelope="anna@example.org", body=b"x" * 70 + b"\n" * (1 << 20)))
    scene.mailhaul.fetch_once(crash="injecting-part:5", timeout=60)
    wait_for(lambda: server.messages, "the end of the session")
    assert [whole for _, whole in server.messages] == [False]
    scene.mailhaul.fetch_once().expect(0)
    assert [whole for _, whole in server.messages] == [False, True]
