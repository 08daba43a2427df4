# SPDX-License-Identifier: Apache-2.0
"""`mailhaul test-catch-all`: what a catch-all mailbox of a real server tells, and that
the setting it prints, pasted, checked and used, collects rightly."""

import json

import pytest
import yaml
from mails import mail

PEOPLE = ["anna@example.org", "ben@example.org", "clara@example.org"]
HOSTS = {"trusted_hosts": [".isp.example"]}


def look(scene, *options):
    said = scene.mailhaul.command("test-catch-all", "office", "--json", *options).expect(0)
    told = json.loads(said.out)
    assert told["version"] == 1 and told["account"] == "office"
    return told


def paste(scene, told):
    """The suggestion in place of what the account said."""
    for key in ("mailbox", "provider", "recipients"):
        scene.account.pop(key, None)
    scene.account.update(yaml.safe_load(told["suggestion"]))
    scene.mailhaul.write()
    scene.mailhaul.command("check").expect(0)


# How the provider records the recipient: what mail() makes of it, and what of
# that must stand in the suggestion.
WAYS = {
    "x-envelope-to": (lambda who: {"envelope": who}, "envelope",
                      {"envelope_headers": ["X-Envelope-To"], **HOSTS}),
    "delivered-to": (lambda who: {"top": [f"Delivered-To: {who}"]}, "envelope",
                     {"envelope_headers": ["Delivered-To"], **HOSTS}),
    "prefixed": (lambda who: {"top": [f"Delivered-To: mbox-u-{who}"]}, "envelope",
                 {"envelope_headers": ["Delivered-To"], "strip_prefix": "mbox-u-", **HOSTS}),
    "received": (lambda who: {"received_for": who}, "received", HOSTS),
}


@pytest.mark.parametrize("protocol", ["pop3s", "imaps"])
@pytest.mark.parametrize("way", WAYS)
def test_suggestion_is_right(scene, way, protocol):
    recorded, source, wanted = WAYS[way]
    scene.account.update(protocol=protocol, recipients={"from": ["headers"]})
    scene.put(*(mail(person, to="someone@outside.example", body=b"confidential\n", **recorded(person))
                for person in PEOPLE))
    before = scene.mailbox.uids()
    told = look(scene)
    assert told["messages"] == told["recorded"] == told["hidden"] == 3
    assert told["bcc"] == "works" and told["copies"] == "unseen" and told["fits"] is False
    assert yaml.safe_load(told["suggestion"]) == {"mailbox": "catch_all", "recipients": wanted}
    for message in told["looked_at"]:
        person = message["message_id"].strip("<>").removesuffix("@sender.example")
        assert message["present"]["recipients"] == ["office@example.org"]
        assert message["suggested"] == {
            "verdict": "deliver", "source": source, "recipients": [person], "reason": ""}
    assert scene.mailbox.uids() == before
    paste(scene, told)
    scene.fetch()
    assert scene.got() == {person: [person] for person in PEOPLE}


def test_headers_only(scene):
    scene.account.pop("recipients", None)
    scene.put(mail("to", to="anna@example.org"), mail("list", to="talk@lists.example"))
    told = look(scene)
    assert told["bcc"] == "lost" and told["recorded"] == 0 and told["fits"]
    assert {m["message_id"]: m["suggested"]["recipients"] for m in told["looked_at"]} == {
        "<to@sender.example>": ["anna@example.org"], "<list@sender.example>": ["office@example.org"]}
    paste(scene, told)
    scene.fetch()
    assert scene.got() == {"to": ["anna@example.org"], "list": ["office@example.org"]}


def test_the_mailbox_itself_is_named(scene):
    """All messages are recorded as for an address that nobody of ours has."""
    scene.account["recipients"] = HOSTS
    scene.put(*(mail(f"m{i}", to=PEOPLE[i], top=["Delivered-To: box@isp.example"]) for i in range(3)))
    told = look(scene)
    assert {m["present"]["recipients"][0] for m in told["looked_at"]} == {"office@example.org"}
    assert told["fits"] is False and told["bcc"] == "lost"
    paste(scene, told)
    assert scene.account["addresses"] == ["box@isp.example"]
    scene.fetch()
    assert scene.got() == {f"m{i}": [PEOPLE[i]] for i in range(3)}


def test_findings_are_told_once(scene):
    scene.account.pop("recipients", None)
    warning = "only the topmost Received field is believed"
    assert scene.mailhaul.command("test-catch-all", "office").expect(0).err.count(warning) == 1
    scene.account["every"] = "never"
    said = scene.mailhaul.command("test-catch-all", "office").expect(78)
    assert said.err.count("accounts[0].every") == 1 and said.out == ""


