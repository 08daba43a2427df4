# SPDX-License-Identifier: Apache-2.0
"""Aliases, mailing lists, addresses in the Subject, and what a provider puts around an
address."""

import json

import pytest
from mails import mail

ANNA = "anna@example.org"
BEN = "ben@example.org"
SALES = "sales@example.org"
FALLBACK = "office@example.org"
DORA = "dora@example.net"
HOST = "Received: by store{}.isp.example; Sat, 21 Nov 2026 10:00:0{} +0000"

# Postfix knows none of these addresses, and slapd neither them nor those who left.
ALIASES = [
    {"address": "team@example.org", "to": [ANNA, BEN]},
    {"address": "boss@example.org", "to": [FALLBACK, ANNA]},
    {"address": "former@example.org", "to": ["left@example.org"]},
    {"address": "some@example.org", "to": [ANNA, "left@example.net"]},
]


@pytest.fixture(autouse=True)
def company(scene):
    scene.mailhaul.config.update(
        accepted_domains=[
            "example.org",
            {"domain": "example.net", "catch_all": DORA},
            {"domain": "old-example.org", "map_to": "example.org"},
        ],
        aliases=ALIASES,
        lists=[
            {"list": "announce.lists.example", "to": ["team@example.org", DORA]},
            {"list": "talk@lists.example", "to": [BEN]},
        ],
    )


def explain(scene, message):
    return json.loads(scene.mailhaul.command(
        "explain", "--account", scene.account["name"], "--json", "-", stdin=message).expect(0).out)


@pytest.mark.usefixtures("both_methods")
def test_each_of_its_people_gets_one_copy(scene):
    wanted = {
        "people": [ANNA, BEN],
        "beside": [ANNA, BEN],
        "mapped": [ANNA, BEN],
        "fallback": [ANNA, FALLBACK],
        "left": [FALLBACK],
        "some-left": [ANNA, DORA],
        "two": [ANNA, BEN, FALLBACK],
    }
    messages = {
        "people": mail("people", envelope="Team@Example.Org"),
        "beside": mail("beside", f"Cc: {ANNA}", to="team@example.org"),
        "mapped": mail("mapped", envelope="team@old-example.org"),
        "fallback": mail("fallback", envelope="boss@example.org"),
        "left": mail("left", envelope="former@example.org"),
        "some-left": mail("some-left", received_for="some@example.org"),
        "two": mail("two", to="team@example.org, boss@example.org"),
    }
    for case, message in messages.items():
        assert explain(scene, message)["recipients"] == wanted[case], case
    scene.put(*messages.values())
    scene.fetch()
    assert scene.got() == wanted


def test_explain_and_query_show_its_people(scene):
    told = explain(scene, mail("some", envelope="some@example.org"))
    (candidate,) = told["candidates"]
    assert candidate["result"] == "found" and candidate["to"] == [ANNA, DORA]
    steps = [step["text"] for step in told["steps"] if step["step"] == "policy"]
    assert len(steps) == 2
    assert steps[0].startswith(f"the alias some@example.org names {ANNA}; {ANNA}: found")
    assert steps[1].startswith("the alias some@example.org names left@example.net; "
                               "left@example.net: absent")
    asked = scene.mailhaul.command("query", "--json", "team@example.org").expect(0).out
    told = json.loads(asked)
    assert told["result"] == "found" and told["to"] == [ANNA, BEN]
    assert [step["text"] for step in told["steps"] if step["step"] == "alias"] == [ANNA, BEN]
    asked = scene.mailhaul.command("query", "team@example.org").expect(0).out
    assert asked.endswith(f"team@example.org: found -> {ANNA}, {BEN}\n")
    scene.mailhaul.command("query", "former@example.org").expect(1)


def test_one_person_who_cannot_be_told_makes_the_message_wait(scene):
    """As trouble with the directory always does; then all of them get it."""
    users = scene.mailhaul.folder / "users.txt"
    scene.mailhaul.config["directory"] = [{"file": str(users)}]
    users.write_text(f"{ANNA}\n{BEN}\n")
    scene.mailhaul.start_milter()
    users.unlink()
    scene.put(mail("waits", envelope="team@example.org"))
    scene.fetch(status=75)
    assert scene.got() == {} and len(scene.mailbox.uids()) == 1
    users.write_text(f"{ANNA}\n{BEN}\n")
    scene.fetch()
    assert scene.got() == {"waits": [ANNA, BEN]}


