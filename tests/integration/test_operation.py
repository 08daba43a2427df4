# SPDX-License-Identifier: Apache-2.0
"""`mailhaul status`, `fetch`, `parked` and `archive` beside real servers."""

import json
import os
import pwd

import pytest
from mailhaul import FETCHER_CONTROL
from mails import case_of, mail
from waiting import wait_for



def told(scene, *arguments, status=0):
    return json.loads(scene.mailhaul.command(*arguments, "--json").expect(status).out)


def start(scene):
    scene.mailhaul.start_fetcher()
    wait_for(lambda: scene.mailhaul.control("STATUS"), "the fetcher's control socket")


def office(status):
    return next(a for a in status["accounts"] if a["account"] == "office")


def owners(scene):
    return {pwd.getpwuid(p.stat().st_uid).pw_name for p in scene.mailhaul.state.rglob("*")}


def test_status_of_a_working_system(scene):
    scene.put(mail("one", envelope="anna@example.org"))
    start(scene)
    wait_for(lambda: "one" in scene.got(), "the mail", 30)
    wait_for(lambda: '"total_deleted": 1' in scene.mailhaul.command("status", "--json").out,
             "the pass's end")
    status = told(scene, "status")
    assert status["fetcher"]["running"] and status["milter"]["ready"]
    assert status["milter"]["routed"] == 1 and status["milter"]["version"] == status["fetcher"]["version"]
    (directory,) = status["milter"]["sources"]
    assert isinstance(directory["mean_ms"], float) and isinstance(directory["last_ms"], float)
    assert status["archive"]["messages"] == 1 and status["archive"]["bytes"] > 0
    account = office(status)
    assert account["state"] in ("idle", "queued", "fetching") and account["total_injected"] == 1
    text = scene.mailhaul.command("status").expect(0).out
    assert "mailhaul-fetcher" in text and "office" in text and "1 injected since the start" in text
    assert owners(scene) <= {"mailhaul", "mailhaul-milter"}


def test_status_names_what_is_wrong(scene):
    dead = scene.world.mailbox("dead")
    scene.mailhaul.add_account(dead, "dead", host="127.0.0.1", port=1)
    start(scene)

    def failure():
        """Not while it is tried again."""
        said = scene.mailhaul.command("status", "--json")
        accounts = {a["account"]: a for a in json.loads(said.out)["accounts"]}
        assert list(accounts) == ["office", "dead"]  # as configured
        return accounts["dead"]["state"] == "failed" and (said.status, accounts["dead"])

    status, account = wait_for(failure, "the failure")
    assert status == 75 and "refused" in account["reason"] and account["next_ms"] > 0
    wait_for(lambda: "refused" in scene.mailhaul.command("status").out, "the reason in words")
    scene.mailhaul.stop("milter")
    wait_for(lambda: office(told(scene, "status", status=69))["state"] == "waiting", "the pause")
    scene.mailhaul.stop("fetcher")
    assert not FETCHER_CONTROL.exists()
    status = told(scene, "status", status=69)
    assert not status["fetcher"]["running"] and not status["milter"]["running"]
    assert office(status)["state"] == "not collected"
    assert "not running" in scene.mailhaul.command("status").expect(69).out


def test_status_before_the_first_start(scene):
    scene.mailhaul.command("status").expect(69)
    assert list(scene.mailhaul.state.iterdir()) == []


def test_fetch_waits_for_a_pass_of_its_own(scene):
    scene.account["every"] = "1h"
    scene.mailhaul.add_account(scene.mailbox, "off", enabled=False)
    start(scene)
    scene.mailhaul.command("fetch", "--wait", "20s", "office").expect(0)
    assert "it is disabled" in scene.mailhaul.command("fetch", "off").expect(69).out
    for case in ("one", "two"):
        scene.put(mail(case, envelope="anna@example.org"))
        said = scene.mailhaul.command("fetch", "--wait", "20s", "office").expect(0)
        assert "injected=1" in said.out
        assert scene.mailbox.uids() == []
    scene.mailhaul.command("fetch", "nobody").expect(64)
    for wrong in ("5", "soon", "61m", "2h", ""):
        said = scene.mailhaul.command("fetch", "--wait", wrong, "office").expect(64)
        assert f'expected a time such as 5s, at most 60m, found "{wrong}"' in said.err
    scene.mailhaul.command("fetch", "office").expect(0)
    scene.postfix.wait_until_idle()
    assert set(scene.got()) == {"one", "two"}


def refusing(scene):
    """A sendmail that refuses, until it is told to be good."""
    good = scene.mailhaul.folder / "good"
    program = scene.mailhaul.folder / "sendmail"
    program.write_text(f'#!/bin/sh\n[ -e {good} ] && exec /usr/sbin/sendmail "$@"\necho no >&2\nexit 75\n')
    program.chmod(0o755)
    scene.mailhaul.config["inject"] = {"sendmail": str(program), "max_tries": 1}
    return good


