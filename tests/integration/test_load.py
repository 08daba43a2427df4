# SPDX-License-Identifier: Apache-2.0
"""Much mail, large mail, and an end in the middle of it."""

import signal
import time

import pytest
from mails import mail, who_got
from scripted_pop3 import ScriptedPop3
from waiting import wait_for

MIB = 1024 * 1024


@pytest.mark.slow
@pytest.mark.usefixtures("both_methods")
def test_200_mb_message_in_32_mib(scene, capsys):
    line = b"0123456789abcdef" * 4 + b"\n"
    scene.put(mail("big", envelope="anna@example.org", body=line * (200 * MIB // len(line))))
    scene.put(mail("small", envelope="anna@example.org"))
    with scene.postfix.settings(message_size_limit=str(300 * MIB)):
        scene.mailhaul.start_fetcher()
        wait_for(lambda: not scene.mailbox.uids(), "the provider's mailbox to be empty", 240)
        scene.postfix.wait_until_idle(120)
        peak = {name: scene.mailhaul.peak_memory(name) / MIB for name in ("fetcher", "milter")}
    with capsys.disabled():
        print(f"\n200 MB message: fetcher's peak memory {peak['fetcher']:.1f} MiB, "
              f"milter's {peak['milter']:.1f} MiB")
    assert scene.got() == {"big": ["anna@example.org"], "small": ["anna@example.org"]}
    assert max(peak.values()) <= 32, peak


@pytest.mark.slow
def test_10000_small_messages(scene, capsys):
    count = 10_000
    scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(count)))
    scene.mailhaul.start_milter()
    start = time.monotonic()
    scene.mailhaul.start_fetcher()
    wait_for(lambda: not scene.mailbox.uids(), "the provider's mailbox to be empty", 500)
    fetched = time.monotonic() - start
    scene.postfix.wait_until_idle(120)
    peak = scene.mailhaul.peak_memory("fetcher") / MIB
    with capsys.disabled():
        print(f"\n10,000 messages: {count / fetched:.0f}/s from one POP3S mailbox into Postfix, "
              f"fetcher's peak memory {peak:.1f} MiB")
    got = who_got(scene.postfix.delivered())
    assert len(got) == count and set(map(tuple, got.values())) == {("anna@example.org",)}
    assert peak <= 32


def test_sigterm_with_thousands_of_deletions_to_come(scene, tmp_path):
    """At a server that takes 50 ms for each: what it was asked is done, the rest is
    deleted later."""
    count = 5000

    def delete(session, argument):
        time.sleep(0.05)
        session.server.answer_rightly(session, "DELE", argument)

    server = ScriptedPop3([(f"u{n}", b"Subject: old\r\n\r\n") for n in range(count)], {"DELE": delete},
                          scene.world.certificates.pair("pop"))
    scene.account["port"] = server.port
    seen = tmp_path / "seen"
    seen.write_text("".join(f"office\tu{n}\tinjected\t-\n" for n in range(count)))
    scene.mailhaul.command("seen", "import", str(seen)).expect(0)
    try:
        scene.mailhaul.start_fetcher()
        wait_for(lambda: server.verbs().count("DELE") > 10, "the first deletions", 30)
        start = time.monotonic()
        assert scene.mailhaul.stop("fetcher") == 0
        assert time.monotonic() - start < 15
        gone = count - len(server.messages)
        assert 10 < gone < 1000 and server.verbs()[-1] == "QUIT"
        assert f"deleted={gone} " in scene.mailhaul.log("fetcher")
        server.answers.clear()
        assert f"deleted={count - gone} " in scene.mailhaul.fetch_once().expect(0).err
    finally:
        server.stop()
    assert server.messages == []


def test_sigterm_with_messages_that_wait_for_postfix(scene):
    """Only the one that it is being given is waited for; the others stay."""
    log = scene.mailhaul.folder / "fetcher.log"
    begun = scene.mailhaul.state / "begun"
    slow = scene.mailhaul.folder / "sendmail"
    slow.write_text(f'#!/bin/sh\ntouch {begun}\nuntil grep -q stopping {log}; do sleep 0.1; done\n'
                    'exec /usr/sbin/sendmail "$@"\n')
    slow.chmod(0o755)
    count = 14  # as many as the spool takes ahead of sendmail(1), at most
    scene.mailhaul.config["inject"] = {"sendmail": str(slow), "parallel": 1}
    scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(count)))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: len(scene.mailhaul.spooled()) == count, "all messages in the spool", 30)
    wait_for(begun.exists, "sendmail(1)", 30)
    start = time.monotonic()
    assert scene.mailhaul.stop("fetcher") == 0
    assert time.monotonic() - start < 25, "it waited until its patience ended"
    assert scene.mailhaul.spool() == []
    assert "waiting:" not in scene.mailhaul.log("fetcher")
    scene.postfix.wait_until_idle()
    assert len(scene.got()) == 1 and len(scene.mailbox.uids()) == count - 1
    scene.mailhaul.config["inject"] = {}
    scene.fetch()
    assert scene.got() == {f"m{n}": ["anna@example.org"] for n in range(count)}