def test_one_copy_for_each_recipient(scene):
    both = {"to": "anna@example.org, ben@example.org"}
    scene.put(mail("both", envelope="anna@example.org", **both),
              mail("both", envelope="ben@example.org", **both),
              mail("other", envelope="clara@example.org", to="clara@example.org"))
    told = look(scene)
    assert told["copies"] == "each" and told["bcc"] == "works"
    examples = [told["looked_at"][i] for i in told["examples"]]
    assert [m["message_id"] for m in examples] == ["<both@sender.example>"] * 2
    assert sorted(m["fields"][0] for m in examples) == [
        "X-Envelope-To: anna@example.org", "X-Envelope-To: ben@example.org"]
    paste(scene, told)
    scene.fetch()
    assert scene.got() == {"both": ["anna@example.org", "ben@example.org"],
                           "other": ["clara@example.org"]}


def test_one_copy_for_all(scene):
    scene.put(mail("all", envelope="anna@example.org, ben@example.org", to="x@outside.example"))
    told = look(scene)
    assert told["copies"] == "together" and told["bcc"] == "works" and told["hidden"] == 1
    paste(scene, told)
    scene.fetch()
    assert scene.got() == {"all": ["anna@example.org", "ben@example.org"]}


@pytest.mark.parametrize("between, occurrence, wanted", [
    ([], "all", ["anna@example.org", "ben@example.org"]),
    (["Received: from mx.isp.example (mx.isp.example [192.0.2.9])\n\tby store.isp.example; "
      "Sat, 21 Nov 2026 10:00:00 +0000"], "last", ["ben@example.org"]),
], ids=["recipients", "history"])
def test_repeated_fields(scene, between, occurrence, wanted):
    """Side by side: several recipients. Apart: a history, the oldest counts."""
    scene.account.update(recipients={"from": ["headers"]})
    scene.put(mail("repeated", to="x@outside.example", top=[
        "X-Envelope-To: anna@example.org", *between, "X-Envelope-To: ben@example.org"]))
    told = look(scene)
    assert yaml.safe_load(told["suggestion"])["recipients"]["occurrence"] == occurrence
    assert told["copies"] == ("together" if len(wanted) > 1 else "unseen")
    paste(scene, told)
    scene.fetch()
    assert scene.got() == {"repeated": wanted}


def test_known_provider(scene):
    """Its row is suggested, and used."""
    scene.account.update(recipients={"from": ["envelope"]})
    scene.put(*(b"Return-Path: <s@sender.example>\n"
                b"Received: from mail.sender.example ([192.0.2.7]) by mx.kundenserver.de\n"
                b" (mxeue012 [212.227.15.41]) with ESMTPS (Nemesis) id 1 for <%s>; "
                b"Sat, 21 Nov 2026 10:00:00 +0000\n" % person.encode()
                + mail(person, f"Envelope-To: <{person}>").split(b"+0000 (UTC)\n", 1)[1]
                for person in PEOPLE))
    told = look(scene)
    assert told["suggestion"] == "mailbox: catch_all\nprovider: ionos\n" and not told["fits"]
    paste(scene, told)
    scene.fetch()
    assert scene.got() == {person: [person] for person in PEOPLE}


def test_in_words(scene):
    scene.account.update(recipients={"from": ["headers"]})
    scene.put(mail("secret-subject", envelope="anna@example.org", to="x@outside.example",
                   body=b"confidential\n"),
              mail("nobody", envelope="no-such-person@example.org"))
    said = scene.mailhaul.command("test-catch-all", "office").expect(0).out
    assert "confidential" not in said and "Subject" not in said
    assert "Bcc: works" in said and "Copies: not seen" in said
    assert "<nobody@sender.example>\n      X-Envelope-To: no-such-person@example.org\n" in said
    assert "now        fallback: office@example.org" in said  # nobody in To
    assert "suggested  envelope: anna@example.org" in said
    assert "      envelope_headers: [X-Envelope-To]\n" in said


def test_a_directory_that_is_away(scene):
    scene.mailhaul.config["directory"] = [{"file": "missing.txt"}]
    scene.put(mail("one", envelope="anna@example.org"))
    told = look(scene)
    assert told["looked_at"][0]["suggested"]["verdict"] == "defer"
    assert "missing.txt" in told["looked_at"][0]["suggested"]["reason"]
    assert len(scene.mailbox.uids()) == 1


def test_empty_mailbox(scene):
    told = look(scene)
    assert told["messages"] == 0 and told["suggestion"] is None
    assert "no message" in scene.mailhaul.command("test-catch-all", "office").expect(0).out


def test_exit_codes(scene):
    scene.mailhaul.command("test-catch-all").expect(64)
    scene.mailhaul.command("test-catch-all", "no-such-account").expect(64)
    scene.mailhaul.secret("office.password", "wrong")
    said = scene.mailhaul.command("test-catch-all", "office", "--json").expect(77)
    assert said.out == "" and "refused" in said.err
    scene.account["host"] = "127.0.0.77"
    scene.mailhaul.command("test-catch-all", "office").expect(69)
