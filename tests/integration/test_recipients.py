# SPDX-License-Identifier: Apache-2.0
"""Who gets a mail of a catch-all mailbox, by what the mail says."""

import pytest
from mails import fields, mail, received

# case: (message, who gets a copy, where the candidates came from)
CASES = {
    "envelope-header": (
        mail("envelope-header", envelope="anna@example.org", to="ben@example.org"),
        ["anna@example.org"], "envelope"),
    "received-for": (
        mail("received-for", received_for="ben@example.org", to="anna@example.org"),
        ["ben@example.org"], "received"),
    "to": (mail("to", to="Anna Berg <anna@example.org>"), ["anna@example.org"], "headers"),
    "to-and-cc": (
        mail("to-and-cc", "Cc: ben@example.org", to="anna@example.org"),
        ["anna@example.org", "ben@example.org"], "headers"),
    "bcc-field": (
        mail("bcc-field", "Bcc: anna@example.org", to="undisclosed-recipients:;"),
        ["anna@example.org"], "headers"),
    "bcc-by-envelope": (
        mail("bcc-by-envelope", envelope="anna@example.org", to="someone@outside.example"),
        ["anna@example.org"], "envelope"),
    "list-by-envelope": (
        mail("list-by-envelope", "List-Id: <talk.lists.example>", envelope="ben@example.org",
             to="talk@lists.example"),
        ["ben@example.org"], "envelope"),
    "list-names-nobody-here": (
        mail("list-names-nobody-here", "List-Id: <talk.lists.example>", to="talk@lists.example"),
        ["office@example.org"], "headers"),
    "two-local-one-foreign": (
        mail("two-local-one-foreign", "Cc: ben@example.org, eve@outside.example",
             to="anna@example.org"),
        ["anna@example.org", "ben@example.org"], "headers"),
    "unknown": (
        mail("unknown", envelope="no-such-person@example.org"), ["office@example.org"], "envelope"),
    "unknown-and-known": (
        mail("unknown-and-known", to="no-such-person@example.org, anna@example.org"),
        ["anna@example.org", "office@example.org"], "headers"),
    "two-unknown": (
        mail("two-unknown", to="nobody1@example.org, nobody2@example.org"),
        ["office@example.org"], "headers"),
    "same-twice": (
        mail("same-twice", "Cc: ANNA@EXAMPLE.ORG", to="anna@example.org"),
        ["anna@example.org"], "headers"),
    "second-address": (
        mail("second-address", envelope="sales@example.org"), ["sales@example.org"], "envelope"),
    "subdomain": (
        mail("subdomain", envelope="emil@sub.example.org"), ["emil@sub.example.org"], "envelope"),
    "mapped-domain": (
        mail("mapped-domain", envelope="anna@old-example.org"), ["anna@example.org"], "envelope"),
    "catch-all-of-domain": (
        mail("catch-all-of-domain", envelope="unknown@example.net"), ["dora@example.net"], "envelope"),
    "group-syntax": (
        mail("group-syntax", to="Team: anna@example.org, Ben <ben@example.org>;"),
        ["anna@example.org", "ben@example.org"], "headers"),
    "folded": (
        mail("folded", to="\n\tanna@example.org,\n  (the\n boss) ben@example.org"),
        ["anna@example.org", "ben@example.org"], "headers"),
    "encoded-words": (
        mail("encoded-words", to="=?utf-8?Q?Berg=2C_Anna?= <anna@example.org>"),
        ["anna@example.org"], "headers"),
    "quoted-local-part": (
        mail("quoted-local-part", envelope='"first.last"@example.org'),
        ["first.last@example.org"], "envelope"),
    "idn": (mail("idn", envelope="post@müller.example"), ["post@xn--mller-kva.example"], "envelope"),
    "resent": (
        mail("resent", "Resent-To: ben@example.org", to="anna@example.org"),
        ["ben@example.org"], "headers"),
    "forged-below-the-boundary": (
        mail("forged-below-the-boundary", "X-Envelope-To: ben@example.org",
             received_for="anna@example.org"),
        ["anna@example.org"], "received"),
    "relay-attempt": (
        mail("relay-attempt", envelope="eve%outside.example@example.org"),
        ["office@example.org"], None),
    "nobody-at-all": (mail("nobody-at-all"), ["office@example.org"], "fallback"),
    "null-sender": (
        mail("null-sender", envelope="anna@example.org", sender=""), ["anna@example.org"], "envelope"),
}


@pytest.fixture
def company(scene):
    """An installation with several domains."""
    scene.mailhaul.config["accepted_domains"] = [
        "example.org",
        {"domain": "example.net", "catch_all": "dora@example.net"},
        {"domain": "old-example.org", "map_to": "example.org"},
        {"domain": ".example.org"},
        "xn--mller-kva.example",
    ]
    return scene


@pytest.mark.usefixtures("both_methods")
def test_all_cases_in_one_mailbox(company):
    scene = company
    uids = dict(zip(CASES, scene.put(*(message for message, _, _ in CASES.values()))))
    result = scene.fetch()
    got = scene.got()
    for case, (_, wanted, source) in CASES.items():
        assert got.get(case) == wanted, f"{case}: {got.get(case)}, not {wanted}"
        (line,) = result.lines(uid=uids[case])
        assert line["status"] == "injected", line.text
        assert source in (None, line["source"]), f"{case}: {line.text}"
    assert got.keys() == CASES.keys()
    assert scene.mailbox.uids() == [], "delivered mail is still at the provider"


