# SPDX-License-Identifier: Apache-2.0
"""Sessions that stay to hear of mail, at the moments when something else happens."""

import signal
import time

import pytest
from mails import mail
from provider import IMAPS
from scripted_imap import Folder, ScriptedImap
from tsan import own_reports
from waiting import wait_for


def letter(case):
    return mail(case, envelope="anna@example.org").replace(b"\n", b"\r\n")


@pytest.fixture
def scripted(scene):
    """scripted(answers, folders): a server, at which the account listens."""
    servers = []

    def make(answers=None, folders=("INBOX",), **settings):
        server = ScriptedImap(answers=answers, certificate=scene.world.certificates.pair("pop"))
        servers.append(server)
        server.folders = {name: Folder(uidvalidity=n + 1) for n, name in enumerate(folders)}
        scene.account.update(
            protocol="imaps", host="127.0.0.1", port=server.port, every="1h", folders=list(folders),
            tls={**scene.account["tls"], "server_name": "pop.isp.example"}, **settings)
        return server

    yield make
    for server in servers:
        server.stop()


def listens(scene):
    wait_for(lambda: "state listening" in scene.mailhaul.control("STATUS"), "IDLE", 20)


def arrives(scene, case, timeout=40):
    wait_for(lambda: case in scene.got(), case, timeout)


def test_first_folder_that_is_not_there(scene):
    """The others are looked at as if there was no IDLE."""
    scene.account.update(protocol="imaps", port=IMAPS, folders=["Missing", "INBOX"])
    scene.put(mail("one", envelope="anna@example.org"))
    scene.mailhaul.start_fetcher()
    arrives(scene, "one")
    scene.put(mail("two", envelope="anna@example.org"))
    arrives(scene, "two")
    assert scene.mailhaul.runs("fetcher")


@pytest.mark.parametrize("idle", [True, False])
def test_what_the_server_has_people_told(scene, scripted, idle):
    """RFC 9051 7.1: once, on whatever connection, and again when it is something else."""

    def says(words):
        def select(session, argument):
            session.send(b"* NO [ALERT] " + words + b"\r\n")
            session.server.answer_rightly(session, "SELECT", argument)
        return select

    def listened_to(session, argument):
        if session.folder is session.server.folders["b"]:
            session.send(b"* OK [ALERT] From b\r\n")
        session.server.answer_rightly(session, "IDLE", argument)

    def told():
        lines = [line.text for line in scene.mailhaul.lines("fetcher") if " says: " in line.text]
        return sorted(line.removeprefix("warning: account=office: 127.0.0.1 says: ") for line in lines)

    full = b"Your mailbox is 95% full \x07" + b"!" * 400
    server = scripted({"SELECT": says(full), "IDLE": listened_to}, ("INBOX", "b"), idle=idle)
    scene.account["every"] = "1s"
    expected = [f"Your mailbox is 95% full \\x07{'!' * 274}"]
    scene.mailhaul.start_fetcher()
    if idle:
        expected.insert(0, "From b")
        wait_for(lambda: "From b" in told(), "what only the second connection hears", 20)
        wait_for(lambda: server.verbs().count("IDLE") >= 2, "both connections to listen", 20)
    else:
        wait_for(lambda: server.logins >= 3, "some sessions", 20)
    assert told() == expected
    server.answers["SELECT"] = says(b"We close at noon")
    if idle:
        server.deliver(letter("new"), "b")
    wait_for(lambda: "We close at noon" in told(), "the other words", 20)
    assert told() == sorted([*expected, "We close at noon"])


def test_mail_that_comes_while_its_folder_is_fetched_from(scene, scripted):
    """The listening connection told of it when the listing was over."""

    def fetch(session, argument):
        folder = session.server.folders["b"]
        if b"BODY" in argument and session.folder is folder and folder.next == 2:
            folder.add(letter("second"))
            time.sleep(0.5)  # it is heard of meanwhile
            # This connection is not told: its folder is listed anew then.
        session.server.answer_rightly(session, "UID FETCH", argument)

    server = scripted({"UID FETCH": fetch}, ("INBOX", "b"), keep="forever")
    scene.mailhaul.start_fetcher()
    wait_for(lambda: server.verbs().count("IDLE") >= 2, "both connections to listen", 20)
    server.deliver(letter("first"), "b")
    arrives(scene, "first")
    arrives(scene, "second")
    time.sleep(1)
    assert server.verbs().count("IDLE") < 20


@pytest.mark.parametrize("every", ["1s", "1h"])
def test_server_that_ends_idle_by_itself(scene, scripted, every):
    """It is polled then; and asked no more often than that."""

    def idle(session, _):
        session.send(b"+ idling\r\n" + session.tag + b" OK enough\r\n")

    server = scripted({"IDLE": idle}, ("INBOX", "b"), idle_renew="20s")
    scene.account["every"] = every
    scene.mailhaul.start_fetcher()
    listens(scene)
    server.deliver(letter("one"), "b")
    if every == "1s":
        arrives(scene, "one")
    started = len(server.commands)
    time.sleep(3)
    assert len(server.commands) - started < 60


