# SPDX-License-Identifier: Apache-2.0
"""This machine in trouble: full disks, sendmail(1) and postconf(1) that fail."""

import contextlib
import pathlib
import shutil
import signal

import pytest
from commands import run
from mails import mail
from scripted_pop3 import ScriptedPop3
from waiting import wait_for

BAIT = mail("bait", envelope="anna@example.org").replace(b"\n", b"\r\n")


@contextlib.contextmanager
def small_disk(folder, size):
    """`folder` is a file system of its own; yields a function that resizes it."""
    folder.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size},mode=2770", "tmpfs", folder)
    shutil.chown(folder, "mailhaul", "mailhaul")
    try:
        yield lambda new: run("mount", "-o", f"remount,size={new}", folder)
    finally:
        run("umount", "--lazy", folder)


@pytest.fixture
def stand_in(scene):
    """stand_in(SHELL): what runs in the place of sendmail(1), with its arguments."""

    def write(shell, name="sendmail"):
        path = scene.mailhaul.folder / name
        path.write_text(f"#!/bin/sh\n{shell}\n")
        path.chmod(0o755)
        scene.mailhaul.config.setdefault("inject", {})[name] = str(path)
        return path

    return write


def test_spool_full(scene):
    """The large mail waits, everybody else's comes; with room it comes too."""
    scene.mailhaul.config["archive"] = {"keep": "0s"}
    other = scene.world.mailbox("other")
    scene.mailhaul.add_account(other, "other")
    with small_disk(scene.mailhaul.state / "spool", "256k") as resize:
        uids = scene.put(mail("large", envelope="anna@example.org", body=b"x" * 70 + b"\n" * 600_000))
        scene.mailhaul.start_fetcher()
        wait_for(lambda: "No space left" in scene.mailhaul.log("fetcher"), "the error in the log", 30)
        other.put(mail("small", envelope="ben@example.org"))
        wait_for(lambda: "small" in scene.got(), "the other account's mail", 40)
        assert scene.mailbox.uids() == uids
        resize("8m")
        wait_for(lambda: "large" in scene.got(), "the large mail", 60)
        scene.mailhaul.stop("fetcher")
        assert scene.mailhaul.spool() == []
    assert scene.got() == {"large": ["anna@example.org"], "small": ["ben@example.org"]}


def test_state_full_after_postfix_has_accepted(scene, stand_in):
    """What cannot be recorded is not deleted and not fetched again; nothing else
    is fetched; all goes on when there is room."""
    with small_disk(scene.mailhaul.state, "1m"):
        fill = scene.mailhaul.state / "fill"
        stand_in(f'/usr/sbin/sendmail "$@" || exit\n[ -e {fill}.once ] && exit\n: >{fill}.once\n'
                 f"dd if=/dev/zero of={fill} bs=4k 2>/dev/null\nexit 0")
        scene.mailhaul.config["inject"]["parallel"] = 1
        uids = scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(3)))
        scene.mailhaul.start_fetcher()
        wait_for(lambda: "state.db" in scene.mailhaul.log("fetcher"), "the error in the log", 30)
        wait_for(lambda: scene.got(), "the mail that Postfix has", 20)
        # Time enough for another try of the record.
        wait_for(lambda: scene.provider_log().count("Login:") >= 1, "the log-in", 5)
        assert scene.mailbox.uids() == uids and len(scene.got()) == 1
        fill.unlink()
        wait_for(lambda: not scene.mailbox.uids(), "all mail to be deleted at the provider", 40)
        scene.mailhaul.stop("fetcher")
    scene.postfix.wait_until_idle()
    assert scene.got() == {f"m{n}": ["anna@example.org"] for n in range(3)}


@pytest.mark.slow
def test_stop_while_the_record_cannot_be_written(scene, stand_in):
    """It ends all the same, and says what may happen."""
    with small_disk(scene.mailhaul.state, "1m"):
        fill = scene.mailhaul.state / "fill"
        stand_in(f'/usr/sbin/sendmail "$@" || exit\ndd if=/dev/zero of={fill} bs=4k 2>/dev/null\nexit 0')
        scene.put(mail("one", envelope="anna@example.org"))
        scene.mailhaul.start_fetcher()
        wait_for(lambda: "state.db" in scene.mailhaul.log("fetcher"), "the error in the log", 30)
        assert scene.mailhaul.stop("fetcher", timeout=45) == 0
    assert "may arrive twice" in scene.mailhaul.log("fetcher")


def commands_that_run():
    found = b""
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += path.read_bytes()
    return found