def test_milter_logs_each_message(company):
    scene = company
    scene.put(mail("logged", to="anna@example.org, ben@example.org"))
    (line,) = scene.fetch().lines(status="injected")
    identity = line.text.split(":")[0]
    (routed,) = scene.mailhaul.lines("milter", id=identity)
    assert routed["status"] == "routed" and routed["account"] == "office"
    assert sorted(routed["to"].replace("<", "").replace(">", "").split(",")) == [
        "anna@example.org", "ben@example.org"]


def test_trace_field_names_no_address(scene):
    scene.put(mail("trace", envelope="anna@example.org"))
    scene.fetch()
    (message,) = scene.postfix.delivered()["anna@example.org"]
    (trace,) = fields(message, "X-Mailhaul")
    assert "account=office" in trace and "@" not in trace


def test_our_fields_cannot_be_forged(scene):
    scene.put(mail("forged", "X-Mailhaul-Ticket: v=1; r=ben@example.org; m=00",
                   "X-Mailhaul: account=other", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"forged": ["anna@example.org"]}
    (message,) = scene.postfix.delivered()["anna@example.org"]
    assert len(fields(message, "X-Mailhaul")) == 1


def test_single_mailbox(scene):
    scene.account.update(mailbox="single", deliver_to="anna@example.org")
    scene.put(mail("single", envelope="ben@example.org", to="ben@example.org"))
    (line,) = scene.fetch().lines(status="injected")
    assert line["source"] == "single"
    assert scene.got() == {"single": ["anna@example.org"]}


def test_unknown_recipients_of_the_account(scene):
    scene.account["unknown_recipients"] = "second@example.org"
    scene.put(mail("unknown", envelope="nobody@example.org"))
    scene.fetch()
    assert scene.got() == {"unknown": ["second@example.org"]}


def test_recipient_delimiter(scene):
    scene.mailhaul.config["recipient_delimiter"] = "+"
    scene.put(mail("extension", envelope="anna+news@example.org"))
    with scene.postfix.settings(recipient_delimiter="+"):
        scene.fetch()
    assert scene.got() == {"extension": ["anna@example.org"]}


def test_canonical_address(scene):
    """Everybody's mail comes to one address, once, and never outside."""
    scene.mailhaul.config["directory"][0]["ldap"]["rewrite_to"] = "mail"
    scene.account["recipients"] = {"occurrence": "all"}
    scene.put(
        mail("alone", envelope="anna.berg@example.org"),
        mail("together", envelope=["anna@example.org", "anna.berg@example.org",
                                   "sales@example.org", "clara@lan.example.org"]),
        mail("outside", envelope="moved@example.org"),
        mail("outside-and-inside", envelope=["moved@example.org", "sales@example.org"]),
        mail("nobody", envelope="nobody@example.org"),
    )
    scene.fetch()
    assert scene.got() == {
        "alone": ["anna@example.org"],
        "together": ["anna@example.org", "ben@example.org", "clara@example.org"],
        "outside": ["moved@example.org"],
        "outside-and-inside": ["ben@example.org", "moved@example.org"],
        "nobody": ["office@example.org"],
    }


def test_trusted_hosts(scene):
    scene.account["recipients"] = {"trusted_hosts": [".isp.example"]}
    inner = ("Received: from mx.isp.example (mx.isp.example [203.0.113.5])\n"
             "\tby store.isp.example with LMTP id 1 for <box@isp.example>; "
             "Sat, 21 Nov 2026 10:00:01 +0000\n").encode()
    scene.put(inner + mail("hops", received_for="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"hops": ["anna@example.org"]}


def test_directory_file(scene):
    users = scene.mailhaul.folder / "users.txt"
    users.write_text("# who exists\nanna@example.org\n")
    scene.mailhaul.config["directory"] = [{"file": str(users)}]
    scene.put(mail("known", envelope="anna@example.org"), mail("unknown", envelope="ben@example.org"))
    scene.fetch()
    assert scene.got() == {"known": ["anna@example.org"], "unknown": ["office@example.org"]}


@pytest.mark.parametrize("way", ["starttls", "ldapi"])
def test_other_ways_to_the_directory(scene, way):
    ldap = scene.mailhaul.config["directory"][0]["ldap"]
    if way == "starttls":
        ldap.update(uri=["ldap://ldap.example.org:3389"], start_tls="required")
    else:
        ldap["uri"] = [scene.slapd.ldapi]
        for name in ("bind_dn", "password", "ca_file"):
            del ldap[name]
    scene.put(mail("known", envelope="anna@example.org"), mail("unknown", envelope="nobody@example.org"))
    scene.fetch()
    assert scene.got() == {"known": ["anna@example.org"], "unknown": ["office@example.org"]}


def test_sender_reaches_postfix(scene):
    scene.put(mail("sender", envelope="anna@example.org", sender="boss@partner.example"),
              mail("null", envelope="anna@example.org", sender=""))
    scene.fetch()
    senders = {m.message_id: m.sender for m in scene.messages().values() if m.sent}
    assert senders == {"<sender@sender.example>": "boss@partner.example", "<null@sender.example>": ""}


def test_boundary_field_is_what_the_tests_think():
    """`received` must stay a field that names the client and the recipient."""
    assert "for <a@b>" in received("a@b") and "(mail.sender.example [192.0.2.7])" in received()
