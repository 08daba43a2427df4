# SPDX-License-Identifier: Apache-2.0
"""Postfix, the milter, the directory or one message in trouble: mail waits where
it is safe, and nobody is called unknown."""

import contextlib
import subprocess

from mails import case_of, mail
from sink import Sink
from waiting import wait_for

NEXT_HOP_PORT = 2528


@contextlib.contextmanager
def slapd_down(scene):
    scene.slapd.stop()
    try:
        yield
    finally:
        scene.slapd.start()


def nothing_was_fetched(scene, uids):
    assert scene.mailbox.uids() == uids
    assert not scene.postfix.waiting() and not scene.messages()


def cron_mail_arrives(scene):
    """A mail that some program of this host sends is not held up."""
    subprocess.run(
        ["sendmail", "-i", "-f", "root@example.org", "--", "second@example.org"],
        input=mail("cron"), check=True, timeout=20,
    )
    wait_for(lambda: "cron" in scene.got(), "the cron mail")
    assert scene.got() == {"cron": ["second@example.org"]}


def test_46_received_fields_are_parked(scene):
    hop = "Received: from a.example (a.example [192.0.2.1]) by b.example; Sat, 21 Nov 2026 10:00:00 +0000"
    (looping, good) = scene.put(
        mail("loop", *([hop] * 45), envelope="anna@example.org"),
        mail("good", *([hop] * 40), envelope="anna@example.org"),
    )
    result = scene.fetch()
    assert scene.got() == {"good": ["anna@example.org"]}
    assert scene.mailbox.uids() == [looping]
    (line,) = result.lines(uid=looping)
    assert line["status"] == "parked" and line["reason"]
    assert scene.fetch().lines(status="injected") == [], f"{good} came twice"
    assert scene.mailbox.uids() == [looping]


def test_own_mail_that_comes_back_is_parked(scene):
    (uid,) = scene.put(mail("first", envelope="anna@example.org"))
    scene.fetch()
    (message,) = scene.postfix.delivered()["anna@example.org"]
    (again,) = scene.put(b"X-Envelope-To: anna@example.org\n" + message)
    result = scene.fetch()
    (line,) = result.lines(uid=again)
    assert line["status"] == "parked"
    assert scene.mailbox.uids() == [again] and uid != again


def test_final_recipient_refused_by_the_next_hop(scene):
    scene.put(mail("refused", envelope="refused@example.org"))
    scene.may_bounce = {"refused@example.org"}
    scene.fetch()
    assert scene.world.refusing.recipients, "the next hop was not asked"
    assert scene.got() == {}
    (archived,) = scene.mailhaul.archive()
    assert b"X-Case: refused\n" in archived
    notices = scene.postfix.delivered().get("postmaster@example.org", [])
    assert any(b"refused@example.org" in notice for notice in notices), "postmaster was not told"


def test_next_hop_without_smtputf8(scene):
    """Many mails have raw 8-bit characters in their header, and Dovecot's LMTP 2.3 or
    an older Exchange does not offer SMTPUTF8."""
    scene.put(
        mail("utf-8", "Subject: Gr\u00fc\u00dfe", envelope="anna@example.org"),
        mail("latin-1", envelope="anna@example.org").replace(b"X-Case", b"X-Text: Gr\xfc\xdfe\nX-Case"),
        mail("recipient", envelope="j\u00fcrgen@example.org"),
    )
    hop = Sink(NEXT_HOP_PORT, smtputf8=False)
    try:
        with scene.postfix.settings(
            transport_maps=f"inline:{{ {{ example.org = smtp:[127.0.0.1]:{NEXT_HOP_PORT} }} }}"
        ):
            scene.fetch()
    finally:
        hop.stop()
    assert sorted(case_of(m.replace(b"\r\n", b"\n")) for _, m in hop.messages) == ["latin-1", "recipient", "utf-8"]


def test_postfix_that_wants_smtputf8(scene):
    with scene.postfix.settings(smtputf8_autodetect_classes="sendmail, verify"):
        result = scene.fetch()
    assert result.err.count("smtputf8_autodetect_classes = verify") == 1
    assert "smtputf8" not in scene.fetch().err


def test_postfix_stopped(scene):
    """sendmail(1) takes mail without Postfix's daemons: it waits in maildrop."""
    uids = scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(3)))
    with scene.postfix.stopped():
        result = scene.mailhaul.fetch_once()
        assert scene.got() == {}
    assert len(uids) == len(result.lines(status="injected")) + len(scene.mailbox.uids())
    scene.fetch()
    assert scene.got() == {f"m{n}": ["anna@example.org"] for n in range(3)}


def test_milter_down(scene):
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    result = scene.mailhaul.fetch_once(milter=False).expect(75)
    nothing_was_fetched(scene, uids)
    assert "milter" in result.err
    scene.fetch()
    assert scene.got() == {"waits": ["anna@example.org"]}


def test_milter_that_dies_and_returns(scene):
    scene.mailhaul.start_fetcher()
    scene.put(mail("before", envelope="anna@example.org"))
    wait_for(lambda: "before" in scene.got() and not scene.mailbox.uids(), "the first mail", 20)
    scene.postfix.wait_until_idle()
    scene.mailhaul.kill("milter")
    mark = len(scene.mailhaul.log("fetcher"))
    # For a second the fetcher goes by what the milter said before.
    wait_for(lambda: "waiting: milter" in scene.mailhaul.log("fetcher")[mark:], "the reason in the log", 30)
    uids = scene.put(mail("during", envelope="anna@example.org"))
    assert scene.mailhaul.command("fetch", "--wait", "20s", "office").expect(75)
    assert scene.mailbox.uids() == uids and not scene.postfix.waiting()
    scene.mailhaul.start_milter()
    wait_for(lambda: "during" in scene.got(), "the mail that waited", 60)
    assert scene.got() == {"before": ["anna@example.org"], "during": ["anna@example.org"]}


