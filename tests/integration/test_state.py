# SPDX-License-Identifier: Apache-2.0
"""What the state is good for when a server does not keep its word: nothing is
delivered twice, nothing new is taken for something old, and nothing is deleted that
Mailhaul did not inject."""

import json

import pytest
from mails import mail
from scripted_pop3 import ScriptedPop3
from waiting import wait_for

ANNA = ["anna@example.org"]
NO_UIDL = {"CAPA": b"+OK\r\nUSER\r\nTOP\r\n.\r\n", "UIDL": b"-ERR unknown command\r\n"}


def letter(case, **settings):
    return mail(case, envelope="anna@example.org", **settings)


def wire(case, **settings):
    return letter(case, **settings).replace(b"\n", b"\r\n")


def letters(count, start=0):
    return [letter(f"m{n}") for n in range(start, start + count)]


def everything(count, start=0):
    return {f"m{n}": ANNA for n in range(start, start + count)}


def seen(scene, *arguments, status=0):
    return scene.mailhaul.command("seen", *arguments).expect(status)


def rows(scene, *arguments):
    """{(mailbox, uid): status}"""
    told = json.loads(seen(scene, "list", "--json", *arguments).out)
    return {(row["mailbox"], row["uid"]): row["status"] for row in told["messages"]}


def statuses(scene):
    return sorted(rows(scene).values())


@pytest.fixture
def scripted(scene):
    """start(messages, answers): a server of our own for the account."""
    servers = []

    def start(messages, answers=None):
        server = ScriptedPop3(messages, answers, scene.world.certificates.pair("pop"))
        servers.append(server)
        scene.account["port"] = server.port
        return server

    yield start
    for server in servers:
        server.stop()


# All UIDs are others than before.


def test_new_uids_of_all_messages(scene):
    scene.account.update(keep="forever", max_messages_per_pass=7)
    scene.put(*letters(30))
    scene.fetch()
    scene.mailbox.change_uids()
    scene.put(letter("new"))
    result = scene.fetch()
    assert len(result.lines(status="recognised")) == 30
    assert len(result.lines(status="injected")) == 1
    assert scene.fetch().lines(status="recognised") == []
    assert scene.got() == {**everything(30), "new": ANNA}
    scene.account["keep"] = "none"
    assert scene.fetch().lines(status="injected") == []
    assert scene.mailbox.uids() == []


def test_keep_counts_from_the_injection_still(scene):
    scene.account["keep"] = "1h"
    scene.put(*letters(2))
    scene.fetch()
    before = json.loads(seen(scene, "list", "--json").out)["messages"]
    scene.mailbox.change_uids()
    scene.fetch()
    after = json.loads(seen(scene, "list", "--json").out)["messages"]
    assert {r["injected_ms"] for r in after} == {r["injected_ms"] for r in before}
    assert {r["uid"] for r in after} == set(scene.mailbox.uids())


def test_new_uidvalidity(scene):
    scene.account.update(protocol="imaps", keep="forever")
    scene.put(*letters(25))
    scene.fetch()
    scene.mailbox.change_uidvalidity()
    scene.put(letter("new"))
    result = scene.fetch()
    assert len(result.lines(status="recognised")) == 25
    assert scene.got() == {**everything(25), "new": ANNA}


def test_mailbox_restored_from_a_backup(scene):
    scene.put(*letters(3))
    scene.fetch()
    assert scene.mailbox.uids() == []
    scene.put(*letters(3))
    result = scene.fetch()
    assert len(result.lines(status="recognised")) == 3 and scene.mailbox.uids() == []
    assert scene.got() == everything(3)


def test_question_names_the_folder(scene):
    scene.account.update(protocol="imaps", keep="forever", folders=["INBOX", "Sent"])
    for letter in letters(101):
        scene.mailbox.put(letter, folder="Sent")
    assert 'account=office folder="Sent": it holds 101 messages' in scene.fetch(status=75).err


def test_uid_that_is_used_again_for_a_message_of_the_same_size(scene, scripted):
    """It is there before any listing without the first one."""
    later = [("1", wire("m1"))]

    def quit_and_receive(session, _):
        session.server.answer_rightly(session, "QUIT", b"")
        session.server.messages += later
        later.clear()

    server = scripted([("1", wire("m0"))], {"QUIT": quit_and_receive})
    scene.fetch()
    scene.fetch()
    assert server.messages == [] and scene.got() == everything(2)


