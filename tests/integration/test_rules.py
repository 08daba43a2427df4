# SPDX-License-Identifier: Apache-2.0
"""Rules: who gets a message is changed after the policy, for both ways in."""

import json
import subprocess

import pytest
from commands import run
from mails import fields, mail
from waiting import wait_for

FALLBACK = "office@example.org"
ANNA = "anna@example.org"
BEN = "ben@example.org"
OUTSIDE = "friend@elsewhere.example"
pytestmark = pytest.mark.usefixtures("both_methods")


@pytest.fixture(autouse=True)
def people(scene):
    users = scene.mailhaul.folder / "users.txt"
    users.write_text(f"{ANNA}\n{BEN}\n")
    scene.mailhaul.config["directory"] = [{"file": str(users)}]


def rules(scene, *listed, account=()):
    scene.mailhaul.config["rules"] = list(listed)
    scene.account["rules"] = list(account)


def explain(scene, message):
    """What explain says of the rules: {rule: result}, and the recipients."""
    said = json.loads(scene.mailhaul.command(
        "explain", "--account", scene.account["name"], "--json", "-", stdin=message).expect(0).out)
    steps = {step["subject"]: step["result"] for step in said["steps"] if step["step"] == "rule"}
    return steps, said["recipients"]


@pytest.mark.parametrize("then, wanted", [
    ({"add": [BEN, ANNA]}, [ANNA, BEN]),
    ({"replace": [BEN]}, [BEN]),
    ({"drop": ["anna@*"], "add": [BEN]}, [BEN]),
    ({"drop": ["*"]}, [FALLBACK]),
    ({"fallback": True}, [FALLBACK]),
    ({"fallback": True, "add": [BEN]}, [BEN, FALLBACK]),
    ({"add": ["OFFICE@Example.Org"]}, [ANNA, FALLBACK]),
], ids=["add", "replace", "drop", "drop-all", "fallback", "fallback-add", "add-fallback"])
def test_actions(scene, then, wanted):
    rules(scene, {"name": "rule", "if": {"subject": {"starts": "ruled"}}, "then": then})
    ruled, other = mail("ruled", envelope=ANNA), mail("other", envelope=ANNA)
    scene.put(ruled, other)
    scene.fetch()
    assert scene.got() == {"ruled": sorted(wanted), "other": [ANNA]}
    steps, recipients = explain(scene, ruled)
    assert steps["rule"] == "applied"
    assert sorted(address.lower() for address in recipients) == sorted(wanted)
    assert explain(scene, other) == ({"rule": "not_applied"}, [ANNA])
    lines = scene.mailhaul.lines("milter")
    assert sorted(line["rules"] or "" for line in lines if line["status"] == "routed") == ["", "rule"]


def test_conditions(scene):
    """As Postfix tells them to the milter."""
    rules(
        scene,
        {"if": {"subject": {"contains": "größe"}}, "then": {"add_header": [{"name": "X-Rule", "value": "subject"}]}},
        {"if": {"header": {"name": "List-Id", "is": "People <list.example>"}},
         "then": {"add_header": [{"name": "X-Rule", "value": "list"}]}},
        {"if": {"sender": ""}, "then": {"add_header": [{"name": "X-Rule", "value": "null"}]}},
        {"if": {"sender": {"ends": "@sender.example"}, "tier": ["headers"]},
         "then": {"add_header": [{"name": "X-Rule", "value": "guess"}]}},
        {"if": {"candidate": {"starts": "nobody"}, "recipient": FALLBACK},
         "then": {"add_header": [{"name": "X-Rule", "value": "unknown"}]}},
        {"if": {"candidate": ANNA, "header": {"name": "To", "contains": "Ben Bär"}},
         "then": {"add_header": [{"name": "X-Rule", "value": "name"}]}},
        {"if": {"not": {"any": [{"size": {"below": "20K"}}, {"account": {"starts": "x"}}]}},
         "then": {"add_header": [{"name": "X-Rule", "value": "large"}]}},
    )
    messages = {
        "subject": mail("subject", envelope=ANNA).replace(
            b"\nSubject: subject", b"\nSubject: =?utf-8?q?gr=C3=B6=C3=9Fe?=\n und mehr"),
        "list": mail("list", "List-Id: People\n\t<list.example>", envelope=ANNA),
        "null": mail("null", envelope=ANNA, sender=""),
        "guess": mail("guess", to=ANNA),
        "unknown": mail("unknown", envelope="nobody@example.org"),
        "name": mail("name", to=f"=?utf-8?q?Ben_B=C3=A4r?= <{ANNA}>", envelope=ANNA),
        "large": mail("large", envelope=ANNA, body=(b"x" * 70 + b"\n") * 400),
    }
    scene.put(*messages.values())
    scene.fetch()
    seen = {fields(m, "X-Case")[0]: fields(m, "X-Rule")
            for listed in scene.postfix.delivered().values() for m in listed}
    assert seen == {case: [case] for case in messages}
    for number, case in enumerate(messages):
        steps, _ = explain(scene, messages[case])
        assert [rule for rule, result in steps.items() if result == "applied"] == [f"rules[{number}]"]


