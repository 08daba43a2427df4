# SPDX-License-Identifier: Apache-2.0
"""Mail that Postfix sends back to the provider, where Mailhaul collects it again."""

import contextlib
import json
import time

import pytest
from lmtp import Lmtp
from mails import fields, mail
from waiting import wait_for

BACK_PORT = 2424


@pytest.fixture(scope="module")
def back(world):
    """The way into the provider's mailboxes."""
    with Lmtp(world.folder, "back", BACK_PORT, world.folder / "provider" / "mail") as lmtp:
        yield lmtp


@pytest.fixture(autouse=True)
def own_address(scene):
    """The provider writes it into Delivered-To."""
    scene.account["addresses"] = [f"{scene.mailbox.user}@isp.example"]


@contextlib.contextmanager
def sent_on(scene, back, people, **settings):
    """What these people get goes on to these mailboxes."""
    aliases = " ".join(
        f"{{ {name}@example.org = {mailbox.user}@isp.example }}" for name, mailbox in people.items()
    )
    with scene.postfix.settings(
        virtual_alias_maps=f"inline:{{ {aliases} }}",
        transport_maps=f"inline:{{ {{ isp.example = {back.transport} }} }}",
        **settings,
    ):
        yield


def parked(scene):
    text = scene.mailhaul.command("parked", "list", "--json").expect(0).out
    return [message for message in json.loads(text)["messages"] if message["status"] == "parked"]


def test_mail_that_comes_back_is_fetched_once_more_and_kept(scene, back, both_methods):
    scene.mailbox.record()
    with sent_on(scene, back, {"anna": scene.mailbox}):
        scene.mailhaul.start_fetcher()
        scene.put(mail("case", to="anna@example.org"))
        wait_for(lambda: "status=parked" in scene.mailhaul.log("fetcher"), "the loop to be seen", 30)
        scene.postfix.wait_until_idle()
        time.sleep(2.5)
    log = scene.mailhaul.log("fetcher")
    assert log.count("status=injected") == 1 and log.count("status=parked") == 1
    assert len(scene.mailbox.uids()) == 1 and not scene.postfix.waiting()

    def fetches():
        return [line for log in scene.mailbox.commands() for line in log if "RETR" in line]

    # Dovecot writes them down a little later.
    wait_for(lambda: len(fetches()) >= 2, "the second fetch")
    assert len(fetches()) == 2, scene.mailbox.commands()
    (message,) = parked(scene)
    assert message["account"] == "office" and "collected it before" in message["reason"]
    assert "parked retry" in scene.mailhaul.command("parked", "list").expect(0).out

    # Mended.
    scene.mailhaul.command("parked", "retry", "office", message["id"]).expect(0)
    wait_for(lambda: not scene.mailbox.uids(), "the message to be collected", 30)
    scene.postfix.wait_until_idle()
    assert scene.got() == {"case": ["anna@example.org"]} and parked(scene) == []
    (delivered,) = scene.postfix.delivered()["anna@example.org"]
    assert len(fields(delivered, "X-Mailhaul")) == len(fields(delivered, "X-Mailhaul-Before")) == 1
    [newest, _] = json.loads(scene.mailhaul.command("archive", "list", "--json").expect(0).out)["messages"]
    explained = json.loads(scene.mailhaul.command("explain", "--json", newest["id"]).expect(0).out)
    assert explained["verdict"] == "deliver" and explained["recipients"] == ["anna@example.org"]


def test_a_loop_that_is_not_mended_is_parked_again(scene, back):
    with sent_on(scene, back, {"anna": scene.mailbox}):
        scene.put(mail("case", to="anna@example.org"))
        assert go_round(scene) == 1 and len(parked(scene)) == 1
        scene.mailhaul.command("parked", "retry", "office", "--all").expect(0)
        assert go_round(scene) == 1 and len(parked(scene)) == 1
    assert len(scene.mailbox.uids()) == 1


def ring(scene):
    """Anna's mail goes to Ben's mailbox, and Ben's to hers."""
    other = scene.world.mailbox()
    scene.account.update(mailbox="single", deliver_to="anna@example.org")
    account = scene.mailhaul.add_account(other, "ben", protocol="imaps")
    account.update(mailbox="single", deliver_to="ben@example.org")
    return other


def go_round(scene):
    """Until nothing moves: how many messages were injected."""
    injected = 0
    while count := len(scene.fetch().lines(status="injected")):
        injected += count
        assert injected < 100
    return injected


def test_a_ring_of_accounts_ends_where_it_began(scene, back):
    other = ring(scene)
    scene.put(mail("case", to="anna@example.org"))
    with sent_on(scene, back, {"anna": other, "ben": scene.mailbox}):
        assert go_round(scene) == 2
    (message,) = parked(scene)
    assert message["account"] == "office"
    assert len(scene.mailbox.uids()) == 1 and other.uids() == []


def test_a_ring_without_traces_ends_by_its_received_fields(scene, back):
    """Whoever sends it on may remove fields that he does not know.  Each time adds two."""
    other = ring(scene)
    scene.put(mail("case", to="anna@example.org"))
    with sent_on(scene, back, {"anna": other, "ben": scene.mailbox}, hopcount_limit="20",
                 header_checks="regexp:{ { /^X-Mailhaul(-Before)?:/ IGNORE } }"):
        assert go_round(scene) == 7
    (message,) = parked(scene)
    assert "15 Received fields" in message["reason"]