@pytest.mark.parametrize("point", ["recognised", "before-bury", "before-quit"])
def test_killed_while_it_recognises(scene, point):
    scene.account["keep"] = "forever"
    scene.put(*letters(6))
    scene.fetch()
    scene.mailbox.change_uids()
    scene.put(letter("m6"))
    scene.account["keep"] = "none"
    scene.mailhaul.fetch_once(crash=point)
    scene.postfix.wait_until_idle()
    scene.fetch()
    got = scene.got()
    assert got.keys() == everything(7).keys() and scene.mailbox.uids() == []
    doubled = [case for case, who in got.items() if who != ANNA]
    assert doubled in ([], ["m6"])


# Servers without UIDs, or with one UID for two messages.


def test_without_uidl_a_lost_quit_doubles_nothing(scene, scripted):
    def drop(session, _):
        session.drop()

    server = scripted([("", wire(f"m{n}")) for n in range(4)], dict(NO_UIDL, QUIT=drop))
    scene.fetch()
    assert len(server.messages) == 4
    del server.answers["QUIT"]
    server.messages.append(("", wire("m4")))
    result = scene.fetch()
    assert len(result.lines(status="recognised")) == 4
    assert server.messages == [] and scene.got() == everything(5)
    # What is gone is remembered for a while, and then by nobody.
    scene.fetch()
    assert rows(scene) == {}


def test_without_uidl_nothing_can_be_kept(scene, scripted):
    server = scripted([("", wire("m0"))], NO_UIDL)
    scene.account["keep"] = "7d"
    result = scene.fetch(status=75)
    assert any("keep: none" in line.text and "UIDL" in line.text for line in result.lines())
    assert "RETR" not in server.verbs() and scene.got() == {}


def test_without_uidl_parked_mail_is_not_tried_for_ever(scene, scripted):
    """It is fetched each time, but neither handed over again nor reported again, and
    never keeps the others from being collected."""
    loop = wire("loop", top=["X-Mailhaul: account=office; at=example.org; id=1; source=envelope"])
    server = scripted([("", loop), ("", loop.replace(b"loop", b"pool")), ("", wire("m0"))], NO_UIDL)
    scene.account["max_messages_per_pass"] = 1
    first = scene.fetch()
    assert len(first.lines(status="parked")) == 2
    server.messages.append(("", wire("m1")))
    second = scene.fetch()
    assert second.lines(status="parked") == [] and second.lines(status="recognised") == []
    assert len(server.messages) == 2 and scene.got() == everything(2)
    assert statuses(scene) == ["parked", "parked"]


def test_without_uidl_what_is_gone_is_found_out(scene, scripted):
    """One stays there, the other was deleted by somebody else."""
    loop = wire("loop", top=["X-Mailhaul: account=office; at=example.org; id=1; source=envelope"])
    server = scripted([("", loop), ("", wire("m0"))], dict(NO_UIDL, DELE=b"-ERR not now\r\n"))
    scene.fetch()
    assert statuses(scene) == ["injected", "parked"]
    del server.messages[1]
    scene.fetch()
    assert statuses(scene) == ["parked"]


@pytest.mark.parametrize("uids", ["none", "kept", "changed"])
def test_a_released_loop_is_let_through_until_it_is_injected(scene, scripted, uids):
    """`parked retry` outlasts a crash and a refusal, whether the message has no UID, its
    own, or another one each time."""
    loop = wire("m0", top=["X-Mailhaul: account=office; at=example.org; id=1; source=envelope"])
    server = scripted([("", loop)], NO_UIDL if uids == "none" else None)
    good = scene.mailhaul.folder / "good"
    program = scene.mailhaul.folder / "sendmail"
    program.write_text(f'#!/bin/sh\n[ -e {good} ] && exec /usr/sbin/sendmail "$@"\nexit 75\n')
    program.chmod(0o755)
    scene.mailhaul.config["inject"] = {"sendmail": str(program), "retry": "1s", "max_tries": 1000}
    runs = []

    def fetch(**settings):
        runs.append(None)
        uid = f"u{len(runs)}" if uids == "changed" else "u"
        server.messages = [(uid, message) for _, message in server.messages]
        return scene.mailhaul.fetch_once(**settings)

    assert len(fetch().expect(0).lines(status="parked")) == 1
    scene.mailhaul.command("parked", "retry", "office", "--all").expect(0)
    fetch(crash="before-inject")
    assert len(server.messages) == 1
    fetch().expect(75)
    assert statuses(scene) == ["retry"]
    good.touch()
    wait_for(lambda: fetch().lines(status="injected"), "its next try", 30)
    scene.postfix.wait_until_idle()
    assert server.messages == [] and scene.got() == everything(1)
    # It was meant for that one alone.
    server.messages.append(("again", loop.replace(b"m0", b"m1")))
    assert len(fetch().expect(0).lines(status="parked")) == 1
    assert len(server.messages) == 1 and scene.got() == everything(1)


