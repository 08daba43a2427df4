# SPDX-License-Identifier: Apache-2.0
"""`mailhaul explain` on what was collected: by archive id, queue id, Message-ID, or a delivered copy."""

import gzip
import json
import os
import pathlib
import re
import shutil

import pytest
from commands import run
from mails import mail
from postfix import LOG
from waiting import wait_for

ANNA, BEN, OFFICE = "anna@example.org", "ben@example.org", "office@example.org"


def explain(scene, *arguments, status=0, stdin=""):
    said = scene.mailhaul.command("explain", "--json", *arguments, stdin=stdin)
    return json.loads(said.expect(status).out)


def in_words(scene, *arguments, status=0, stdin=""):
    said = scene.mailhaul.command("explain", *arguments, stdin=stdin).expect(status)
    return said.out + said.err


def ids(scene):
    """Of the archive, the newest first."""
    told = json.loads(scene.mailhaul.command("archive", "list", "--json").expect(0).out)
    return [message["id"] for message in told["messages"]]


def decided(told):
    """What is decided of the message, whoever has it."""
    # The archive lacks what must not go to Postfix, so its size is another one.
    steps = [step for step in told["steps"] if step["step"] not in ("duplicate", "size", "known")]
    same = ("verdict", "source", "account", "sender", "recipients", "candidates", "origin", "message_id", "warnings")
    return {name: told[name] for name in same}, steps


def known(told):
    [step] = [step for step in told["steps"] if step["step"] == "known"]
    return step["result"], step["text"]


MESSAGES = {
    "envelope": mail("m", envelope=ANNA),
    "delivered-to": mail("m", top=[f"Delivered-To: {BEN}"], to=ANNA),
    "delivered-to-below": mail("m", f"Delivered-To: {BEN}", envelope=ANNA),
    "received": mail("m", received_for=ANNA),
    "guess": mail("m", f"Cc: {BEN}, eve@outside.example", to=ANNA),
    "nobody": mail("m"),
    "bcc": mail("m", f"Bcc: {BEN}"),
    "null-sender": mail("m", envelope=ANNA, sender=""),
    "forged-trace": mail("m", "X-Mailhaul: account=other; id=1; source=envelope", envelope=ANNA),
    "suppressing": mail("m", "X-Auto-Response-Suppress: All", to=ANNA),
    "from-line": b"From someone Sat Nov 21\n" + mail("m", envelope=ANNA),
}


@pytest.mark.usefixtures("both_methods")
@pytest.mark.parametrize("name", MESSAGES)
def test_archive_id(scene, name):
    """As the provider sent it: the same is said of it as of the file."""
    scene.account["recipients"] = {"trusted_hosts": [".isp.example"]}
    message = MESSAGES[name]
    from_file = explain(scene, "--account", "office", "-", stdin=message)
    scene.put(message)
    scene.fetch()
    [archived] = ids(scene)
    told = explain(scene, archived)
    assert decided(told) == decided(from_file)
    assert told["verdict"] == "deliver" and scene.got() == {"m": told["recipients"]}
    assert known(told)[0] == "recognised" and archived in known(told)[1]
    assert told["id"] == archived and told["collected_ms"] > 0
    assert told["then"]["same"] is True and told["then"]["source"] == told["source"]
    assert told["origin"] == {"ip": "192.0.2.7", "name": "mail.sender.example", "helo": "mail.sender.example"}
    owners = {path.owner() for path in scene.mailhaul.state.rglob("*")}
    assert owners <= {"mailhaul", "mailhaul-milter"}


def test_a_guess_is_no_copy_of_itself(scene):
    message = MESSAGES["guess"]
    scene.put(message)
    scene.fetch()
    [archived] = ids(scene)
    copies = [step for step in explain(scene, archived)["steps"] if step["step"] == "duplicate"]
    assert [step["result"] for step in copies] == ["itself"]
    told = explain(scene, "--account", "office", "-", stdin=message)
    assert told["verdict"] == "duplicate" and archived in told["steps"][-1]["text"]


def test_message_id(scene):
    scene.put(mail("other", envelope=ANNA), *(
        mail("m", envelope=to).replace(b"<m@", b"<same@") for to in (ANNA, BEN)))
    scene.fetch()
    scene.put(mail("m", envelope="sales@example.org").replace(b"<m@", b"<same@"))
    scene.fetch()
    newest = ids(scene)[0]
    for name in ("<same@sender.example>", "same@sender.example"):
        told = explain(scene, name)
        assert told["id"] == newest == told["found"][0] and len(told["found"]) == 3
        assert told["recipients"] == ["sales@example.org"]
    words = in_words(scene, "<same@sender.example>")
    assert "newest of 3" in words and all(other in words for other in told["found"][1:])
    assert "only one" in in_words(scene, "other@sender.example")
    assert "among the 4 of the archive" in in_words(scene, "no@sender.example", status=66)


