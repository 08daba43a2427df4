# SPDX-License-Identifier: Apache-2.0
"""Ordinary mail that comes by SMTP: the milter in Postfix's smtpd_milters."""

import contextlib
import re
import smtplib
import socket
import threading
import time

import pytest
import slapd as slapd_module
from commands import run
from mails import mail
from postfix import MILTER, QUEUE
from waiting import wait_for

UNKNOWN = "550 5.1.1 <{}>: Recipient address rejected: User unknown"
OK = "250 2.1.5 Ok"
OUTSIDE = "someone@sender.example"
DOMAINS = [
    {"domain": "example.org", "catch_all": "office@example.org"},
    "example.net",
    {"domain": "old.example", "map_to": "example.org"},
]


@pytest.fixture(scope="module")
def smtpd(world):
    """smtpd asks our milter, and refuses nobody by itself."""
    with world.postfix.settings(
        smtpd_milters=MILTER,
        smtpd_reject_unlisted_recipient="no",
        virtual_alias_domains="old.example",
        virtual_alias_maps="inline:{ { alias@example.org = anna@example.org },"
        " { anna@old.example = anna@example.org } }",
        recipient_delimiter="+",
        smtpd_authorized_xclient_hosts="127.0.0.1",
    ):
        yield world.postfix


@pytest.fixture
def smtp(scene, smtpd):
    """The installation, with an address file; `mode` is milter.smtp."""

    def start(mode, *people):
        people = people or ("anna@example.org", "ben@example.org", "dora@example.net")
        users = scene.mailhaul.folder / "users.txt"
        users.write_text("".join(f"{address}\n" for address in people))
        config = scene.mailhaul.config
        config["accepted_domains"] = DOMAINS
        config["recipient_delimiter"] = "+"
        config["directory"] = [{"file": str(users)}]
        config["milter"]["smtp"] = mode
        scene.mailhaul.start_milter()
        return users

    return start


@contextlib.contextmanager
def client(port=25):
    connection = smtplib.SMTP("127.0.0.1", port, timeout=60)
    connection.ehlo("client.example")
    yield connection
    with contextlib.suppress(smtplib.SMTPServerDisconnected):
        connection.quit()


def send(case, *recipients, sender=OUTSIDE, options=(), top=""):
    """One message: the answers to its recipients; sent when one was taken."""
    with client() as connection:
        return transaction(connection, case, recipients, sender, options, top)


def transaction(connection, case, recipients, sender=OUTSIDE, options=(), top=""):
    connection.mail(sender)
    answers = []
    for recipient in recipients:
        code, text = connection.rcpt(recipient, options)
        answers.append(f"{code} {text.decode()}")
    if any(answer.startswith("250") for answer in answers):
        text = mail(case, sender=sender).decode().replace("\n", "\r\n")
        code, reply = connection.data(top + text)
        assert code == 250, reply
    else:
        connection.rset()
    return answers


def delivered(scene):
    scene.postfix.wait_until_idle()
    return scene.got()


def test_reject(scene, smtp):
    smtp("reject")
    answers = send("mixed", "dora@example.net", "nobody@example.org", "Nobody+x@example.org",
                   "BEN+x@Example.ORG", "anna@old.example", "nobody@old.example",
                   "office@example.org", "postmaster@example.org")
    assert answers == [
        OK, UNKNOWN.format("nobody@example.org"), UNKNOWN.format("Nobody+x@example.org"), OK,
        OK, UNKNOWN.format("nobody@old.example"), OK, OK,
    ]
    assert send("none", "nobody@example.net") == [UNKNOWN.format("nobody@example.net")]
    log = scene.mailhaul.log("milter")
    assert re.search(
        r"\]: NOQUEUE: reject: RCPT from unknown\[127\.0\.0\.1\]: 550 5\.1\.1"
        r" <nobody@example\.net>: Recipient address rejected: User unknown;"
        r" from=<someone@sender\.example> to=<nobody@example\.net> reason=", log)
    # Later recipients have the queue id.
    assert re.search(r"\]: [0-9A-F]{6,}: reject: RCPT from .* to=<nobody@old\.example>", log)
    assert delivered(scene) == {"mixed": [
        "anna@example.org", "ben@example.org", "dora@example.net", "office@example.org",
        "postmaster@example.org"]}