def test_two_messages_of_one_uid(scene, scripted):
    server = scripted([("same", wire("m0")), ("same", wire("m1")), ("u", wire("m2")),
                       ("same", wire("m0"))])
    scene.fetch()
    assert server.messages == [] and scene.got() == everything(3)


def test_two_messages_of_one_uid_are_left_where_mail_is_kept(scene, scripted):
    server = scripted([("same", wire("m0")), ("same", wire("m1")), ("u", wire("m2"))])
    scene.account["keep"] = "forever"
    result = scene.fetch()
    assert "under a UID that is not theirs" in result.err
    assert scene.got() == {"m2": ANNA} and len(server.messages) == 3


def test_status_field_that_the_server_changes(scene, scripted):
    """mbox servers write Status when a message was read: another size, the same mail."""
    server = scripted([("u", wire("m0"))], {"DELE": b"-ERR not now\r\n"})
    scene.fetch()
    uid, message = server.messages[0]
    server.messages[0] = (uid, b"Status: RO\r\nX-UID: 17\r\n" + message)
    del server.answers["DELE"]
    assert len(scene.fetch().lines(status="recognised")) == 1
    assert server.messages == [] and scene.got() == everything(1)


# Whose mailbox is it, and what of it was collected?


def test_large_unknown_mailbox_that_is_kept_asks_first(scene):
    scene.account["keep"] = "forever"
    uids = scene.put(*letters(101))
    result = scene.fetch(status=75)
    (line,) = [line.text for line in result.lines() if "101 messages" in line.text]
    assert "mailhaul seen baseline office" in line and "mailhaul seen adopt office" in line
    assert scene.got() == {} and rows(scene) == {}
    seen(scene, "baseline", "office")
    scene.fetch()
    scene.put(letter("new"))
    scene.fetch()
    assert scene.got() == {"new": ANNA}
    # What we did not inject is never deleted.
    scene.account["keep"] = "none"
    scene.fetch()
    assert scene.mailbox.uids() == uids


@pytest.mark.parametrize("answer", ["baseline", "adopt"])
@pytest.mark.parametrize("running", [True, False])
def test_mailbox_that_is_all_new_asks_first(scene, tmp_path, answer, running):
    file = tmp_path / "old"
    file.write_text("".join(f"office\told{n}\tinjected\t-\n" for n in range(20)))
    seen(scene, "import", str(file))
    scene.account.update(keep="forever", every="1h")
    scene.put(*letters(22))
    if running:
        scene.mailhaul.start_fetcher()
        wait_for(lambda: "none of the 20 messages" in scene.mailhaul.log("fetcher"), "the question", 20)
    else:
        assert "none of the 20 messages" in scene.fetch(status=75).err
    assert scene.got() == {}
    seen(scene, answer, "office")
    if running:
        wait_for(lambda: len(rows(scene)) == 22 and "old0" not in str(rows(scene)), "the next pass", 30)
        scene.postfix.wait_until_idle()
    else:
        scene.fetch()
    assert scene.got() == ({} if answer == "baseline" else everything(22))
    assert set(statuses(scene)) == {"baseline" if answer == "baseline" else "injected"}


def test_mailbox_that_moved_is_adopted(scene):
    """Another user has the same mail under other UIDs."""
    scene.account["keep"] = "forever"
    scene.put(*letters(3))
    scene.fetch()
    other = scene.world.mailbox()
    for n in (2, 1, 0, 3):
        other.put(letter(f"m{n}"), uid=f"other{n}")
    scene.account["user"] = other.user
    scene.mailhaul.secret("office.password", other.password)
    result = scene.fetch(status=75)
    assert "mailhaul seen adopt office" in result.err
    seen(scene, "adopt", "office")
    assert len(scene.fetch().lines(status="recognised")) == 3
    assert scene.got() == everything(4)


def test_baseline_before_the_first_start_in_all_folders(scene):
    scene.account.update(protocol="imaps", folders=["*"])
    scene.put(*letters(2))
    scene.mailbox.put(letter("old"), folder="Sent Items")
    seen(scene, "baseline", "office")
    scene.fetch()
    assert statuses(scene) == ["baseline"] * 3 and scene.got() == {}
    scene.mailbox.put(letter("new"), folder="Sent Items")
    scene.fetch()
    assert scene.got() == {"new": ANNA}
    assert len(scene.mailbox.uids()) == 2 and len(scene.mailbox.uids("Sent Items")) == 1


