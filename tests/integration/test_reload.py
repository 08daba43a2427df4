# SPDX-License-Identifier: Apache-2.0
"""The fetcher's configuration changes while mail is on its way."""

import collections
import signal
import threading

import pytest
from mails import mail
from scripted_pop3 import ScriptedPop3
from tsan import own_reports
from waiting import wait_for

MIB = 1024 * 1024


def reload(scene, outcome="configuration reloaded"):
    seen = scene.mailhaul.log("fetcher").count(outcome)
    scene.mailhaul.write()
    scene.mailhaul.send_signal("fetcher", signal.SIGHUP)
    wait_for(lambda: scene.mailhaul.log("fetcher").count(outcome) > seen, outcome, 20)


class Slow:
    """A provider that stops in the middle of a message until it is told to go on."""

    def __init__(self, scene, *messages):
        self.half = threading.Event()
        self.go_on = threading.Event()
        self.server = ScriptedPop3(
            messages=[(f"u{n}", m.replace(b"\n", b"\r\n")) for n, m in enumerate(messages)],
            answers={"RETR": self._retrieve},
            certificate=scene.world.certificates.pair("pop"),
        )
        scene.account.update(port=self.server.port, timeout="60s")

    def _retrieve(self, session, argument):
        _, message = session.server.messages[int(argument) - 1]
        session.send(b"+OK\r\n" + message[: len(message) // 2])
        self.half.set()
        self.go_on.wait(60)
        session.send(message[len(message) // 2 :] + b".\r\n")

    def wait_for_half(self):
        wait_for(self.half.is_set, "half of the message", 30)


@pytest.fixture
def slow(scene):
    made = []

    def make(*messages):
        made.append(Slow(scene, *messages))
        scene.mailhaul.start_fetcher()
        made[0].wait_for_half()
        return made[0]

    yield make
    for one in made:
        one.go_on.set()
        one.server.stop()


def large(case):
    return mail(case, envelope="anna@example.org", body=b"0123456789\n" * (MIB // 11))


def test_a_message_under_way_keeps_what_it_began_with(scene, slow):
    """The pass is finished as it was begun; the next is as the new file says."""
    provider = slow(large("one"))
    scene.account["keep"] = "forever"
    reload(scene)
    provider.go_on.set()
    wait_for(lambda: scene.got() == {"one": ["anna@example.org"]}, "the message", 30)
    # keep: none was true when it was fetched
    wait_for(lambda: not provider.server.messages, "its deletion", 30)


def test_limits_of_connections_are_reloaded(scene, slow):
    """One that hangs has the only connection, until there are two."""
    scene.mailhaul.config["fetcher"] = {"connections": 1}
    provider = slow(large("one"))
    other = scene.world.mailbox("other")
    other.put(mail("other", envelope="ben@example.org"))
    scene.mailhaul.add_account(other, "other")
    reload(scene, "configuration reloaded: 2 accounts\n")
    assert "other" not in scene.got()
    scene.mailhaul.config["fetcher"] = {"connections": 2}
    reload(scene)
    wait_for(lambda: "other" in scene.got(), "mail of the other account", 20)
    del scene.mailhaul.config["accounts"][1]
    reload(scene, "configuration reloaded: 1 account\n")
    provider.go_on.set()
    wait_for(lambda: "one" in scene.got(), "the message", 30)


def test_an_account_that_goes_finishes_its_message(scene, slow):
    other = scene.world.mailbox("other")
    provider = slow(large("one"), mail("two", envelope="anna@example.org"))
    scene.mailhaul.config["accounts"].clear()
    scene.mailhaul.add_account(other, "other")
    reload(scene)
    provider.go_on.set()
    wait_for(lambda: [uid for uid, _ in provider.server.messages] == ["u1"], "the deletion of one", 30)
    other.put(mail("three", envelope="ben@example.org"))
    wait_for(lambda: "three" in scene.got(), "mail of the account that came", 30)
    assert scene.got() == {"one": ["anna@example.org"], "three": ["ben@example.org"]}
    assert provider.server.verbs().count("RETR") == 1


def test_an_account_that_is_renamed_under_way(scene, slow):
    provider = slow(large("one"), mail("two", envelope="anna@example.org"))
    scene.account["name"] = "renamed"
    reload(scene)
    provider.go_on.set()
    wait_for(lambda: not provider.server.messages, "an empty mailbox", 30)
    scene.postfix.wait_until_idle()
    assert scene.got() == {"one": ["anna@example.org"], "two": ["anna@example.org"]}


def test_another_host_under_the_same_name_is_refused(scene):
    scene.put(mail("one", envelope="anna@example.org"))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: "one" in scene.got(), "the first mail", 30)
    scene.account["host"] = "localhost"
    scene.account["tls"]["server_name"] = "pop.isp.example"
    reload(scene)
    # A pass that was under way may still end at the old host.
    wait_for(lambda: any("account name" in line.text for line in scene.mailhaul.lines()),
             "the refusal", 20, lambda: scene.mailhaul.log("fetcher"))
    uids = scene.put(mail("two", envelope="anna@example.org"))
    said = scene.mailhaul.command("fetch", "--wait", "20s", "office")
    assert "account name" in said.out and scene.mailbox.uids() == uids
    scene.account["host"] = "pop.isp.example"
    reload(scene)
    wait_for(lambda: "two" in scene.got(), "the mail, all being well again", 30)


@pytest.mark.parametrize("flavour, count", [
    ("release", 200), pytest.param("tsan", 120, marks=pytest.mark.slow)])
def test_20_reloads_under_load(scene, flavour, count):
    """Accounts come and go and change, and some of the files are wrong."""
    boxes = [scene.mailbox, scene.world.mailbox("b"), scene.world.mailbox("c")]
    config = scene.mailhaul.config
    for name, box in zip("bc", boxes[1:]):
        scene.mailhaul.add_account(box, name)
    accounts = list(config["accounts"])
    for n in range(count):
        boxes[n % 3].put(mail(f"m{n}", envelope="anna@example.org"))
    scene.mailhaul.flavour = flavour
    scene.mailhaul.start_fetcher(flavour=flavour)
    wait_for(lambda: "started:" in scene.mailhaul.log("fetcher"), "the start", 20)
    for n in range(20):
        before = len(scene.got())
        accounts[0]["max_messages_per_pass"] = 7 + n
        accounts[1]["name"] = f"b{n}"
        config["accounts"] = accounts[: 2 + n % 2]
        config["inject"] = {"parallel": 1 + n % 4}
        config["mistake"] = {"no": "such"}
        reload(scene, "the old configuration stays")
        del config["mistake"]
        reload(scene)
        there = {f"m{k}" for k in range(count) if k % 3 < len(config["accounts"])}
        wait_for(lambda: len(scene.got()) > before or there <= set(scene.got()), "some mail", 30)
    config["accounts"] = accounts
    reload(scene)
    wait_for(lambda: not any(box.uids() for box in boxes), "the mailboxes to be empty", 60,
             lambda: scene.mailhaul.log("fetcher")[-3000:])
    scene.postfix.wait_until_idle()
    copies = collections.Counter({case: len(who) for case, who in scene.got().items()})
    assert copies == {f"m{n}": 1 for n in range(count)}
    scene.mailhaul.stop("fetcher")
    scene.mailhaul.stop("milter")
    for name in ("fetcher", "milter"):
        assert not own_reports(scene.mailhaul.log(name)), scene.mailhaul.log(name)[-5000:]
