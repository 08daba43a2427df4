# SPDX-License-Identifier: Apache-2.0
"""Limits and fairness, schedules, back-pressure and progress."""

import json
import re
import shutil
import signal
import threading
import time

import pytest
from commands import run
from mails import mail
from provider import POP3S, PORTS
from relay import Relay
from scripted_pop3 import ScriptedPop3
from waiting import wait_for

CLEAR = {"host": "127.0.0.1", "protocol": "pop3", "tls": {"mode": "never"}}


def start(scene):
    scene.mailhaul.start_fetcher()
    wait_for(lambda: scene.mailhaul.control("STATUS"), "the fetcher's control socket")


def log(scene):
    return scene.mailhaul.log("fetcher")


def told(scene, name="office"):
    """What status says of the fetcher and of an account."""
    status = json.loads(scene.mailhaul.command("status", "--json").out)
    return status["fetcher"], next(a for a in status["accounts"] if a["account"] == name)


def order(scene):
    """The UIDs in the order in which they were handed over."""
    return re.findall(r'uid="([^"]*)".*status=injected', log(scene))


class Connections:
    """Counts the connections to a port that stand at the same time."""

    def __init__(self, port):
        self._wanted = f":{port:04X} "
        self.most = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._count)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _count(self):
        before = set()
        while not self._end.wait(0.002):
            with open("/proc/net/tcp") as table:
                # The remote address is that of the server, the state ESTABLISHED.
                now = {line[6:19] for line in table if self._wanted in line[28:42] and line[34:36] == "01"}
            # The table changes while it is read: those that are in two of them stood
            # all together in between.
            self.most = max(self.most, len(now & before))
            before = now


@pytest.fixture
def server():
    """server(MESSAGES, ANSWERS): a scripted server in clear text."""
    servers = []

    def begin(messages=(), answers=None):
        servers.append(ScriptedPop3(messages, answers))
        return servers[-1]

    yield begin
    for one in servers:
        one.stop()


def over_the_wire(case):
    return mail(case, envelope="anna@example.org").replace(b"\n", b"\r\n")


def test_connections_per_host(scene):
    """30 accounts, 3 at a time, and all of them.  So far away that a session lasts."""
    relay = Relay(POP3S, delay=0.02)
    scene.mailhaul.config["fetcher"] = {"connections_per_host": 3}
    scene.mailhaul.config["accounts"].clear()
    for n in range(30):
        mailbox = scene.world.mailbox()
        mailbox.put(mail(f"m{n}", envelope="anna@example.org"))
        scene.mailhaul.add_account(mailbox, f"account{n}", every="1h", port=relay.port)
    with Connections(relay.port) as connections:
        start(scene)
        wait_for(lambda: log(scene).count("deleted=1") == 30, "all passes", 60)
    relay.shut()
    assert connections.most == 3
    scene.postfix.wait_until_idle()
    assert len(scene.got()) == 30


def test_slow_host_delays_no_other(scene, server):
    """A host that says nothing to the 20 accounts there."""
    scene.mailhaul.config["fetcher"] = {"connections": 4, "connections_per_host": 2}
    silent = server(answers={"": lambda session, _: session.server.stopping.wait(60)})
    account = scene.mailhaul.config["accounts"].pop()
    for n in range(20):
        scene.mailhaul.add_account(
            scene.mailbox, f"slow{n}", **CLEAR, port=silent.port, timeout="60s")
    scene.mailhaul.config["accounts"].append(account)
    start(scene)
    for case in ("one", "two", "three"):
        scene.put(mail(case, envelope="anna@example.org"))
        wait_for(lambda: case in scene.got(), "the mail")
    assert len(silent.commands) == 0
    states = [told(scene, f"slow{n}")[1]["state"] for n in range(3)]
    assert states == ["fetching", "fetching", "queued"]


def test_who_idles_makes_room(scene):
    """More accounts than connections, most of which would idle for ever."""
    scene.mailhaul.config["fetcher"] = {"connections": 2}
    scene.mailhaul.config["accounts"].clear()
    mailboxes = [scene.world.mailbox() for _ in range(4)]
    for n, mailbox in enumerate(mailboxes):
        scene.mailhaul.add_account(mailbox, f"account{n}", protocol="imaps")
    start(scene)
    for turn in range(2):
        for n, mailbox in enumerate(mailboxes):
            mailbox.put(mail(f"m{turn}{n}", envelope="anna@example.org"))
        wait_for(lambda: len(scene.got()) == 4 * (turn + 1), "all mail", 30)


