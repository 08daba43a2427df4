# SPDX-License-Identifier: Apache-2.0
"""The one envelope recipient that Postfix is given, and what is done to it: adding
and deleting one address loses mail silently in Postfix."""

import subprocess

import pytest
from mails import mail

FALLBACK = "office@example.org"
pytestmark = pytest.mark.usefixtures("both_methods")


@pytest.mark.parametrize(
    "to, wanted",
    [
        ("office@example.org", ["office@example.org"]),
        ("OFFICE@Example.Org", ["office@example.org"]),
        ("anna@example.org, office@example.org", ["anna@example.org", "office@example.org"]),
        ("office@example.org, nobody@example.org", ["office@example.org"]),
    ],
    ids=["is", "is-in-capitals", "contains", "is-twice"],
)
def test_final_recipients_and_the_fallback(scene, to, wanted):
    users = scene.mailhaul.folder / "users.txt"
    users.write_text("anna@example.org\noffice@example.org\n")
    scene.mailhaul.config["directory"] = [{"file": str(users)}]
    scene.put(mail("case", to=to))
    scene.fetch()
    assert scene.got() == {"case": wanted}


def test_archived_message_is_routed_once_more(scene):
    """As mailhaul-fetcher(8) says: to those who exist now."""
    users = scene.mailhaul.folder / "users.txt"
    users.write_text(FALLBACK + "\n")
    scene.mailhaul.config["directory"] = [{"file": str(users)}]
    scene.mailhaul.config["cache"] = {"absent": "0s"}
    scene.put(mail("case", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"case": [FALLBACK]}

    users.write_text("anna@example.org\n" + FALLBACK + "\n")
    (archived,) = scene.mailhaul.archive()
    subprocess.run(
        ["sendmail", "-G", "-i", "-N", "never", "-f", "", "--", FALLBACK],
        input=archived, check=True, timeout=20,
    )
    scene.postfix.wait_until_idle()
    assert scene.got() == {"case": ["anna@example.org", FALLBACK]}


def test_recipient_is_an_alias_of_the_fallback(scene):
    scene.put(mail("case", envelope="alias@example.org"))
    with scene.postfix.settings(
        virtual_alias_maps=f"inline:{{ {{ alias@example.org = {FALLBACK} }} }}"
    ):
        scene.fetch()
    assert scene.got() == {"case": [FALLBACK]}


def test_fallback_is_an_alias_of_the_recipient(scene):
    scene.put(mail("case", envelope="anna@example.org"), mail("none"))
    with scene.postfix.settings(
        virtual_alias_maps=f"inline:{{ {{ {FALLBACK} = anna@example.org }} }}"
    ):
        scene.fetch()
    assert scene.got() == {"case": ["anna@example.org"], "none": ["anna@example.org"]}


@pytest.mark.parametrize("table", ["canonical_maps", "recipient_canonical_maps"])
def test_recipient_is_mapped_onto_the_fallback(scene, table):
    scene.put(mail("case", envelope="mapped@example.org"))
    with scene.postfix.settings(**{table: f"inline:{{ {{ mapped@example.org = {FALLBACK} }} }}"}):
        scene.fetch()
    assert scene.got() == {"case": [FALLBACK]}


@pytest.mark.parametrize("table", ["canonical_maps", "recipient_canonical_maps"])
def test_fallback_is_mapped_onto_the_recipient(scene, table):
    scene.put(mail("case", envelope="anna@example.org"), mail("other", envelope="ben@example.org"))
    with scene.postfix.settings(**{table: f"inline:{{ {{ {FALLBACK} = anna@example.org }} }}"}):
        scene.fetch()
    assert scene.got() == {"case": ["anna@example.org"], "other": ["ben@example.org"]}


def test_delivered_to_of_the_provider_with_local(scene):
    """local(8) takes a Delivered-To of its own address for a loop and bounces."""
    text = b"Delivered-To: clara@lan.example.org\n" + mail("local", to="clara@lan.example.org")
    scene.put(text)
    scene.fetch()
    (path,) = (scene.world.home / "Maildir" / "new").iterdir()
    message = path.read_bytes()
    path.unlink()
    assert b"\nX-Mailhaul-Delivered-To: clara@lan.example.org\n" in message
    assert [m.sent for m in scene.messages().values()] == [["clara@lan.example.org"]]