@pytest.mark.parametrize("running", [True, False])
def test_parked_mail_is_retried_or_dropped(scene, running):
    good = refusing(scene)
    uids = scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(2)))
    scene.mailhaul.fetch_once().expect(0)
    rows = told(scene, "parked", "list")["messages"]
    assert {(r["uid"], r["status"], r["account"]) for r in rows} == {
        (uid, "parked", "office") for uid in uids}
    assert all("no" in r["reason"] and r["since_ms"] > 0 for r in rows)
    assert uids[0] in scene.mailhaul.command("parked", "list").expect(0).out
    good.touch()
    if running:
        scene.account["every"] = "1h"
        start(scene)
    scene.mailhaul.command("parked", "drop", "office", uids[0]).expect(0)
    by_uid = {r["uid"]: r["id"] for r in rows}
    scene.mailhaul.command("parked", "retry", "office", by_uid[uids[1]]).expect(0)
    scene.mailhaul.command("parked", "retry", "office", "no-such").expect(66)
    if not running:
        scene.fetch()
    wait_for(lambda: scene.mailbox.uids() == [uids[0]], "the retried one to go", 30)
    scene.postfix.wait_until_idle()
    assert set(scene.got()) == {"m1"}
    assert told(scene, "parked", "list")["messages"] == []
    (dropped,) = told(scene, "parked", "list", "--all")["messages"]
    assert (dropped["uid"], dropped["status"]) == (uids[0], "dropped")
    assert owners(scene) <= {"mailhaul", "mailhaul-milter"}
    # The admin may change their mind.
    scene.mailhaul.command("parked", "retry", "office", uids[0]).expect(0)
    if not running:
        scene.fetch()
    wait_for(lambda: scene.mailbox.uids() == [], "the other one", 30)
    scene.postfix.wait_until_idle()
    assert set(scene.got()) == {"m0", "m1"}


def test_parked_retry_of_all(scene):
    good = refusing(scene)
    scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(2)))
    scene.mailhaul.fetch_once().expect(0)
    good.touch()
    scene.mailhaul.command("parked", "retry", "office").expect(64)
    assert "2" in scene.mailhaul.command("parked", "retry", "office", "--all").expect(0).out
    scene.fetch()
    assert set(scene.got()) == {"m0", "m1"}


def test_archive_lists_and_shows(scene):
    scene.put(mail("one", "X-Secret: bcc", envelope="anna@example.org"))
    scene.fetch()
    odd = mail("two", "X-Odd: 1", to="anna@example.org").replace(
        b"Subject: two", b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe=1B[2J?=")
    scene.put(odd)
    scene.fetch()
    first, second = told(scene, "archive", "list")["messages"]
    assert (first["subject"], second["subject"]) == ("Gr\u00fc\u00dfe?[2J", "one")
    assert (first["source"], second["source"]) == ("headers", "envelope")
    assert first["account"] == "office" and "someone@sender.example" in first["from"]
    assert told(scene, "archive", "list", "--account", "other")["messages"] == []
    assert "Gr\u00fc\u00dfe" in scene.mailhaul.command("archive", "list").expect(0).out
    shown = scene.mailhaul.command("archive", "show", second["id"]).expect(0).out
    assert "X-Secret: bcc" in shown and "end sha256=" in shown and "Ticket" not in shown
    headers = scene.mailhaul.command("archive", "show", second["id"], "--headers").expect(0).out
    assert "X-Secret: bcc" in headers and "Hello." not in headers
    for bad in ("no-such", "../state.db", "abc123"):
        scene.mailhaul.command("archive", "show", bad).expect(66)


def test_redeliver_to_somebody_else_what_the_next_hop_refused(scene):
    """refused@ exists for the directory; the server behind Postfix says no."""
    scene.may_bounce.add("refused@example.org")
    scene.put(mail("lost", envelope="refused@example.org", sender="boss@sender.example"))
    scene.fetch()
    assert "lost" not in scene.got()
    (kept,) = told(scene, "archive", "list")["messages"]
    scene.mailhaul.command("archive", "redeliver", kept["id"], "--to", "eve@outside.example").expect(66)
    scene.mailhaul.command("archive", "redeliver", kept["id"], "--to", "not an address").expect(65)
    said = scene.mailhaul.command("archive", "redeliver", kept["id"], "--to", "anna@example.org").expect(0)
    assert "status=redelivered" in said.err
    scene.postfix.wait_until_idle()
    assert scene.got()["lost"] == ["anna@example.org"]
    senders = {m.sender for m in scene.messages().values() if "lost" in m.message_id}
    assert senders == {"boss@sender.example"}
    assert not list(scene.mailhaul.state.glob("redeliver*"))


def test_redeliver_after_the_directory_changed(scene):
    listed = scene.mailhaul.folder / "users.txt"
    listed.write_text("ben@example.org\n")
    scene.mailhaul.config["directory"] = [{"file": str(listed)}]
    scene.mailhaul.config["cache"] = {"found": "1s", "absent": "1s"}
    scene.put(mail("late", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"late": ["office@example.org"]}
    scene.postfix.forget_delivered()
    listed.write_text("ben@example.org\nanna@example.org\n")
    os.utime(listed, (1, 1))
    (kept,) = told(scene, "archive", "list")["messages"]
    with scene.postfix.settings(non_smtpd_milters=""):
        said = scene.mailhaul.command("archive", "redeliver", kept["id"]).expect(75)
        assert "non_smtpd_milters" in said.err
    scene.mailhaul.stop("milter")
    assert "milter" in scene.mailhaul.command("archive", "redeliver", kept["id"]).expect(75).err
    scene.mailhaul.start_milter()
    scene.mailhaul.command("archive", "redeliver", kept["id"]).expect(0)
    scene.postfix.wait_until_idle()
    assert scene.got() == {"late": ["anna@example.org"]}
    assert [case_of(m) for m in scene.mailhaul.archive()] == ["late"]
