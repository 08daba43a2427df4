# SPDX-License-Identifier: Apache-2.0
"""Several LDAP servers, one that comes and goes, many addresses, a canary."""

import time

import pytest
from mails import mail
from relay import Relay
from slapd import LDAPS, PEOPLE
from waiting import wait_for


@pytest.fixture
def first():
    """A way to slapd that can be blocked; the second server is slapd itself."""
    relay = Relay(LDAPS)
    yield relay
    relay.shut()


def ldap_of(scene):
    return scene.mailhaul.config["directory"][0]["ldap"]


def use_two_servers(scene, first):
    ldap_of(scene)["uri"] = [f"ldaps://ldap.example.org:{first.port}", *ldap_of(scene)["uri"]]
    scene.mailhaul.config["cache"] = {"found": "0s", "absent": "0s", "stale": "0s"}


def deliver(scene, case):
    """Seconds until one more mail is there."""
    scene.put(mail(case, envelope="anna@example.org"))
    begun = time.monotonic()
    scene.fetch()
    seconds = time.monotonic() - begun
    assert scene.got()[case] == ["anna@example.org"]
    return seconds


def source(scene):
    (source,) = scene.mailhaul.milter_statistics()["sources"]
    return source


def test_failover_and_back(scene, first):
    use_two_servers(scene, first)
    ldap_of(scene)["timeout"] = "30s"  # of which one that is silent takes half
    deliver(scene, "first")
    assert first.connections
    first.shut()
    for number in range(3):
        assert deliver(scene, f"second-{number}") < 15
    first.open()
    before = first.connections

    def first_is_used():
        time.sleep(0.5)
        deliver(scene, scene.world.unique("back"))
        return first.connections > before

    wait_for(first_is_used, "the first server in use again", 40)
    assert source(scene)["faults"] == 0


def test_silent_first_server_costs_its_share_once(scene, first):
    use_two_servers(scene, first)
    ldap_of(scene)["timeout"] = "8s"
    deliver(scene, "before")
    first.fall_silent()
    deliver(scene, "failover")  # with nothing left for the second one it would not be
    begun, before = time.monotonic(), first.accepted
    for number in range(3):
        deliver(scene, f"after-{number}")
    # Every ten seconds it is tried by one search.
    assert first.accepted - before <= 1 + (time.monotonic() - begun) / 10
    assert source(scene)["faults"] == 0


def test_stale_answers_while_unreachable(scene, first):
    """Of a mail that is in Postfix already: nothing more is fetched."""
    ldap_of(scene)["uri"] = [f"ldaps://ldap.example.org:{first.port}"]
    scene.mailhaul.config["cache"] = {"found": "0s", "absent": "1h", "stale": "1h"}
    scene.mailhaul.config["inject"] = {"require_milter": False}
    scene.account["recipients"] = {"occurrence": "all"}
    scene.put(mail("known", envelope=["anna@example.org", "nobody@example.org"]))
    scene.fetch()
    first.shut()
    scene.put(mail("stale", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {
        "known": ["anna@example.org", "office@example.org"],
        "stale": ["anna@example.org"],
    }
    assert source(scene)["stale"] == 1
    assert scene.mailhaul.ask_milter().startswith("WAIT ")


def test_old_absence_is_not_believed_while_unreachable(scene, first):
    ldap_of(scene)["uri"] = [f"ldaps://ldap.example.org:{first.port}"]
    scene.mailhaul.config["cache"] = {"found": "0s", "absent": "0s", "stale": "1h"}
    scene.put(mail("nobody", envelope="nobody@example.org"))
    scene.fetch()
    first.shut()
    (uid,) = scene.put(mail("again", envelope="nobody@example.org"))
    time.sleep(1.1)  # READY believes an answer that is a second old
    scene.fetch(75)
    assert scene.mailbox.uids() == [uid] and not scene.postfix.waiting()


def test_many_addresses_are_one_question(scene):
    """All of the directory's people, and forty that nobody knows."""
    people = sorted(
        address for listed in PEOPLE.values() for address in listed
        if address.endswith("@example.org")
    )
    strangers = [f"stranger{number}@example.org" for number in range(40)]
    scene.account["recipients"] = {"occurrence": "all"}
    scene.mailhaul.config["cache"] = {"found": "0s", "absent": "0s", "stale": "0s"}
    scene.may_bounce = {"refused@example.org"}
    scene.put(mail("many", envelope=[*people, *strangers]))
    scene.mailhaul.start_milter()
    before = source(scene)
    scene.fetch()
    after = source(scene)
    assert after["lookups"] - before["lookups"] == len(people) + len(strangers)
    assert after["found"] == len(people) and after["absent"] == len(strangers)
    # READY may be a question of its own, and asked anew after a second.
    assert after["questions"] - before["questions"] <= 6


def test_canary(scene):
    """Rights that were withdrawn look like an empty company."""
    ldap_of(scene)["canary"] = "anna@example.org"
    ldap_of(scene)["base"] = "ou=services,dc=example,dc=org"
    (uid,) = scene.put(mail("wait", envelope="ben@example.org"))
    assert "the canary anna@example.org is not found" in scene.fetch(75).err
    assert scene.mailbox.uids() == [uid] and not scene.postfix.waiting()
    ldap_of(scene)["base"] = "dc=example,dc=org"
    scene.mailhaul.stop("milter")
    scene.fetch()
    assert scene.got() == {"wait": ["ben@example.org"]}


def test_statistics(scene):
    scene.put(mail("anna", envelope="anna@example.org"), mail("none", envelope="no@example.org"))
    scene.fetch()
    report = scene.mailhaul.milter_statistics()
    assert report["routed"] == 2 and report["deferred"] == report["passed"] == 0
    (ldap,) = report["sources"]
    assert ldap["kind"] == "ldap" and ldap["state"] == "ok"
    assert (ldap["found"], ldap["absent"], ldap["unknown"]) == (1, 1, 0)
    assert float(ldap["mean_ms"]) > 0
    assert "last_fault" not in ldap