def test_flagged_mail_is_left_for_good(scene):
    scene.account.update(protocol="imaps", dispose={"flag": "Collected"})
    scene.put(*letters(2))
    scene.fetch()
    assert statuses(scene) == ["disposed"] * 2
    assert all("Collected" in flags for flags in scene.mailbox.flags().values())
    result = scene.fetch()
    assert result.lines(status="injected") == [] and "deleted=2" not in result.err
    assert len(scene.mailbox.uids()) == 2 and scene.got() == everything(2)


# The commands.


@pytest.mark.parametrize("running", [True, False])
def test_forget_fetches_again(scene, running):
    scene.account.update(keep="forever", every="1h")
    uids = scene.put(*letters(3))
    if running:
        scene.mailhaul.start_fetcher()
        # Postfix may deliver before that is recorded.
        wait_for(lambda: len(scene.mailhaul.lines(status="injected")) == 3, "the mail", 20)
        scene.postfix.wait_until_idle()
    else:
        scene.fetch()
    seen(scene, "forget", "office", status=64)
    seen(scene, "forget", "office", uids[0], "--all", status=64)
    seen(scene, "forget", "office", "no-such", status=66)
    seen(scene, "forget", "office", uids[0], uids[2])
    if running:
        wait_for(lambda: len(rows(scene)) == 3, "the next pass", 20)
        scene.postfix.wait_until_idle()
    else:
        scene.fetch()
    assert scene.got() == {"m0": ANNA * 2, "m1": ANNA, "m2": ANNA * 2}
    assert "3" in seen(scene, "forget", "office", "--all").out
    if running:
        # What that fetches must not meet the milter of another test.
        wait_for(lambda: len(rows(scene)) == 3, "the last pass", 20)
        scene.postfix.wait_until_idle()


@pytest.mark.parametrize("running", [True, False])
def test_export_and_import(scene, tmp_path, running):
    scene.account.update(keep="forever", every="1h")
    scene.put(*letters(3))
    scene.fetch()
    exported = seen(scene, "export", "office").out
    assert exported.count("\tinjected\t20") == 3
    assert seen(scene, "export", "other", status=64).err.count("no account other") == 1
    file = tmp_path / "seen.txt"
    file.write_text(exported)
    file.chmod(0o600)
    if running:
        # A new installation: it does not know them until the import.
        scene.account["enabled"] = False
        scene.mailhaul.start_fetcher()
        wait_for(lambda: scene.mailhaul.control("STATUS"), "the fetcher's control socket")
    seen(scene, "forget", "office", "--all")
    assert "3 messages are added, 0 were known" in seen(scene, "import", str(file)).out
    assert "0 messages are added, 3 were known" in seen(scene, "import", str(file)).out
    assert not list(scene.mailhaul.state.glob("import.*"))
    if running:
        scene.mailhaul.stop("fetcher")
        scene.account["enabled"] = True
    scene.mailbox.change_uids()
    assert len(scene.fetch().lines(status="recognised")) == 3
    assert scene.got() == everything(3)


def test_import_names_each_bad_line(scene, tmp_path):
    file = tmp_path / "seen.txt"
    file.write_text("office\ta\tinjected\t-\nwhat\noffice\tb\tsent\t-\n")
    result = seen(scene, "import", str(file), status=65)
    assert f"{file}:2: error: " in result.err and f"{file}:3: error: " in result.err
    assert ":1:" not in result.err
    seen(scene, "import", str(tmp_path / "missing"), status=66)
    file.write_text("office\ta\tinjected\t-\nold/Sent\t1.1\tinjected\t-\nold/Sent\t1.2\tinjected\t-\n")
    said = seen(scene, "import", str(file))
    assert "3 messages are added" in said.out
    assert said.err.count("warning: there is no account old in ") == 1
    assert "no account office" not in said.err


def test_commands_for_no_account(scene):
    said = seen(scene, "list", status=69)
    assert "state.db: not there: nothing was collected yet" in said.err
    scene.fetch()
    for arguments in (["list", "nobody"], ["export", "nobody"], ["forget", "nobody", "--all"],
                      ["baseline", "nobody"], ["adopt", "nobody"], ["baseline"], ["forget"],
                      ["nonsense"], ["list", "a", "b"]):
        seen(scene, *arguments, status=64)