@pytest.mark.usefixtures("both_methods")
def test_queue_id(scene):
    """In the queue, then gone from it: Postfix's own log names the Message-ID."""
    scene.mailhaul.config["rules"] = [{"name": "hold", "then": {"hold": True}}]
    scene.put(mail("held", envelope=ANNA))
    scene.mailhaul.fetch_once().expect(0)
    wait_for(lambda: scene.postfix.waiting() == {"hold": 1}, "the mail in the hold queue", 30)
    [queue_id] = [line.text.split(":")[0] for line in scene.mailhaul.lines("milter") if line["hold"]]
    [archived] = ids(scene)
    for name in (queue_id, queue_id + "!", queue_id + ":"):
        told = explain(scene, name)
        assert (told["id"], told["queue_id"], told["found"]) == (archived, queue_id, [])
        assert told["recipients"] == [ANNA]
    assert f"{queue_id}, in Postfix's queue" in in_words(scene, queue_id)
    run("postsuper", "-H", "ALL")
    run("postqueue", "-f")
    scene.postfix.wait_until_idle()
    told = explain(scene, queue_id)
    assert told["id"] == archived and told["found"] == [archived]
    assert f"in {LOG}" in in_words(scene, queue_id)


def test_queue_id_in_the_log_of_the_milter(scene):
    """As syslog writes it beside Postfix's; also when it was rotated."""
    scene.put(mail("one", envelope=ANNA), mail("two", envelope=BEN))
    scene.fetch()
    lines = {line["id"]: line.text.split(":", 1)[1] for line in scene.mailhaul.lines("milter", status="routed")}
    newest, oldest = ids(scene)
    line = "Nov 22 05:16:00 mx mailhaul-milter[7]: {}:{}\n"
    # What a stranger has a program say is no line of the milter.
    forged = f"Nov 22 05:16:01 mx postfix/smtpd[7]: x mailhaul-milter[7]: BCDFGH1: id={newest} account=office\n"
    rotated = LOG.with_name("mail.log.2.gz")
    try:
        rotated.write_bytes(gzip.compress((line.format("BCDFGH1", lines[oldest]) + forged).encode()))
        assert explain(scene, "BCDFGH1")["id"] == oldest
        os.utime(rotated, (1, 1))
        assert "names it" in in_words(scene, "BCDFGH1", status=66)
    finally:
        rotated.unlink()


def test_queue_id_of_other_mail(scene):
    scene.put(mail("m", envelope=ANNA))
    scene.fetch()
    collected = scene.messages()
    run("sh", "-c", f"echo x | sendmail -f root {ANNA}")
    scene.postfix.wait_until_idle()
    [queue_id] = scene.messages().keys() - collected
    assert "no message with the Message-ID" in in_words(scene, queue_id, status=66)


@pytest.mark.usefixtures("both_methods")
def test_delivered_copy(scene):
    message = mail("m", f"Bcc: {BEN}")
    scene.put(message)
    scene.fetch()
    [delivered] = scene.postfix.delivered()[BEN]
    told = explain(scene, "-", stdin=delivered)
    assert told["id"] == ids(scene)[0] and told["recipients"] == [BEN]
    assert told["sender"] == "someone@sender.example"
    # To the account it would be a loop.
    assert explain(scene, "--account", "office", "-", stdin=delivered)["verdict"] == "park"
    # Whoever knows an id can write it into another message.
    forged = explain(scene, "-", stdin=delivered.replace(b"<m@", b"<forged@"))
    assert forged["message_id"] == "<forged@sender.example>" and forged["collected_ms"] == 0
    assert any("took Return-Path and Bcc" in warning for warning in forged["warnings"])
    archive = scene.mailhaul.state / "archive"
    archived = archive / told["id"]
    assert explain(scene, str(archived))["recipients"] == [BEN]
    moved = pathlib.Path(shutil.move(archived, scene.mailhaul.folder / "moved"))
    # Another company may collect by an account of that name.
    foreign = delivered.replace(b"at=example.org", b"at=elsewhere.example")
    assert "add --account" in in_words(scene, "-", stdin=foreign, status=64)
    words = in_words(scene, "-", stdin=delivered)
    assert f"for {BEN}" not in words and OFFICE in words and "took Return-Path and Bcc" in words
    # A file of the archive, wherever it is.
    assert explain(scene, str(moved))["recipients"] == [BEN]


def test_what_was_decided_then(scene):
    scene.put(mail("m", f"To: {BEN}", envelope=ANNA))
    scene.fetch()
    [archived] = ids(scene)
    assert "the same recipients were found" in in_words(scene, archived)
    scene.account["recipients"] = {"from": ["headers"]}
    told = explain(scene, archived)
    assert told["recipients"] == [BEN]
    assert told["then"] == {"source": "envelope", "candidates": [ANNA], "fallback": OFFICE, "same": False}
    words = in_words(scene, archived)
    assert "other recipients were found in it than now (envelope)" in words and ANNA in words