@pytest.mark.parametrize("shell, words", [
    ("sleep 4711 & sleep 4711", "timed out and was killed"),
    ("exec /nonexistent/sendmail", "exit status 127"),
    ("exit 0", "read only 0 of"),
    ("echo 'fatal: no luck' >&2; exit 75", "fatal: no luck"),
    ("kill -9 $$", "signal 9"),
])
def test_sendmail_that_fails(scene, stand_in, shell, words):
    stand_in(shell)
    scene.mailhaul.config["inject"]["timeout"] = "1s" if "timed out" in words else "60s"
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    result = scene.mailhaul.fetch_once().expect(75)
    assert words in result.err and scene.mailbox.uids() == uids
    assert scene.mailhaul.spool() == [] and not scene.postfix.waiting()
    wait_for(lambda: b"sleep\0004711" not in commands_that_run(), "the end of its children")


def test_sendmail_missing_is_nobodys_message(scene, stand_in):
    """However long it takes, no message is charged for it."""
    stand_in("").unlink()
    (uid,) = scene.put(mail("waits", envelope="anna@example.org"))
    scene.mailhaul.config["inject"]["max_tries"] = 1
    scene.mailhaul.fetch_once().expect(75)
    result = scene.mailhaul.fetch_once().expect(75)
    assert "cannot run" in result.err and not result.lines(uid=uid)
    stand_in('exec /usr/sbin/sendmail "$@"')
    scene.fetch()
    assert scene.got() == {"waits": ["anna@example.org"]}


@pytest.mark.parametrize("shell, words", [
    (None, "cannot run"),
    ("echo 'fatal: bad main.cf' >&2; exit 1", "fatal: bad main.cf"),
    ("echo 'message_size_limit = many'", "postconf"),
])
def test_postconf_that_fails(scene, stand_in, shell, words):
    path = stand_in(shell, "postconf")
    if shell is None:
        path.unlink()
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    result = scene.mailhaul.fetch_once().expect(75)
    assert any("account=office" in line.text and words in line.text for line in result.lines()), result.err
    assert scene.mailbox.uids() == uids
    assert f"Login: user=<{scene.mailbox.user}>" not in scene.provider_log()


def test_one_refused_message_does_not_pause_the_others(scene, stand_in):
    """Refused again and again, it is its own fault, not this machine's."""
    stand_in('if head -c 4000 /proc/self/fd/0 | grep -q "^X-Case: bad"; then exit 75; fi\n'
             'exec /usr/sbin/sendmail "$@"')
    scene.mailhaul.config["inject"].update(retry="100ms", max_tries=6)
    (bad,) = scene.put(mail("bad", envelope="anna@example.org"))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: scene.mailhaul.lines(uid=bad, status="parked"), "the message to be parked", 30)
    assert "collecting pauses" not in scene.mailhaul.log("fetcher")


def silence(session, _):
    session.server.stopping.wait(60)


@pytest.mark.parametrize("verb", ["", "CAPA", "PASS", "STAT", "UIDL", "RETR", "DELE", "QUIT"])
def test_sigterm_while_the_server_is_silent(scene, verb):
    """Twice, as impatient people do it."""
    reached = []

    def stall(session, argument):
        reached.append(verb)
        silence(session, argument)

    server = ScriptedPop3([("u1", BAIT)], {verb: stall}, scene.world.certificates.pair("pop"))
    scene.account["port"] = server.port
    try:
        scene.mailhaul.start_fetcher()
        wait_for(lambda: reached, f"the session to reach {verb}", 20)
        scene.mailhaul.send_signal("fetcher", signal.SIGTERM)
        assert scene.mailhaul.stop("fetcher", timeout=20) == 0
    finally:
        server.stop()
    assert [uid for uid, _ in server.messages] == ["u1"]


def test_sigterm_while_sendmail_runs(scene, stand_in):
    """What Postfix is taking is waited for, recorded and deleted."""
    running = scene.mailhaul.folder / "running"
    running.mkdir()
    shutil.chown(running, "mailhaul")
    stand_in(f': >{running}/started\nwhile [ ! -e {running}/go ]; do sleep 0.05; done\n'
             'exec /usr/sbin/sendmail "$@"')
    scene.put(mail("one", envelope="anna@example.org"))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: (running / "started").exists(), "sendmail", 20)
    scene.mailhaul.send_signal("fetcher", signal.SIGTERM)
    wait_for(lambda: "stopping" in scene.mailhaul.log("fetcher"), "the signal to be seen")
    (running / "go").touch()
    assert scene.mailhaul.stop("fetcher") == 0
    scene.postfix.wait_until_idle()
    assert scene.got() == {"one": ["anna@example.org"]} and scene.mailbox.uids() == []