@pytest.mark.usefixtures("both_methods")
def test_mail_of_a_list(scene):
    announce = "List-Id: \"All news\"\n\t<Announce.lists.example>"
    scene.put(
        mail("by-id", announce, to="announce@lists.example"),
        mail("by-post", "List-Id: <talk.lists.example>", "List-Post: <mailto:Talk@lists.example>",
             to="somebody@elsewhere.example"),
        mail("by-to", to="Talk <talk@lists.example>"),
        mail("not-by-envelope", announce, envelope=ANNA, to="announce@lists.example"),
        mail("forged", "List-Id: <other.lists.example>", announce, to=ANNA),
        mail("other", "List-Id: <other.lists.example>", to="other@lists.example"),
    )
    told = explain(scene, mail("told", announce, "List-Post: <mailto:talk@lists.example>",
                               to="announce@lists.example"))
    assert [(c["address"], c["from"]) for c in told["candidates"]] == [
        ("team@example.org", "List-Id"), (DORA, "List-Id")]
    assert told["source"] == "headers" and told["recipients"] == [ANNA, BEN, DORA]
    assert ("announce.lists.example", "mapped") in [
        (step["subject"], step["result"]) for step in told["steps"] if step["step"] == "list"]
    result = scene.fetch()
    assert scene.got() == {
        "by-id": [ANNA, BEN, DORA],
        "by-post": [BEN],
        "by-to": [BEN],
        "not-by-envelope": [ANNA],
        "forged": [ANNA],
        "other": [FALLBACK],
    }
    sources = sorted(line["source"] for line in result.lines(status="injected"))
    assert sources == ["envelope", *["headers"] * 5]


def test_copies_of_a_lists_mail(scene):
    """The list has two addresses of ours, and the provider stores a copy for each."""
    scene.put(*(
        mail("news", "List-Id: <announce.lists.example>", to="announce@lists.example",
             top=[HOST.format(n, n)]) for n in range(2)
    ))
    result = scene.fetch()
    assert scene.got() == {"news": [ANNA, BEN, DORA]} and scene.mailbox.uids() == []
    assert len(result.lines(status="duplicate")) == 1


def test_addresses_in_the_subject(scene):
    def titled(case, subject, **settings):
        message = mail(case, **settings)
        return message.replace(f"\nSubject: {case}".encode(), f"\nSubject: {subject}".encode())

    scene.account["recipients"] = {"headers": ["To", "Subject"]}
    scene.put(
        titled("plain", f"Order 17 ({ANNA}), not {BEN}", to="shop@elsewhere.example"),
        titled("encoded", "=?utf-8?q?Gr=C3=BC=C3=9Fe_=28team=40example=2Eorg=29?=",
               to="shop@elsewhere.example"),
        titled("unsafe", "(eve%outside.example@example.org) (eve@outside.example)",
               to="shop@elsewhere.example"),
        titled("none", f"{ANNA}", to="shop@elsewhere.example"),
    )
    scene.fetch()
    assert scene.got() == {
        "plain": [ANNA], "encoded": [ANNA, BEN], "unsafe": [FALLBACK], "none": [FALLBACK]}
    scene.account["recipients"] = {"headers": ["To"]}
    scene.put(titled("not-asked-for", f"({ANNA})", to="shop@elsewhere.example"))
    scene.fetch()
    assert scene.got()["not-asked-for"] == [FALLBACK]


def test_what_the_provider_puts_around_an_address(scene):
    scene.account["recipients"] = {"strip_prefix": "m17-", "strip_suffix": "-box"}
    scene.put(
        mail("both", envelope="m17-anna-box@example.org"),
        mail("suffix", envelope="ben-BOX@example.org"),
        mail("neither", envelope="sales@example.org"),
        mail("nothing-else", envelope="m17-box@example.org"),
    )
    scene.fetch()
    assert scene.got() == {
        "both": [ANNA], "suffix": [BEN], "neither": [SALES], "nothing-else": [FALLBACK]}
