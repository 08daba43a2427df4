# SPDX-License-Identifier: Apache-2.0
"""Copies of one message in mailboxes of a provider that does not say whose each is:
one is delivered to each recipient, and none is lost."""

import json
import signal
import sqlite3
import time

import pytest
from mails import mail

ALL = ["anna@example.org", "ben@example.org", "sales@example.org"]
TO = ", ".join(ALL)


def letter(case, n=0, to=TO, envelope=None, **settings):
    """The nth copy: stamped by another server, otherwise the same."""
    top = [f"X-Envelope-To: {envelope}"] if envelope else []
    return mail(case, to=to, top=[*top, f"Received: by store{n}.isp.example; {n} Nov 2026"], **settings)


def copies(case, count=3, **settings):
    return [letter(case, n, **settings) for n in range(count)]


def seen(scene):
    told = json.loads(scene.mailhaul.command("seen", "list", "--json").expect(0).out)
    return told["messages"]


def explain(scene, tmp_path, message, *arguments, status=0):
    file = tmp_path / "message.eml"
    file.write_bytes(message)
    said = scene.mailhaul.command("explain", "--account", "office", *arguments, str(file))
    return said.expect(status)


@pytest.mark.usefixtures("both_methods")
def test_three_recipients_and_three_copies(scene):
    uids = scene.put(*copies("m0"), *copies("m1"))
    result = scene.fetch()
    assert scene.got() == {"m0": ALL, "m1": ALL}
    assert scene.mailbox.uids() == []
    first = {line.text.split(":")[0] for line in result.lines(status="injected")}
    later = result.lines(status="duplicate")
    assert len(first) == 2 and len(later) == 4
    assert {line["original"] for line in later} == first
    assert {line["uid"] for line in later} < set(uids)
    assert scene.mailhaul.spool() == [] and len(scene.mailhaul.archive()) == 2


def test_each_copy_in_a_pass_of_its_own(scene):
    for message in copies("m0"):
        scene.put(message)
        scene.fetch()
    assert scene.got() == {"m0": ALL} and scene.mailbox.uids() == []


def test_copies_stay_as_keep_says(scene):
    scene.account["keep"] = "1h"
    uids = scene.put(*copies("m0"))
    scene.fetch()
    rows = seen(scene)
    assert sorted(row["status"] for row in rows) == ["duplicate", "duplicate", "injected"]
    (first,) = [row["id"] for row in rows if row["status"] == "injected"]
    assert {row["reason"] for row in rows if row["status"] == "duplicate"} == {first}
    text = scene.mailhaul.command("seen", "list").expect(0).out
    assert text.count(f"copy of {first}") == 2
    assert scene.fetch().lines(status="duplicate") == [] and scene.mailbox.uids() == uids
    scene.account["keep"] = "none"
    scene.fetch()
    assert scene.mailbox.uids() == [] and scene.got() == {"m0": ALL}


def test_flagged_copies_are_not_touched_again(scene):
    scene.account.update(protocol="imaps", dispose={"flag": "$Collected"})
    scene.put(*copies("m0"))
    scene.fetch()
    assert {row["status"] for row in seen(scene)} == {"disposed"}
    assert scene.fetch().lines(status="duplicate") == [] and scene.got() == {"m0": ALL}


def second_account(scene, **settings):
    other = scene.world.mailbox()
    scene.mailhaul.add_account(other, name="other", **settings)
    return other


@pytest.mark.parametrize("grouped", [True, False])
def test_two_accounts(scene, grouped):
    """Each of them takes only its own mailbox's address for nobody's."""
    other = second_account(scene, addresses=["box2@isp.example"])
    scene.account["addresses"] = ["box1@isp.example"]
    if grouped:
        for account in scene.mailhaul.config["accounts"]:
            account["dedupe"] = {"group": "staff"}
    for n, message in enumerate(copies("m0", 4, to=TO + ", box1@isp.example, box2@isp.example")):
        (scene.mailbox, other)[n % 2].put(message)
    scene.fetch()
    assert scene.got() == {"m0": ALL if grouped else sorted(2 * ALL)}
    assert scene.mailbox.uids() == other.uids() == []


def test_reused_message_id_with_another_body(scene):
    scene.put(letter("m0"), letter("m0", 1, body=b"Something else.\n"), letter("m0", 2, body=b"\n"))
    result = scene.fetch()
    assert result.lines(status="duplicate") == [] and scene.got() == {"m0": sorted(3 * ALL)}


@pytest.mark.parametrize("old, new", [
    (b"To: anna@example.org, ben@example.org", b"To: anna@example.org"),
    (b"Date: Sat, 21", b"Date: Sun, 22"),
    (b"From: Some One", b"From: Any One"),
    (b"Message-ID: <", b"Message-ID: <x"),
])
def test_what_differs_is_delivered(scene, old, new):
    message = letter("m0", to="anna@example.org, ben@example.org")
    assert old in message
    scene.put(message, message.replace(old, new))
    assert scene.fetch().lines(status="duplicate") == []
    assert scene.got()["m0"].count("anna@example.org") == 2