def test_further_folders_count(scene):
    """Each that is listened to has a connection; with fewer, all are collected."""
    scene.mailhaul.config["fetcher"] = {"connections": 3}
    folders = [f"Folder{n}" for n in range(5)]
    scene.mailbox.make_folder(*folders)
    scene.account.update(protocol="imaps", folders=["INBOX", *folders], idle_renew="2s")
    with Connections(PORTS["imaps"]) as connections:
        start(scene)
        for n, folder in enumerate(folders):
            scene.mailbox.put(mail(f"m{n}", envelope="anna@example.org"), folder=folder)
        wait_for(lambda: len(scene.got()) == 5, "all mail", 40)
        wait_for(lambda: "allows no more connections" in log(scene), "the warning", 20)
        wait_for(lambda: connections.most >= 3, "three connections at a time")
    assert connections.most == 3


def test_a_backlog_delays_no_other(scene):
    """A limit ends a pass, and others have their turn."""
    scene.mailhaul.config["fetcher"] = {"connections": 1}
    scene.account["max_messages_per_pass"] = 10
    scene.put(*(mail(f"old{n}", envelope="anna@example.org") for n in range(60)))
    other = scene.world.mailbox()
    other.put(mail("other", envelope="ben@example.org"))
    scene.mailhaul.add_account(other, "other", every="1h")
    start(scene)
    wait_for(lambda: not scene.mailbox.uids(), "the end of the backlog", 60)
    accounts = re.findall(r"account=(\w+) .*status=injected", log(scene))
    assert len(accounts) == 61 and accounts.index("other") <= 20


def test_order_of_messages(scene):
    sizes = (3000, 1000, 2000)
    scene.mailhaul.config["inject"] = {"parallel": 1}
    for wanted in ("oldest", "newest", "smallest"):
        scene.account["order"] = wanted
        uids = scene.put(*(
            mail(f"{wanted}{size}", envelope="anna@example.org", body=b"x" * size) for size in sizes))
        before = len(order(scene))
        scene.fetch()
        expected = {"oldest": uids, "newest": uids[::-1],
                    "smallest": [uids[1], uids[2], uids[0]]}[wanted]
        assert order(scene)[before:] == expected


def test_bytes_per_pass(scene):
    scene.account["max_bytes_per_pass"] = "30K"
    scene.put(*(mail(f"m{n}", envelope="anna@example.org", body=b"x" * 20000) for n in range(6)))
    scene.fetch()
    assert [line["fetched"] for line in scene.mailhaul.lines("fetcher", listed="6")] == ["2"]
    assert len(scene.got()) == 6


def test_max_message_size(scene):
    """Reported once; fetched when the limit is raised."""
    scene.account["max_message_size"] = "10K"
    (uid,) = scene.put(mail("large", envelope="anna@example.org", body=b"x" * 20000))
    scene.put(mail("small", envelope="anna@example.org"))
    for _ in range(2):
        scene.fetch()
    (line,) = scene.mailhaul.lines("fetcher", status="oversize")
    assert line["uid"] == uid and "max_message_size" in line.text
    assert list(scene.got()) == ["small"] and scene.mailbox.uids() == [uid]
    scene.account["max_message_size"] = "100K"
    scene.fetch()
    assert "large" in scene.got()


def test_on_demand(scene):
    """fetch, USR1 and --once are demands; nothing else is."""
    scene.account["every"] = "on_demand"
    polled = scene.world.mailbox()
    scene.mailhaul.add_account(polled, "polled")
    start(scene)
    scene.put(mail("one", envelope="anna@example.org"))
    polled.put(mail("polled", envelope="anna@example.org"))
    wait_for(lambda: "polled" in scene.got(), "the other account's mail")
    assert told(scene)[1]["passes"] == 0 and "next_ms" not in told(scene)[1]
    said = scene.mailhaul.command("fetch", "--wait", "20s", "office", "polled").expect(0).out
    assert re.search(r"office: OK .*injected=1", said) and "polled: OK" in said
    scene.put(mail("two", envelope="anna@example.org"))
    scene.mailhaul.send_signal("fetcher", signal.SIGUSR1)
    wait_for(lambda: "two" in scene.got(), "the mail after SIGUSR1")
    scene.mailhaul.stop("fetcher")
    scene.put(mail("three", envelope="anna@example.org"))
    scene.fetch()
    assert "three" in scene.got()


