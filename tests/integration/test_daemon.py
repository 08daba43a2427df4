# SPDX-License-Identifier: Apache-2.0
"""Reload, keep, and state over restarts."""

import signal
import time

import pytest
from mails import mail
from waiting import wait_for


def deliver(scene, case, wanted):
    scene.put(mail(case, envelope=f"{case}@example.org"))
    wait_for(lambda: case in scene.got(), f"the mail {case}", 30)
    assert scene.got()[case] == [wanted]


def test_daemon_polls_by_itself(scene):
    scene.mailhaul.start_fetcher()
    deliver(scene, "anna", "anna@example.org")
    deliver(scene, "ben", "ben@example.org")


def test_reload_of_the_fetcher(scene):
    scene.mailhaul.start_fetcher()
    deliver(scene, "anna", "anna@example.org")
    added = scene.world.mailbox("added")
    added.put(mail("added", envelope="anna@example.org"))
    scene.mailhaul.add_account(added, "added")
    scene.mailhaul.write()
    scene.mailhaul.send_signal("fetcher", signal.SIGHUP)
    wait_for(lambda: "added" in scene.got(), "mail of the new account", 30)
    deliver(scene, "ben", "ben@example.org")


def test_bad_reload_of_the_fetcher(scene):
    scene.mailhaul.start_fetcher()
    deliver(scene, "anna", "anna@example.org")
    scene.mailhaul.config["no_such_key"] = "1"
    scene.mailhaul.write()
    scene.mailhaul.send_signal("fetcher", signal.SIGHUP)
    wait_for(lambda: "no_such_key" in scene.mailhaul.log("fetcher"), "the error in the log")
    deliver(scene, "ben", "ben@example.org")
    assert scene.mailhaul.runs("fetcher")


def test_account_that_goes_is_left_alone(scene):
    other = scene.world.mailbox("other")
    scene.mailhaul.add_account(other, "other")
    scene.mailhaul.start_fetcher()
    deliver(scene, "anna", "anna@example.org")
    scene.mailhaul.config["accounts"].pop(0)
    scene.mailhaul.write()
    scene.mailhaul.send_signal("fetcher", signal.SIGHUP)
    # A pass that was under way begins no message after that.
    wait_for(lambda: "reloaded" in scene.mailhaul.log("fetcher"), "the reload", 20)
    other.put(mail("other", envelope="ben@example.org"))
    wait_for(lambda: "other" in scene.got(), "mail of the account that stays", 30)
    mark = scene.provider.log_size()
    (uid,) = scene.put(mail("ben", envelope="ben@example.org"))
    polls = f"Login: user=<{other.user}>"
    wait_for(lambda: scene.provider.log(mark).count(polls) >= 3, "three more polls", 40)
    assert scene.mailbox.uids() == [uid]


def test_reload_of_the_milter(scene):
    scene.account["unknown_recipients"] = "office@example.org"
    scene.mailhaul.start_fetcher()
    deliver(scene, "nobody1", "office@example.org")
    scene.account["unknown_recipients"] = "second@example.org"
    scene.mailhaul.write()
    scene.mailhaul.send_signal("milter", signal.SIGUSR1)
    wait_for(lambda: ": reloaded " in scene.mailhaul.log("milter"), "the milter to say so")
    deliver(scene, "nobody2", "second@example.org")


def test_bad_reload_of_the_milter(scene):
    scene.mailhaul.start_fetcher()
    deliver(scene, "anna", "anna@example.org")
    scene.mailhaul.config["no_such_key"] = "1"
    scene.mailhaul.write()
    scene.mailhaul.send_signal("milter", signal.SIGUSR1)
    wait_for(lambda: "no_such_key" in scene.mailhaul.log("milter"), "the error in the log")
    deliver(scene, "ben", "ben@example.org")


def test_keep_forever(scene):
    scene.account["keep"] = "forever"
    uids = scene.put(mail("one", envelope="anna@example.org"))
    scene.fetch()
    assert scene.fetch().lines(status="injected") == []
    uids += scene.put(mail("two", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"one": ["anna@example.org"], "two": ["anna@example.org"]}
    assert scene.mailbox.uids() == uids


@pytest.mark.parametrize("own, of_all", [("none", "forever"), ("forever", "none")])
def test_keep_of_all_accounts_goes_before_their_own(scene, own, of_all):
    scene.account["keep"] = own
    scene.mailhaul.config["keep"] = of_all
    uids = scene.put(mail("one", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"one": ["anna@example.org"]}
    assert scene.mailbox.uids() == (uids if of_all == "forever" else [])


def test_keep_for_a_time(scene):
    scene.account["keep"] = "3s"
    scene.put(mail("one", envelope="anna@example.org"))
    begun = time.monotonic()
    scene.mailhaul.start_fetcher()
    wait_for(lambda: scene.mailbox.uids() == [], "its deletion at the provider", 20)
    assert time.monotonic() - begun >= 3
    scene.postfix.wait_until_idle()
    assert scene.got() == {"one": ["anna@example.org"]}


def test_usr1_polls_now(scene):
    scene.account["every"] = "1h"
    scene.mailhaul.start_fetcher()
    wait_for(scene.mailhaul.passes, "the first poll", 20)
    scene.put(mail("first", envelope="anna@example.org"))
    scene.mailhaul.send_signal("fetcher", signal.SIGUSR1)
    wait_for(lambda: "first" in scene.got(), "the mail", 20)


def test_second_fetcher_is_refused(scene):
    scene.mailhaul.start_fetcher()
    wait_for(lambda: scene.mailhaul.control("STATUS"), "the first fetcher", 20)
    scene.mailhaul.fetch_once().expect(75)


@pytest.mark.parametrize("field, value", [("user", "someone-else"), ("host", "localhost")])
def test_changed_account_under_the_same_name(scene, field, value):
    """Its state belongs to another mailbox: it stops with a message."""
    scene.account["keep"] = "forever"
    scene.put(mail("one", envelope="anna@example.org"))
    scene.fetch()
    other = scene.provider.mailbox(scene.world.unique("someone-else"))
    other.put(mail("two", envelope="anna@example.org"))
    if field == "user":
        scene.account["user"] = other.user
        scene.mailhaul.secret("office.password", other.password)
    else:
        scene.account["host"] = value
        scene.account["tls"]["server_name"] = "pop.isp.example"
    result = scene.mailhaul.fetch_once().expect(75)
    assert any("office" in line.text for line in result.lines())
    scene.postfix.wait_until_idle()
    assert scene.got() == {"one": ["anna@example.org"]}


def test_damaged_state_stops_everything(scene):
    scene.put(mail("one", envelope="anna@example.org"))
    scene.fetch()
    for extra in ("state.db-wal", "state.db-shm"):
        (scene.mailhaul.state / extra).unlink(missing_ok=True)
    database = scene.mailhaul.state / "state.db"
    database.write_bytes(b"not a database at all" * 1000)
    uids = scene.put(mail("two", envelope="anna@example.org"))
    assert scene.mailhaul.fetch_once().status != 0
    assert scene.mailbox.uids() == uids
    assert database.read_bytes().startswith(b"not a database")