def test_account(scene):
    """The message tells it; who names another one gets that."""
    scene.mailhaul.add_account(scene.mailbox, name="second", fallback="second@example.org", enabled=False)
    scene.put(mail("m"))
    scene.fetch()
    [archived] = ids(scene)
    assert explain(scene, archived)["recipients"] == [OFFICE]
    assert explain(scene, "--account", "second", archived)["recipients"] == ["second@example.org"]
    scene.account["name"] = "renamed"
    assert "no account office" in in_words(scene, archived, status=64)
    assert "does not say" in in_words(scene, "-", status=64, stdin=mail("m"))


@pytest.mark.parametrize("name, status, words", [
    ("nothing.eml", 65, "no such file"),
    ("/no/such/file", 65, "No such file"),
    ("../archive", 65, "No such file"),
    ("0123456789abcdef01234", 66, "in the archive"),
    ("ABCDEF1234", 66, "not in Postfix's queue"),
    ("<no@where>", 66, "among the 1 of the archive"),
])
def test_what_is_not_there(scene, name, status, words):
    scene.put(mail("m", envelope=ANNA))
    scene.fetch()
    assert words in in_words(scene, name, status=status)


def test_in_words(scene):
    """What a colleague sees."""
    scene.account["recipients"] = {"trusted_hosts": [".isp.example"]}
    scene.put(mail("an offer", "Cc: eve@outside.example", envelope=f"{ANNA}, nobody@example.org"))
    scene.fetch()
    [archived] = ids(scene)
    words = in_words(scene, archived)
    for part in ("Subject     an offer", "Message-ID  <an offer@", "Account     office", f"as {archived}",
                 "Verdict     deliver", f"{ANNA}, for {ANNA}", f"{OFFICE}, for nobody@example.org",
                 "Sender      <someone@sender.example>", "Origin      mail.sender.example [192.0.2.7]",
                 "boundary   mx.isp.example", f"{ANNA} in X-Envelope-To: found", "ldaps://ldap.example.org",
                 f"to the fallback, {OFFICE}", "the same recipients were found"):
        assert part in words, f"{part}\n{words}"


def test_answers_in_words(scene):
    suppressed = "Answers     automatic ones are not wanted"
    assert suppressed in in_words(scene, "--account", "office", "-", stdin=mail("m", to=ANNA))
    assert suppressed in in_words(scene, "--account", "office", "-", stdin=mail("m"))
    assert suppressed not in in_words(scene, "--account", "office", "-", stdin=mail("m", envelope=ANNA))


def test_what_else_a_colleague_would_ask(scene):
    """Why not the other field, whence the address, and where the message waits."""
    scene.account["recipients"] = {
        "trusted_hosts": [".isp.example"], "strip_prefix": "mbox-", "headers": ["To", "Subject"]}
    scene.mailhaul.config["rules"] = [{"name": "careful", "if": {"tier": ["envelope"]}, "then": {"hold": True}}]
    held = mail("m", "X-Envelope-To: boss@example.org", envelope="mbox-anna@example.org", sender="")
    words = in_words(scene, "--account", "office", "-", stdin=held)
    for part in ("Held        in Postfix's hold queue, by the rule careful",
                 "field      X-Envelope-To: untrusted, stands once more where the sender could",
                 f"strip      mbox-anna@example.org: {ANNA}, by strip_prefix",
                 f"{ANNA} in X-Envelope-To: found", "sender     <>: from Return-Path"):
        assert part in words, f"{part}\n{words}"
    guessed = mail("m").replace(b"Subject: m", b"Subject: =?utf-8?Q?For_=28anna=40example.org=29?=")
    words = in_words(scene, "--account", "office", "-", stdin=guessed)
    assert "Subject: addresses in parentheses; For (anna@example.org)" in words and "Held" not in words
    words = in_words(scene, "--account", "office", "-", stdin="To: anna@example.org\n\n")
    assert "boundary   none, no Received field at all" in words
    told = scene.mailhaul.command("explain", "--account", "office", "--json", "-", stdin=held).expect(0)
    assert json.loads(told.out)["held_by"] == "careful"


def test_larger_than_allowed(scene):
    scene.account["max_message_size"] = "1K"
    words = in_words(scene, "--account", "office", "-", stdin=mail("m", to=ANNA, body=b"x\n" * 1000))
    assert re.search(r"\nWarnings\n  it is larger \(\S+\) than max_message_size \(1\S*K\): it is not coll", words), words
    assert "Warnings" not in in_words(scene, "--account", "office", "-", stdin=mail("m", to=ANNA))