def test_idle_refused_while_a_pass_waits_for_its_turn(scene, scripted):
    """Another mailbox of the host keeps it busy."""
    busy = []

    def idle(session, _):
        session.idled = True
        wait_for(lambda: busy, "the other mailbox to be collected", 20)
        session.no(b"not today")

    def expunge(session, argument):
        if session.server.folders["INBOX"].next == 2:
            session.server.deliver(letter("later"))
            session.send(b"* 2 EXISTS\r\n")
        session.server.answer_rightly(session, "UID EXPUNGE", argument)

    def logout(session, argument):
        if hasattr(session, "idled"):
            time.sleep(5)
        session.server.answer_rightly(session, "LOGOUT", argument)

    def select(session, argument):
        if session.server.logins > 1 and not busy:
            busy.append(True)
            time.sleep(1.5)
        session.server.answer_rightly(session, "SELECT", argument)

    server = scripted({"IDLE": idle, "UID EXPUNGE": expunge, "SELECT": select,
                       "LOGOUT": logout})
    server.deliver(letter("one"))
    scene.mailhaul.config["fetcher"] = {"connections_per_host": 1}
    scene.mailhaul.add_account(scene.mailbox, "second", **{
        key: value for key, value in scene.account.items() if key not in ("name", "password", "mailbox")},
        idle=False)
    scene.mailhaul.start_fetcher()
    arrives(scene, "later")
    wait_for(lambda: "IDLE" in server.verbs(), "IDLE", 20)
    time.sleep(4)
    assert scene.mailhaul.runs("fetcher"), scene.mailhaul.log("fetcher")


def test_reload_while_a_pass_waits_for_its_turn(scene, scripted):
    hold = []

    def select(session, argument):
        if hold and session.server.logins == 2:
            hold.append(True)
            wait_for(lambda: not hold, "the end of it", 30)
        session.server.answer_rightly(session, "SELECT", argument)

    server = scripted({"SELECT": select})
    scene.mailhaul.config["fetcher"] = {"connections_per_host": 1}
    slow = scene.mailhaul.add_account(scene.mailbox, "slow", **{
        key: value for key, value in scene.account.items() if key not in ("name", "password", "mailbox")})
    slow.update(idle=False, every="on_demand")
    scene.mailhaul.start_fetcher()
    listens(scene)
    hold.append(True)
    scene.mailhaul.command("fetch", "slow").expect(0)
    wait_for(lambda: len(hold) > 1, "the slow mailbox to be busy", 10)
    server.deliver(letter("one"))
    time.sleep(0.5)  # heard, and waiting
    scene.account["keep"] = "forever"
    scene.mailhaul.write()
    scene.mailhaul.send_signal("fetcher", signal.SIGHUP)
    wait_for(lambda: "reloaded" in scene.mailhaul.log("fetcher"), "the reload", 10)
    hold.clear()
    arrives(scene, "one")
    wait_for(lambda: server.logins >= 3, "a session with the new configuration", 20)
    server.deliver(letter("two"))
    arrives(scene, "two")
    assert scene.mailhaul.runs("fetcher") and server.messages


def test_reload_while_a_pass_is_under_way(scene, scripted):
    """What was reloaded counts from the next pass on."""
    reload = []

    def fetch(session, argument):
        if b"BODY" in argument and not reload:
            reload.append(True)
            scene.account["keep"] = "forever"
            scene.mailhaul.write()
            scene.mailhaul.send_signal("fetcher", signal.SIGHUP)
            wait_for(lambda: "reloaded" in scene.mailhaul.log("fetcher"), "the reload", 10)
        session.server.answer_rightly(session, "UID FETCH", argument)

    server = scripted({"UID FETCH": fetch})
    scene.mailhaul.start_fetcher()
    listens(scene)
    server.deliver(letter("one"))
    arrives(scene, "one")
    listens(scene)
    server.deliver(letter("two"))
    arrives(scene, "two")
    wait_for(lambda: server.verbs()[-1:] == ["IDLE"], "IDLE", 10)
    assert len(server.messages) == 1


@pytest.mark.parametrize("idle", [True, False])
def test_a_limit_gives_every_folder_its_turn(scene, scripted, idle):
    """A folder with a backlog does not keep the others waiting."""
    visited = []

    def fetch(session, argument):
        if b"BODY" in argument:
            visited.extend(name for name, folder in server.folders.items() if folder is session.folder)
        session.server.answer_rightly(session, "UID FETCH", argument)

    server = scripted({"UID FETCH": fetch}, ("INBOX", "a", "b"), idle=idle, max_messages_per_pass=2)
    for folder, count in (("INBOX", 1), ("a", 1), ("b", 9)):
        for n in range(count):
            server.deliver(letter(f"{folder.lower()}{n}"), folder)
    scene.mailhaul.start_fetcher()
    wait_for(lambda: len(scene.got()) == 11, "all mail", 40)
    assert {"INBOX", "a"} <= set(visited[:5]), visited