def test_order_and_stop(scene):
    """The account's rules come first; each sees what the one before left."""
    rules(
        scene,
        {"name": "third", "if": {"recipient": BEN}, "then": {"add": [FALLBACK], "stop": True}},
        {"name": "fourth", "then": {"replace": [ANNA]}},
        account=[
            {"name": "first", "if": {"recipient": ANNA}, "then": {"replace": [BEN]}},
            {"name": "second", "if": {"recipient": ANNA}, "then": {"drop": ["*"]}},
        ],
    )
    message = mail("case", envelope=ANNA)
    scene.put(message)
    scene.fetch()
    assert scene.got() == {"case": [BEN, FALLBACK]}
    assert explain(scene, message)[0] == {
        "first": "applied", "second": "not_applied", "third": "applied", "fourth": "skipped"}


def test_hold(scene):
    """The message waits for somebody, with the recipients that it has by then."""
    rules(scene, {"name": "suspicious", "if": {"subject": "held"}, "then": {"hold": True, "add": [BEN]}})
    scene.put(mail("held", envelope=ANNA), mail("free", envelope=ANNA))
    scene.mailhaul.fetch_once().expect(0)
    wait_for(lambda: scene.got() == {"free": [ANNA]}, "the other message", 20)
    wait_for(lambda: scene.postfix.waiting() == {"hold": 1}, "one message on hold, and no other", 20)
    assert [line["hold"] for line in scene.mailhaul.lines("milter") if line["rules"]] == ["yes"]
    run("postsuper", "-H", "ALL")
    run("postqueue", "-f")
    scene.postfix.wait_until_idle()
    assert scene.got() == {"held": [ANNA, BEN], "free": [ANNA]}


def test_outside_only_where_allowed(scene):
    rules(scene, {"if": {"subject": "out"}, "then": {"add": [OUTSIDE]}})
    refused = scene.mailhaul.command("check").expect(78)
    assert "rules[0].then.add[0]" in refused.out + refused.err

    scene.mailhaul.config["allow_external"] = [OUTSIDE]
    scene.put(mail("out", envelope=ANNA), mail("in", envelope=[ANNA, "stranger@elsewhere.example"]))
    scene.fetch()
    assert scene.got() == {"out": [ANNA], "in": [ANNA]}
    (outside,) = scene.sink.recipients
    assert OUTSIDE in outside
    scene.sink.recipients.clear()


def test_ordinary_mail_is_left_alone(scene):
    rules(scene, {"then": {"replace": [BEN], "hold": True,
                           "add_header": [{"name": "X-Rule", "value": "x"}]}})
    scene.mailhaul.start_milter()
    subprocess.run(["sendmail", "-i", "-f", "", "--", ANNA],
                   input=mail("ordinary", to=ANNA), check=True, timeout=20)
    scene.postfix.wait_until_idle()
    assert scene.got() == {"ordinary": [ANNA]}
    (message,) = scene.postfix.delivered()[ANNA]
    assert fields(message, "X-Rule") == []