def test_sigterm_under_load(scene):
    count = 300
    scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(count)))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: len(scene.mailbox.uids()) < count or scene.got(), "the first mail", 30)
    start = time.monotonic()
    assert scene.mailhaul.stop("fetcher", signal.SIGTERM) == 0
    assert time.monotonic() - start < 30
    scene.postfix.wait_until_idle()
    early = len(scene.got())
    assert early < count, "all was over before the signal came"
    scene.fetch()
    assert scene.got() == {f"m{n}": ["anna@example.org"] for n in range(count)}
    assert scene.mailbox.uids() == []


def test_milter_ends_on_sigterm(scene):
    scene.put(mail("one", envelope="anna@example.org"))
    scene.fetch()
    assert scene.mailhaul.stop("milter", signal.SIGTERM) == 0


def test_many_accounts_at_once(scene):
    """Thirty mailboxes, one of them dead: all others are served."""
    boxes = [scene.world.mailbox("many") for _ in range(30)]
    for n, box in enumerate(boxes):
        box.put(mail(f"m{n}", envelope="anna@example.org"))
        scene.mailhaul.add_account(box, f"account{n}")
    scene.account.update(host="127.0.0.1", port=1)
    scene.mailhaul.start_fetcher()
    wait_for(lambda: len(scene.got()) == 30, "a mail from each mailbox", 60)
    wait_for(lambda: not any(box.uids() for box in boxes), "their deletion", 30)


def test_passes_are_limited(scene):
    scene.account["max_messages_per_pass"] = 5
    scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(23)))
    scene.fetch()
    assert len(scene.got()) == 23 and scene.mailbox.uids() == []
    assert scene.provider_log().count("Login:") >= 5


@pytest.mark.parametrize("flavour", ["release", pytest.param("san", marks=pytest.mark.slow)])
def test_everything_at_once(scene, flavour):
    """Accounts that come and go, reloads, polls on demand, a provider that
    breaks off, a milter that dies, stops in the middle of it: each mail once."""
    mailhaul, count, rounds = scene.mailhaul, 0, 12
    boxes = [scene.mailbox, *(scene.world.mailbox("busy") for _ in range(4))]
    for n, box in enumerate(boxes[1:]):
        mailhaul.add_account(box, f"busy{n}", max_messages_per_pass=3)
    accounts = list(mailhaul.config["accounts"])
    lock = mailhaul.state / "lock"

    def start():
        lock.unlink(missing_ok=True)
        mailhaul.start_fetcher(flavour=flavour)
        # So early that a signal comes while it starts.
        wait_for(lock.exists, "the fetcher to begin", 10)

    start()
    for n in range(rounds):
        for box in boxes:
            box.put(mail(f"m{count}", envelope="anna@example.org"))
            count += 1
        mailhaul.config["accounts"] = [a for i, a in enumerate(accounts) if (i + n) % 3 or n % 4 == 3]
        accounts[n % 5]["enabled"] = n % 2 == 0
        mailhaul.write()
        mailhaul.send_signal("fetcher", signal.SIGHUP if n % 5 else signal.SIGUSR1)
        before = len(scene.got())
        wait_for(lambda: len(scene.got()) > before or not any(box.uids() for box in boxes), "some mail", 30)
        if n % 4 == 1:
            scene.provider.stop()
            scene.provider.start()
        elif n % 4 == 2:
            mailhaul.kill("milter")
            mailhaul.start_milter()
        elif n % 4 == 3:
            assert mailhaul.stop("fetcher") == 0, mailhaul.log("fetcher")[-4000:]
            start()
    for account in accounts:
        account["enabled"] = True
    mailhaul.config["accounts"] = accounts
    mailhaul.write()
    mailhaul.send_signal("fetcher", signal.SIGHUP)
    wait_for(lambda: not any(box.uids() for box in boxes), "all mailboxes to be empty", 90)
    assert mailhaul.stop("fetcher") == 0, mailhaul.log("fetcher")[-4000:]
    scene.postfix.wait_until_idle()
    assert scene.got() == {f"m{n}": ["anna@example.org"] for n in range(count)}
    assert "Sanitizer" not in mailhaul.log("fetcher")