def test_accounts_are_fetched_side_by_side(scene, server):
    """A slow account delays the answers about the others by nothing."""
    silent = server(answers={"": lambda session, _: session.server.stopping.wait(60)})
    scene.account["every"] = "on_demand"
    for n in range(3):
        scene.mailhaul.add_account(
            scene.mailbox, f"slow{n}", **CLEAR, port=silent.port, every="on_demand")
    start(scene)
    begun = time.monotonic()
    said = scene.mailhaul.command("fetch", "--wait", "6s", "slow0", "slow1", "slow2", "office")
    assert time.monotonic() - begun < 17
    assert said.expect(75).out.count("WAIT") == 3 and "office: OK" in said.out


def test_refused_login_is_not_hammered(scene):
    """Neither by the schedule nor by hand; a reload is for a mended password."""
    right = scene.account["password"]
    scene.account["password"] = {"file": scene.mailhaul.secret("wrong", "wrong")}
    start(scene)
    wait_for(lambda: told(scene)[1]["state"] == "failed", "the refusal")
    for _ in range(3):
        said = scene.mailhaul.command("fetch", "--wait", "5s", "office").expect(75).out
        assert "not before" in said
    assert scene.provider_log().count("Password mismatch") <= 1
    assert told(scene)[1]["next_ms"] > 0
    scene.account["password"] = right
    scene.put(mail("one", envelope="anna@example.org"))
    scene.mailhaul.write()
    scene.mailhaul.send_signal("fetcher", signal.SIGHUP)
    wait_for(lambda: "one" in scene.got(), "the mail")


class Times:
    """Remembers when logins came, and answers the first ones."""

    def __init__(self, answer, count):
        self.answer, self.count, self.at = answer, count, []

    def __call__(self, session, _):
        self.at.append(time.monotonic())
        session.send(self.answer if len(self.at) <= self.count else b"+OK\r\n")

    def pauses(self):
        return [later - earlier for earlier, later in zip(self.at, self.at[1:])]


def test_throttling_is_obeyed(scene, server):
    logins = Times(b"-ERR Request is throttled. Suggested Backoff Time: 10000 milliseconds\r\n", 1)
    throttling = server([("u1", over_the_wire("one"))], {"PASS": logins})
    scene.account.update(**CLEAR, port=throttling.port)
    start(scene)
    wait_for(lambda: told(scene)[1]["state"] == "failed", "the refusal")
    assert "not before" in scene.mailhaul.command("fetch", "office").expect(75).out
    wait_for(lambda: "one" in scene.got(), "the mail", 60)
    # Not a refused login: those are tried again after five minutes.
    assert 10 <= logins.pauses()[0] < 100


def test_login_delay_is_obeyed(scene, server):
    logins = Times(b"", 0)
    capa = b"+OK\r\nUSER\r\nUIDL\r\nLOGIN-DELAY 5\r\n.\r\n"
    slow = server(answers={"PASS": logins, "CAPA": capa})
    scene.account.update(**CLEAR, port=slow.port)
    start(scene)
    # A pass that is under way would be waited for.
    wait_for(lambda: told(scene)[1]["passes"] >= 2, "two passes", 30)
    assert min(logins.pauses()) >= 5

    def is_too_early():
        """A pass that has begun meanwhile is waited for."""
        said = scene.mailhaul.command("fetch", "--wait", "5s", "office")
        return said.status == 75 and "not before" in said.out

    wait_for(is_too_early, "a demand to be too early")


def test_spool_at_its_limit(scene):
    """While Postfix takes nothing, no more is spooled than may be."""
    go = scene.mailhaul.folder / "go"
    sendmail = scene.mailhaul.folder / "sendmail"
    sendmail.write_text(
        f'#!/bin/sh\nwhile ! [ -e {go} ]; do sleep 0.1; done\nexec /usr/sbin/sendmail "$@"\n')
    sendmail.chmod(0o755)
    scene.mailhaul.config["fetcher"] = {"max_spool": "1M"}
    scene.mailhaul.config["inject"] = {"parallel": 16, "sendmail": str(sendmail)}
    scene.put(*(mail(f"m{n}", envelope="anna@example.org", body=b"x" * 69 + b"\n" + b"y" * 400_000)
                for n in range(8)))
    start(scene)
    wait_for(lambda: "fetching pauses" in log(scene), "the pause", 20)
    wait_for(lambda: len(scene.mailhaul.spool()) == 3, "the spool", 20)
    wait_for(lambda: told(scene)[1]["fetched"] == 3, "the end of the third message", 20)
    assert told(scene)[0]["spool_full"] == 1
    assert "spool is full" in scene.mailhaul.command("status").out
    go.touch()
    wait_for(lambda: len(scene.got()) == 8, "all mail", 30)
    # At most with each message: as often as it was full again, not as often as anybody asks.
    assert log(scene).count("fetching pauses") <= 8 and "goes on" in log(scene)
    scene.mailhaul.stop("fetcher")
    assert scene.mailhaul.spool() == []