def test_idle_that_breaks_again_and_again(scene, scripted):
    """Each time the session comes back, and nobody is told twice of nothing."""
    breaks = []

    def idle(session, argument):
        if len(breaks) < 2:
            breaks.append(True)
            session.send(b"+ idling\r\n* BYE idle for too long\r\n")
            session.drop()
        session.server.answer_rightly(session, "IDLE", argument)

    server = scripted({"IDLE": idle})
    scene.mailhaul.start_fetcher()
    wait_for(lambda: len(breaks) == 2, "the second break", 20)
    server.deliver(letter("one"))
    arrives(scene, "one")


def test_full_expunge_that_is_refused_at_the_end(scene, scripted):
    """The messages are still there, and somebody has to know."""
    server = scripted({"EXPUNGE": b"TAG NO not allowed\r\n"}, full_expunge=True)
    server.capabilities = b"IMAP4rev1 SASL-IR AUTH=PLAIN"
    server.deliver(letter("one"))
    result = scene.fetch()
    assert list(scene.got()) == ["one"] and server.messages
    assert any("not allowed" in line.text for line in result.lines()), result.err


def test_message_that_waits_while_mail_comes_into_another_folder(scene, scripted):
    """It is tried again as soon as every says, not with the next renewal."""
    once = scene.mailhaul.folder / "sendmail"
    once.write_text('#!/bin/sh\nif head -c 4000 /proc/self/fd/0 | grep -q "^X-Case: waits"; then\n'
                    f'mkdir {scene.mailhaul.folder}/failed 2>/dev/null && exit 75; fi\nexec /usr/sbin/sendmail "$@"\n')
    once.chmod(0o755)
    scene.mailhaul.folder.chmod(0o777)
    scene.mailhaul.config["inject"] = {"sendmail": str(once), "retry": "1s"}
    server = scripted({}, ("INBOX", "b"))
    scene.account["every"] = "4s"
    scene.mailhaul.start_fetcher()
    wait_for(lambda: server.verbs().count("IDLE") >= 2, "both connections to listen", 20)
    server.deliver(letter("waits"), "b")
    wait_for(lambda: scene.mailhaul.lines(status="retry"), "the refusal", 20)
    listens(scene)
    server.deliver(letter("other"), "INBOX")
    arrives(scene, "other")
    arrives(scene, "waits")


def test_folders_mean_nothing_to_pop3(scene):
    scene.account["exclude_folders"] = ["*"]
    scene.put(mail("one", envelope="anna@example.org"))
    scene.fetch()
    assert list(scene.got()) == ["one"]


@pytest.mark.parametrize("flavour", [
    "release", pytest.param("tsan", marks=pytest.mark.slow), pytest.param("san", marks=pytest.mark.slow)])
def test_reloads_while_many_listen(scene, flavour):
    """Sessions and listeners come and go; nothing is lost, leaked or raced for."""
    boxes = [scene.mailbox, scene.world.mailbox("b"), scene.world.mailbox("c")]
    scene.account.update(protocol="imaps", port=IMAPS, every="1h", idle_renew="2s", folders=["INBOX", "Lists/%"])
    for name, box in zip("bc", boxes[1:]):
        same = {key: value for key, value in scene.account.items()
                if key not in ("name", "user", "password", "mailbox")}
        scene.mailhaul.add_account(box, name, **same)
    accounts = list(scene.mailhaul.config["accounts"])
    for box in boxes:
        box.make_folder("Lists/x", "Lists/y")
    scene.mailhaul.flavour = flavour
    scene.mailhaul.config["fetcher"] = {"connections": 6}  # of nine
    scene.mailhaul.start_fetcher(flavour=flavour)
    wait_for(lambda: "started:" in scene.mailhaul.log("fetcher"), "the start", 20)
    for n in range(6):
        for box, folder in zip(boxes, ("INBOX", "Lists/x", "Lists/y")):
            box.put(mail(f"{box.user}-{n}", envelope="anna@example.org"), folder=folder)
        scene.mailhaul.config["accounts"] = accounts[: 2 + n % 2]
        accounts[0]["max_messages_per_pass"] = 7 + n
        scene.mailhaul.write()
        scene.mailhaul.send_signal("fetcher", signal.SIGHUP)
        time.sleep(1)
    wait_for(lambda: len(scene.got()) == 18, "all mail", 60, lambda: scene.mailhaul.log("fetcher")[-3000:])
    assert scene.mailhaul.stop("fetcher") == 0, scene.mailhaul.log("fetcher")[-5000:]
    log = scene.mailhaul.log("fetcher")
    assert "Sanitizer" not in log and not own_reports(log), log[-5000:]
    assert all(people == ["anna@example.org"] for people in scene.got().values())