def test_aliases(scene, smtp):
    """Its people take its place where recipients may be replaced; its own copies of them
    are one."""
    people = ["anna@example.org", "ben@example.org", "left@example.net"]
    scene.mailhaul.config["aliases"] = [
        {"address": "team@example.org", "to": people},
        {"address": "former@example.net", "to": ["left@example.net"]},
    ]
    smtp("catch_all")
    assert send("team", "Team@example.org", "BEN@example.org", "dora@example.net",
                "former@example.net") == [OK, OK, OK, UNKNOWN.format("former@example.net")]
    assert send("mapped", "team+x@old.example") == [OK]
    wanted = {"team": ["anna@example.org", "ben@example.org", "dora@example.net"],
              "mapped": ["anna@example.org", "ben@example.org"]}
    assert delivered(scene) == wanted


def test_an_alias_is_nobody_where_nothing_is_replaced(scene, smtp):
    scene.mailhaul.config["aliases"] = [
        {"address": "team@example.org", "to": ["anna@example.org"]}]
    smtp("reject")
    assert send("refused", "team@example.org") == [UNKNOWN.format("team@example.org")]


def test_null_sender_and_early_queue_id(scene, smtp):
    """Does not look like mail by sendmail(1), which is never refused."""
    smtp("reject")
    assert send("null", "nobody@example.org", sender="") == [UNKNOWN.format("nobody@example.org")]
    with scene.postfix.settings(smtpd_delay_open_until_valid_rcpt="no"):
        answers = send("early", "nobody@example.org", "anna@example.org", sender="")
        assert answers == [UNKNOWN.format("nobody@example.org"), OK]
    assert delivered(scene) == {"early": ["anna@example.org"]}


def test_directory_away(scene, smtp):
    users = smtp("reject")
    users.unlink()
    answers = send("later", "anna@example.org", "nobody@example.org", "office@example.org")
    assert [answer[:9] for answer in answers] == ["451 4.3.0", "451 4.3.0", OK[:9]]
    assert "try again later" in answers[0] and "users.txt" not in answers[0]
    assert "users.txt" in scene.mailhaul.log("milter")
    assert delivered(scene) == {"later": ["office@example.org"]}


def test_others_mail_is_left_alone(scene, smtp):
    """Foreign recipients, from inside and from outside; relaying stays Postfix's."""
    users = smtp("reject")
    users.unlink()
    assert send("out", "eve@elsewhere.example", sender="anna@example.org") == [OK]
    scene.postfix.wait_until_idle()
    (command,) = scene.sink.recipients
    assert command.startswith("RCPT TO:<eve@elsewhere.example>")
    scene.sink.recipients.clear()
    with client() as connection:
        connection.docmd("XCLIENT", "ADDR=192.0.2.9 NAME=mx.sender.example")
        connection.ehlo("mx.sender.example")
        connection.mail(OUTSIDE)
        code, text = connection.rcpt("eve@elsewhere.example")
        assert (code, text[:5]) == (454, b"4.7.1")  # Postfix's own
    assert "reject" not in scene.mailhaul.log("milter")


def test_the_client_in_the_log_is_the_real_one(scene, smtp):
    smtp("reject")
    with client() as connection:
        connection.docmd("XCLIENT", "ADDR=192.0.2.9 NAME=mx.sender.example")
        connection.ehlo("mx.sender.example")
        connection.mail(OUTSIDE)
        assert connection.rcpt("nobody@example.org")[0] == 550
    assert "RCPT from mx.sender.example[192.0.2.9]: 550" in scene.mailhaul.log("milter")


def test_local_mail_is_left_alone(scene, smtp):
    """A refusal would leave mail by sendmail(1) in maildrop for good."""
    smtp("reject")
    letter = scene.mailhaul.folder / "letter"
    letter.write_bytes(mail("cron"))
    run("sh", "-c", f"sendmail -f root@example.org second@example.org <{letter}")
    assert delivered(scene) == {"cron": ["second@example.org"]}


def test_collected_mail_passes(scene, smtp):
    """By sendmail(1) and by SMTP: the fallback is never looked up."""
    smtp("reject")
    scene.put(mail("case", to="anna@example.org"), mail("none", to="nobody@example.org"))
    scene.fetch()
    assert scene.got() == {"case": ["anna@example.org"], "none": ["office@example.org"]}


def test_off(scene, smtp):
    smtp("off")
    assert send("case", "second@example.org") == [OK]
    assert delivered(scene) == {"case": ["second@example.org"]}


@pytest.mark.parametrize("recipients, wanted", [
    (["nobody@example.org"], ["office@example.org"]),
    (["NoBody@Example.ORG", "nobody@example.org"], ["office@example.org"]),
    (["one@example.org", "two@example.org", "anna@example.org"],
     ["anna@example.org", "office@example.org"]),
    (["one@example.org", "Office@Example.org"], ["office@example.org"]),
    (["office@example.org", "one@example.org"], ["office@example.org"]),
    (["ben+x@old.example"], ["ben@example.org"]),
    (["anna@old.example", "ANNA@example.org", "anna@example.org"], ["anna@example.org"]),
    (["nobody@old.example", "alias@example.org"], ["office@example.org"]),
], ids=["one", "twice", "two-and-a-person", "catch-all-too", "catch-all-first", "mapped",
        "mapped-too", "mapped-nobody"])