def test_archive_keeps_to_its_size(scene):
    """Not only every ten minutes."""
    scene.mailhaul.config["archive"] = {"keep": "7d", "max_size": "1M"}
    scene.put(*(mail(f"m{n}", envelope="anna@example.org", body=b"y" * 100_000) for n in range(30)))
    start(scene)
    wait_for(lambda: not scene.mailbox.uids(), "the end of the fetch", 60)
    archive = scene.mailhaul.state / "archive"

    def size():
        return sum(path.stat().st_size for path in archive.rglob("*") if path.is_file())

    wait_for(lambda: 800_000 < size() <= 1024 * 1024 * 17 // 16, "the expiry", 30, lambda: str(size()))


def test_descriptors_are_used_up(scene):
    """Fetching pauses, says so once, and goes on by itself."""
    scene.mailhaul.config["inject"] = {"require_milter": False}
    others = [scene.world.mailbox() for _ in range(3)]
    for n, mailbox in enumerate(others):
        scene.mailhaul.add_account(mailbox, f"account{n}")
    process = scene.mailhaul.start_fetcher()
    scene.put(mail("one", envelope="anna@example.org"))
    wait_for(lambda: "one" in scene.got(), "the first mail")
    (limit,) = re.findall(r"Max open files +(\d+)", open(f"/proc/{process.pid}/limits").read())

    def limit_files(number):
        run("setpriv", "--reuid=mailhaul", "--regid=mailhaul", "--clear-groups",
            "prlimit", f"--pid={process.pid}", f"--nofile={number}:")

    limit_files(3)
    for mailbox in others:
        mailbox.put(mail(f"of-{mailbox.user}", envelope="ben@example.org"))
    wait_for(lambda: "no file descriptors are left" in log(scene), "the pause", 20)
    wait_for(lambda: "account2: waiting: no file" in log(scene), "the pause of all", 20)
    assert log(scene).count("Too many open files") <= 3
    limit_files(limit)
    wait_for(lambda: len(scene.got()) == 4, "all mail", 40)
    assert log(scene).count("no file descriptors are left; collecting pauses") == 1


def test_fewer_descriptors_than_connections(scene):
    """So there are fewer connections."""
    scene.mailhaul.before = ["prlimit", "--nofile=130:130"]
    scene.mailhaul.start_fetcher()
    wait_for(lambda: "LimitNOFILE" in log(scene), "the warning")
    assert "there will be 3 connections at most" in log(scene)
    scene.put(mail("one", envelope="anna@example.org"))
    wait_for(lambda: "one" in scene.got(), "the mail")


def test_progress_of_a_backlog(scene):
    """Over several passes, in status; for a while in the middle of the third."""
    folder = scene.mailhaul.folder / "injected"
    folder.mkdir()
    shutil.chown(folder, "mailhaul")
    go, sendmail = folder / "go", scene.mailhaul.folder / "sendmail"
    sendmail.write_text(
        f'#!/bin/sh\n: >{folder}/$$\n[ $(ls {folder} | wc -l) -le 80 ] ||'
        f' while ! [ -e {go} ]; do sleep 0.1; done\nexec /usr/sbin/sendmail "$@"\n')
    sendmail.chmod(0o755)
    scene.mailhaul.config["inject"] = {"sendmail": str(sendmail)}
    scene.account["max_messages_per_pass"] = 30
    scene.put(*(mail(f"m{n}", envelope="anna@example.org", body=b"z" * 10_000) for n in range(100)))
    start(scene)
    seen = []

    def look():
        account = told(scene)[1]
        if "todo_messages" in account:
            seen.append(account)
        return account.get("done_messages", 0) > 60

    wait_for(look, "the third pass", 60)
    text = scene.mailhaul.command("status").out
    go.touch()
    while scene.mailbox.uids():
        look()
    assert {a["todo_messages"] for a in seen} == {100}
    done = [a["done_messages"] for a in seen]
    assert done == sorted(done)
    last = seen[-1]
    assert 1_000_000 < last["todo_bytes"] < 1_200_000 and last["rate_bytes"] > 0
    assert last["done_bytes"] <= last["todo_bytes"]
    assert re.search(r"\d+ of 100 messages, [0-9.]+[KM]? of [0-9.]+K", text)
    wait_for(lambda: "todo_messages" not in told(scene)[1], "the end of the backlog")