def test_slapd_down(scene):
    uids = scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(5)))
    with slapd_down(scene):
        result = scene.mailhaul.fetch_once().expect(75)
        nothing_was_fetched(scene, uids)
        assert "office" in result.err
        cron_mail_arrives(scene)
    wait_for(lambda: scene.mailhaul.ask_milter() == "OK", "the milter to see slapd again", 60)
    scene.fetch()
    assert scene.got() == {
        "cron": ["second@example.org"],
        **{f"m{n}": ["anna@example.org"] for n in range(5)},
    }


def test_slapd_goes_and_returns_under_the_daemon(scene):
    scene.mailhaul.config["cache"] = {"found": "1s", "absent": "1s", "stale": "0s"}
    scene.mailbox.record()
    scene.mailhaul.start_fetcher()
    scene.put(mail("before", envelope="anna@example.org"))
    wait_for(lambda: "before" in scene.got() and not scene.mailbox.uids(), "the first mail", 20)
    mark = len(scene.mailhaul.log("fetcher"))
    with slapd_down(scene):
        # For a second the fetcher goes by what the milter said before.
        wait_for(lambda: "waiting:" in scene.mailhaul.log("fetcher")[mark:], "the reason in the log", 30)
        uids = scene.put(mail("known", envelope="ben@example.org"),
                         mail("unknown", envelope="nobody@example.org"))
        sessions = len(scene.mailbox.commands())
        assert scene.mailhaul.command("fetch", "--wait", "20s", "office").expect(75)
        assert scene.mailbox.uids() == uids and len(scene.mailbox.commands()) == sessions
    wait_for(lambda: len(scene.got()) == 3, "the mails that waited", 90)
    assert scene.got() == {
        "before": ["anna@example.org"],
        "known": ["ben@example.org"],
        "unknown": ["office@example.org"],
    }


def test_milter_missing_from_main_cf(scene):
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    with scene.postfix.settings(non_smtpd_milters=""):
        result = scene.mailhaul.fetch_once().expect(75)
        nothing_was_fetched(scene, uids)
        assert "non_smtpd_milters" in result.err
        cron_mail_arrives(scene)
    scene.fetch()
    assert scene.got()["waits"] == ["anna@example.org"]


def test_wrong_password(scene):
    scene.mailhaul.secret("office.password", "not the password")
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    result = scene.mailhaul.fetch_once().expect(75)
    nothing_was_fetched(scene, uids)
    assert any("office" in line.text and "try auth: plain" in line.text for line in result.lines()), result.err
    assert "not the password" not in result.err
    scene.account["auth"] = "plain"
    assert "try auth" not in scene.mailhaul.fetch_once().expect(75).err


def test_one_bad_account_does_not_stop_the_other(scene):
    bad = scene.world.mailbox("bad")
    scene.mailhaul.add_account(bad, "broken", host="127.0.0.1", port=1)
    scene.put(mail("good", envelope="anna@example.org"))
    result = scene.fetch(status=75)
    assert scene.got() == {"good": ["anna@example.org"]}
    assert any("broken" in line.text for line in result.lines())
    scene.put(mail("second", envelope="anna@example.org"))
    scene.mailhaul.fetch_once("--account", "office").expect(0)


def test_two_mailboxes_at_once(scene):
    other = scene.world.mailbox("other")
    scene.mailhaul.add_account(other, "second", fallback="second@example.org")
    scene.put(mail("one"))
    other.put(mail("two"))
    scene.fetch()
    assert scene.got() == {"one": ["office@example.org"], "two": ["second@example.org"]}


def test_oversize_message_stays_and_is_reported_once(scene):
    (big,) = scene.put(mail("big", envelope="anna@example.org", body=b"x" * 70 + b"\n" * 300_000))
    scene.put(mail("small", envelope="anna@example.org"))
    with scene.postfix.settings(message_size_limit="200000"):
        first = scene.fetch()
        second = scene.fetch()
    (line,) = first.lines(status="oversize")
    assert line["uid"] == big and line["reason"]
    assert second.lines(status="oversize") == []
    assert scene.got() == {"small": ["anna@example.org"]}
    assert scene.mailbox.uids() == [big]
    # With the limit raised it comes.
    scene.fetch()
    assert scene.got()["big"] == ["anna@example.org"]


def test_message_that_postfix_refuses_is_parked(scene):
    refuser = scene.mailhaul.folder / "sendmail"
    refuser.write_text('#!/bin/sh\nif head -c 4000 /proc/self/fd/0 | grep -q "^X-Case: bad"; then\n'
                       'echo "sendmail: fatal: not this one" >&2; exit 75; fi\n'
                       'exec /usr/sbin/sendmail "$@"\n')
    refuser.chmod(0o755)
    scene.mailhaul.config["inject"] = {"sendmail": str(refuser), "retry": "100ms", "max_tries": 3}
    (bad, _) = scene.put(mail("bad", envelope="anna@example.org"),
                         mail("good", envelope="anna@example.org"))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: scene.mailhaul.lines(uid=bad, status="parked"), "the message to be parked", 40)
    wait_for(lambda: "good" in scene.got(), "the other message", 20)
    assert len(scene.mailhaul.lines(uid=bad, status="retry")) == 2
    assert "not this one" in scene.mailhaul.lines(uid=bad, status="parked")[0]["reason"]
    assert scene.mailbox.uids() == [bad]