def size_of(scene, message):
    told = explain(scene, "--account", "office", "-", stdin=message)
    [step] = [step for step in told["steps"] if step["step"] == "size"]
    return step["result"], step["text"], told["warnings"]


def test_limit_of_postfix(scene):
    """The smaller of the two limits counts, as in the fetcher."""
    small, large = mail("small", to=ANNA), mail("large", to=ANNA, body=b"x\n" * 3000)
    scene.put(large)
    with scene.postfix.written(message_size_limit=8000):
        result, text, warnings = size_of(scene, large)
        assert result == "oversize" and "larger (9." in text and "message_size_limit (7.8K)" in text
        assert warnings == [text] and "stays at the provider" in text
        result, text, warnings = size_of(scene, small)
        assert result == "collected" and "of at most 7.8K (Postfix's" in text and not warnings
        [line] = scene.mailhaul.fetch_once().expect(0).lines(status="oversize")
        assert "message_size_limit" in line["reason"]
        scene.account["max_message_size"] = "1K"
        assert "max_message_size (1.0K)" in size_of(scene, large)[1]
    with scene.postfix.written(message_size_limit=0):
        assert "(max_message_size)" in size_of(scene, small)[1]
        del scene.account["max_message_size"]
        assert size_of(scene, large)[1].endswith(", no limit")
    scene.mailhaul.config.setdefault("inject", {})["postconf"] = "/no/such/postconf"
    result, text, warnings = size_of(scene, small)
    assert result == "unknown" and "/no/such/postconf" in text and not warnings
    assert f"\nSize        {text}\n" in in_words(scene, "--account", "office", "-", stdin=small)


def test_known_by_its_content(scene):
    """What comes back is recognised; whoever explains it hears so before."""
    # More than is looked at for recipients.
    message = mail("m", envelope=ANNA, body=b"x\n" * 600_000)
    scene.account["keep"] = "forever"
    assert known(explain(scene, "--account", "office", "-", stdin=message))[0] == "none"
    scene.put(message)
    scene.fetch()
    [archived] = ids(scene)
    result, text = known(explain(scene, archived))
    assert result == "listed" and text.startswith("injected since 2") and text.endswith(f", as {archived}")
    scene.account["keep"] = "none"
    scene.fetch()
    for lines in (message, message.replace(b"\n", b"\r\n")):
        told = explain(scene, "--account", "office", "-", stdin=lines)
        assert known(told)[0] == "recognised" and f"as {archived}, and gone" in known(told)[1]
        assert told["verdict"] == "deliver" and not told["warnings"]
    assert known(explain(scene, "--account", "office", "-", stdin=message + b"x"))[0] == "none"
    words = in_words(scene, archived)
    assert f"\nKnown       {known(told)[1]}\n" in words and "without being delivered again" in words
    scene.put(message)
    scene.fetch()
    assert scene.got() == {"m": [ANNA]}
    # Of a guess the body is read for its copies as well.
    guess = mail("guess", to=ANNA, body=b"x\n" * 600_000)
    scene.put(guess)
    scene.fetch()
    told = explain(scene, "--account", "office", "-", stdin=guess)
    assert known(told)[0] == "recognised" and told["verdict"] == "duplicate"


def test_alias_in_words(scene):
    scene.mailhaul.config["aliases"] = [{"address": "team@example.org", "to": [ANNA, BEN, "gone@example.org", "left@example.org"]}]
    words = in_words(scene, "--account", "office", "-", stdin=mail("m", envelope="team@example.org"))
    for part in (f"{ANNA}, for team@example.org\n", f"{OFFICE}, for team@example.org\n",
                 "team@example.org in X-Envelope-To: found", f"to {BEN}"):
        assert part in words, f"{part}\n{words}"


def test_where_a_candidate_stands(scene):
    scene.mailhaul.config["lists"] = [{"list": "news.sender.example", "to": [ANNA]}]
    for message, field in ((mail("m", envelope=ANNA), "X-Envelope-To"), (mail("m", received_for=ANNA), "Received"),
                           (mail("m", f"Cc: {ANNA}", to="eve@outside.example"), "Cc"),
                           (mail("m", "List-Id: <news.sender.example>", to=BEN), "List-Id")):
        told = explain(scene, "--account", "office", "-", stdin=message)
        assert {c["address"]: c["from"] for c in told["candidates"]}[ANNA] == field, told["steps"]


@pytest.mark.parametrize("command", [("archive", "list"), ("seen", "export"), ("explain",), ("status",)])
def test_help_behind_a_verb(scene, command):
    said = scene.mailhaul.command(*command, "--help").expect(0)
    assert said.out.startswith(f"usage: mailhaul {command[0]} ") and not said.err
