# SPDX-License-Identifier: Apache-2.0
"""Notices do not answer notices, and nobody is answered by whom he did not write to."""

import pytest
from lmtp import VACATION, Lmtp
from mails import mail

STORE_PORT = 2425
NOTICES = {
    "dsn": ("Auto-Submitted: auto-replied",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"'),
    "vacation": ("Auto-Submitted: auto-replied (vacation)",),
    "mdn": ('Content-Type: multipart/report; report-type=disposition-notification; boundary="b"',),
}


def notice(kind, case, *fields, **settings):
    return mail(f"{kind}-{case}", *NOTICES[kind], *fields, sender="", **settings)


def told(scene):
    """Of how many failures the postmaster knows."""
    notices = scene.postfix.delivered().get("postmaster@example.org", [])
    return sum(b"\nAction: failed" in text for text in notices)


@pytest.mark.parametrize("policy", ["original", "postmaster", "null"])
def test_a_null_sender_stays_null(scene, both_methods, policy):
    """Whoever it is for, and whatever becomes of it."""
    scene.account["sender"] = policy
    refused = scene.world.mailbox()
    scene.mailhaul.add_account(refused, "refused", sender=policy, fallback="refused@example.org")
    scene.may_bounce = {"refused@example.org"}
    for kind in NOTICES:
        scene.put(notice(kind, "person", envelope="anna@example.org"),
                  notice(kind, "guessed", to="ben@example.org"),
                  notice(kind, "unknown", envelope="nobody@example.org"),
                  notice(kind, "refused", envelope="refused@example.org"))
        refused.put(notice(kind, "fallback"))
        refused.put(notice(kind, "instead", envelope="nobody@example.org"))
    result = scene.fetch()
    assert [line["sender"] for line in result.lines(status="injected")] == ["<>"] * 18
    assert scene.got() == {f"{kind}-{case}": [f"{local}@example.org"] for kind in NOTICES for case, local in
                           (("person", "anna"), ("guessed", "ben"), ("unknown", "office"))}
    assert len(scene.world.refusing.recipients) == 9
    assert told(scene) == 9
    assert len(scene.mailhaul.archive()) == 18


def test_without_return_path_the_account_decides(scene):
    scene.account["sender"] = "postmaster"
    none = mail("none", envelope="anna@example.org").split(b"\n", 1)[1]
    scene.put(none, mail("some", envelope="anna@example.org"))
    result = scene.fetch()
    assert [line["sender"] for line in result.lines(status="injected")] == ["<postmaster@example.org>"] * 2


def test_no_bounce_goes_to_the_author(scene, both_methods):
    """Not even when the fallback itself is refused, which stays in the envelope."""
    scene.account["fallback"] = "refused@example.org"
    scene.may_bounce = {"refused@example.org"}
    scene.put(mail("person", envelope="refused@example.org"),
              mail("unknown", envelope="nobody@example.org"), mail("nobody"))
    scene.fetch()
    assert len(scene.world.refusing.recipients) == 3 and not scene.sink.recipients
    assert told(scene) == 3


def test_a_vacation_notice_answers_only_whom_the_provider_named(scene):
    """The same message, once with an envelope field and once without."""
    def to_anna(case, *fields, **settings):
        return mail(case, *fields, to="anna@example.org", sender=f"{case}@sender.example", **settings)

    with Lmtp(scene.mailhaul.folder, "store", STORE_PORT) as store:
        store.sieve("anna", VACATION)
        scene.put(to_anna("named", envelope="anna@example.org"), to_anna("guessed"),
                  to_anna("foreign", "X-Auto-Response-Suppress: OOF", envelope="anna@example.org"))
        with scene.postfix.settings(virtual_transport=store.transport):
            scene.fetch()
        assert len(store.delivered()["anna"]) == 3, store.log()
        answered, log = list(scene.sink.recipients), store.log()
    scene.sink.recipients.clear()
    assert [command.split("<")[1].split(">")[0] for command in answered] == ["named@sender.example"], log