@pytest.mark.parametrize("field", [b"Message-ID", b"Date"])
def test_without_identity_nothing_is_a_copy(scene, field):
    lines = letter("m0").split(b"\n")
    message = b"\n".join(line for line in lines if not line.startswith(field + b":"))
    scene.put(message, message)
    scene.fetch()
    assert scene.got() == {"m0": sorted(2 * ALL)}


def test_order_and_letters_of_recipients_do_not_matter(scene):
    scene.put(letter("m0"), letter("m0", to="SALES@example.org,\n anna@Example.ORG, Ben <ben@example.org>"))
    scene.fetch()
    assert scene.got() == {"m0": ALL}


def test_with_envelope_data_every_copy_counts(scene):
    scene.put(*(letter("m0", n, envelope=person) for n, person in enumerate(ALL)),
              letter("m0", 3, envelope=ALL[0]))
    assert scene.fetch().lines(status="duplicate") == []
    assert scene.got() == {"m0": sorted([*ALL, ALL[0]])}


def test_off(scene):
    scene.account["dedupe"] = "off"
    scene.put(*copies("m0", 2))
    scene.fetch()
    assert scene.got() == {"m0": sorted(2 * ALL)}


def test_after_the_window(scene):
    scene.account["dedupe"] = {"window": "2s"}
    scene.put(letter("m0"))
    scene.fetch()
    time.sleep(2.1)
    scene.put(letter("m0", 1))
    scene.fetch()
    assert scene.got() == {"m0": sorted(2 * ALL)}


def test_first_that_is_refused_gives_way_to_the_next(scene):
    """sendmail(1) fails once; the copy beside it is delivered, and not a second one."""
    program = scene.mailhaul.folder / "sendmail"
    program.write_text(
        f"#!/bin/sh\nmkdir {scene.mailhaul.folder}/failed-once 2>/dev/null && exit 75\n"
        'exec /usr/sbin/sendmail "$@"\n')
    program.chmod(0o755)
    scene.mailhaul.folder.chmod(0o777)
    scene.mailhaul.config["inject"] = {"sendmail": str(program), "retry": "1h"}
    scene.put(*copies("m0"))
    result = scene.fetch(status=75)
    assert len(result.lines(status="retry")) == len(result.lines(status="injected")) == 1
    scene.mailhaul.command("parked", "retry", "office", "--all").expect(0)
    assert len(scene.fetch().lines(status="duplicate")) == 1
    assert scene.got() == {"m0": ALL} and scene.mailbox.uids() == []


@pytest.mark.parametrize("point", [
    "spooled:2", "injected", "before-commit", "after-commit", "duplicate", "duplicate:2",
    "before-commit:2", "after-commit:2", "before-delete", "after-delete"])
def test_killed_at(scene, point):
    uids = scene.put(*copies("m0"))
    killed = scene.mailhaul.fetch_once(crash=point)
    assert killed.status == -signal.SIGKILL, f"{point} was not reached"
    scene.postfix.wait_until_idle()
    assert scene.mailbox.uids() == uids or scene.got() == {"m0": ALL}
    scene.fetch()
    assert scene.mailbox.uids() == []
    in_flight = point in ("spooled:2", "injected", "before-commit")
    assert scene.got() in [{"m0": ALL}, {"m0": sorted(2 * ALL)}][: 1 + in_flight]


def test_forgotten_is_new_again(scene):
    scene.account["keep"] = "forever"
    uids = scene.put(*copies("m0", 2))
    scene.fetch()
    (copy,) = [row["uid"] for row in seen(scene) if row["status"] == "duplicate"]
    assert copy in uids
    scene.mailhaul.command("seen", "forget", "office", copy).expect(0)
    assert len(scene.fetch().lines(status="injected")) == 1
    assert scene.got() == {"m0": sorted(2 * ALL)}


def test_state_of_version_3_goes_on(scene):
    scene.account["keep"] = "forever"
    scene.put(letter("m0"))
    scene.fetch()
    state = sqlite3.connect(scene.mailhaul.state / "state.db")
    state.executescript("DROP TABLE original; PRAGMA user_version = 3")
    state.close()
    scene.put(*copies("m1"))
    scene.fetch()
    assert scene.got() == {"m0": ALL, "m1": ALL}
    assert sorted(row["status"] for row in seen(scene)) == [
        "duplicate", "duplicate", "injected", "injected"]


def test_explain(scene, tmp_path):
    def verdict(message):
        return json.loads(explain(scene, tmp_path, message, "--json").out)

    assert verdict(letter("m0"))["verdict"] == "deliver"
    scene.put(letter("m0"))
    scene.fetch()
    told = verdict(letter("m0", 7).replace(b"\n", b"\r\n"))
    assert told["verdict"] == "duplicate" and told["recipients"] == []
    assert told["warnings"] == [] and told["steps"][-1]["text"].startswith("a copy of ")
    assert "duplicate: a copy of" in explain(scene, tmp_path, letter("m0")).out
    assert verdict(letter("m0", body=b"Else.\n"))["verdict"] == "deliver"
    assert verdict(letter("m0", envelope=ALL[0]))["verdict"] == "deliver"
    (scene.mailhaul.state / "state.db").write_bytes(b"x" * 4096)
    told = verdict(letter("m0"))
    assert told["verdict"] == "deliver" and "cannot be known" in told["warnings"][-1]
