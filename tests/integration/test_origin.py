# SPDX-License-Identifier: Apache-2.0
"""X-Mailhaul-Origin: spam filters judge collected mail by the client from which the
provider took it, with inject.method: sendmail too."""

import email
import smtplib

import pytest
import spamassassin
from mails import mail
from postfix import MILTER
from rspamd import BAD_CLIENT, PORT, Rspamd


BOUNDARY = (b"Received: from mail.sender.example (mail.sender.example [192.0.2.7])\n"
            b"\tby mx.isp.example")
HOP = ("Received: from mx.isp.example (mx.isp.example [198.51.100.25])\n\tby store.isp.example"
       " (Dovecot) with LMTP id 7;\n\tSat, 21 Nov 2026 10:00:01 +0000")


@pytest.fixture(autouse=True)
def trusted(scene):
    scene.account["recipients"] = {"trusted_hosts": [".isp.example"]}


def from_client(case, line, *fields, top=()):
    """A mail that the provider took from this client."""
    text = mail(case, *fields, envelope="anna@example.org", top=top)
    assert BOUNDARY in text
    return text.replace(BOUNDARY, f"Received: from {line}\n\tby mx.isp.example".encode())


def delivered(scene):
    """{case: its header}"""
    (messages,) = scene.postfix.delivered().values()
    parsed = [email.message_from_bytes(message) for message in messages]
    return {message["Message-ID"].strip("<>").split("@")[0]: message for message in parsed}


def field(message):
    return message["X-Mailhaul-Origin"]


def test_the_field(scene):
    scene.put(
        from_client("known", "helo.example (mail.sender.example [192.0.2.7])"),
        from_client("nameless", "[203.0.113.4] (unknown [203.0.113.4])"),
        from_client("six", "six.example (six.example [IPv6:2001:db8::7])"),
        from_client("forged", "helo.example (mail.sender.example [192.0.2.8])",
                    "X-Mailhaul-Origin: ip=198.51.100.1"),
    )
    scene.fetch()
    got = {case: " ".join(field(m).split()) for case, m in delivered(scene).items()}
    assert got["known"] == "ip=192.0.2.7; name=mail.sender.example; helo=helo.example"
    assert got["nameless"].startswith("ip=203.0.113.4") and "name=" not in got["nameless"]
    assert got["six"].startswith("ip=2001:db8::7; name=six.example")
    assert got["forged"].startswith("ip=192.0.2.8")


def test_without_trusted_hosts_nobody_is_named(scene):
    scene.account["recipients"] = {}
    scene.put(from_client("any", "helo.example (mail.sender.example [192.0.2.7])"))
    scene.fetch()
    assert field(delivered(scene)["any"]) is None


def test_rspamd_judges_mail_from_sendmail_by_the_origin(scene):
    scene.put(
        from_client("good", "helo.example (mail.sender.example [192.0.2.7])"),
        from_client("bad", f"helo.example (bad.example [{BAD_CLIENT}])"),
    )
    rspamd = Rspamd(scene.mailhaul.folder, action="add_header")
    try:
        with scene.postfix.settings(non_smtpd_milters=f"{MILTER},inet:127.0.0.1:{PORT}"):
            scene.fetch()
    finally:
        rspamd.stop()
    got = delivered(scene)
    assert {case: m.get("X-Spam") for case, m in got.items()} == {"good": None, "bad": "Yes"}, rspamd.log()
    assert f"ip: {BAD_CLIENT}" in rspamd.log()


def test_rspamd_believes_no_other_machine(scene):
    """Nor one of an address that rspamd calls local."""
    text = mail("forged", f"X-Mailhaul-Origin: ip={BAD_CLIENT}")
    rspamd = Rspamd(scene.mailhaul.folder, action="add_header")
    try:
        with scene.postfix.settings(smtpd_milters=f"inet:127.0.0.1:{PORT}"):
            with smtplib.SMTP("127.0.0.1", timeout=60, source_address=("127.0.0.2", 0)) as client:
                client.sendmail("someone@sender.example", ["anna@example.org"], text)
            scene.postfix.wait_until_idle()
    finally:
        rspamd.stop()
    assert delivered(scene)["forged"].get("X-Spam") is None, rspamd.log()
    assert "ip: 127.0.0.2" in rspamd.log()


def test_spamassassin_judges_mail_by_the_origin(scene, both_methods):
    """It knows by its settings which Received fields are the provider's."""
    scene.put(*(
        from_client(case, f"helo.example (any.example [{client}])", forged, top=[HOP])
        for case, client, forged in (
            ("good", "192.0.2.7", f"Received: from x (x [{BAD_CLIENT}])\n\tby mx.isp.example; "
             "Sat, 21 Nov 2026 09:00:00 +0000"),
            ("bad", BAD_CLIENT, "X-Nothing: forged"),
        )
    ))
    scene.fetch()
    (messages,) = scene.postfix.delivered().values()
    judged = spamassassin.judge(scene.mailhaul.folder, messages, "198.51.100.0/24")
    got = {message["X-Case"]: message["X-Spam-Status"] for message in judged}
    assert {case: "BAD_CLIENT" in status for case, status in got.items()} == {"good": False, "bad": True}, got