def test_catch_all(scene, smtp, recipients, wanted):
    smtp("catch_all")
    assert send("case", *recipients) == [OK] * len(recipients)
    assert delivered(scene) == {"case": wanted}


def test_catch_all_is_refused_where_there_is_none(scene, smtp):
    smtp("catch_all")
    answers = send("case", "nobody@example.net", "nobody@example.org", "dora@example.net")
    assert answers == [UNKNOWN.format("nobody@example.net"), OK, OK]
    assert delivered(scene) == {"case": ["dora@example.net", "office@example.org"]}
    assert re.search(
        r"\]: [0-9A-F]{6,}: catch_all: <nobody@example\.org> to=<office@example\.org>;"
        r" from=<someone@sender\.example>", scene.mailhaul.log("milter"))


def test_catch_all_when_the_directory_is_away(scene, smtp):
    smtp("catch_all").unlink()
    assert send("case", "nobody@example.org")[0].startswith("451 4.3.0")
    assert not delivered(scene)


def test_parameters_are_carried_over(scene, smtp):
    """As the queue file of the replaced recipient has them."""
    smtp("catch_all")
    with scene.postfix.settings(defer_transports="virtual"):
        send("case", "nobody@example.org",
             options=["NOTIFY=DELAY,FAILURE", "ORCPT=rfc822;nobody+2Bx@a.example"])
        queued = wait_for(
            lambda: [path for path in (QUEUE / "deferred").rglob("*") if path.is_file()],
            "a deferred message")
        text = run("postcat", "-e", "-q", queued[0].name)
    run("postqueue", "-f")
    last = text[text.rindex("notify_flags"):]
    assert "notify_flags=12\n" in last, text  # FAILURE and DELAY
    assert "dsn_orig_rcpt=rfc822;nobody+x@a.example\n" in last, text
    assert "recipient: office@example.org\n" in last
    assert delivered(scene) == {"case": ["office@example.org"]}


def test_forged_ticket(scene, smtp):
    """Ordinary mail: the field is removed, the recipient replaced."""
    smtp("catch_all")
    send("case", "nobody@example.org", top="X-Mailhaul-Ticket: v=1; forged\r\n")
    scene.postfix.wait_until_idle()
    (message,) = scene.postfix.delivered()["office@example.org"]
    assert b"Ticket" not in message
    assert len(scene.mailhaul.lines("milter", status="deferred")) + len(
        scene.mailhaul.lines("milter", status="passed")) == 1


def test_sessions_in_parallel_while_the_directory_is_slow(scene, smtpd):
    """Each is answered for itself, none waits for all the others."""
    sessions = 100
    scene.mailhaul.config["milter"]["smtp"] = "reject"
    scene.mailhaul.config["accepted_domains"] = ["example.org"]
    with slow_directory(scene, 0.5):
        scene.mailhaul.start_milter()
        answers, begun = [None] * sessions, time.monotonic()

        def ask(number):
            known = number % 2 == 0
            to = "anna@example.org" if known else f"nobody{number}@example.org"
            (answers[number],) = send(f"n{number}", to)
            # As any server does; the directory has its time-out.
            while known and answers[number].startswith("451") and time.monotonic() - begun < 60:
                (answers[number],) = send(f"n{number}", to)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - begun
    for number, answer in enumerate(answers):
        expected = [OK] if number % 2 == 0 else [
            UNKNOWN.format(f"nobody{number}@example.org"), "451"]
        assert any(answer.startswith(text) for text in expected), (number, answer)
    assert took < 60
    scene.postfix.wait_until_idle()
    assert len(scene.postfix.delivered().get("anna@example.org", [])) == sessions // 2


@contextlib.contextmanager
def slow_directory(scene, seconds):
    """A relay in front of slapd that holds back each answer."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.listen(200)

    def pump(source, target, pause):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                time.sleep(pause)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", slapd_module.LDAPS))
                for arguments in ((near, far, 0), (far, near, seconds)):
                    threading.Thread(target=pump, args=arguments, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    ldap = scene.mailhaul.config["directory"][0]["ldap"]
    ldap["uri"] = [f"ldaps://ldap.example.org:{listener.getsockname()[1]}"]
    try:
        yield
    finally:
        # Or the thread that accepts goes on, and at last with another's socket.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
