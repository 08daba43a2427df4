# SPDX-License-Identifier: Apache-2.0
"""The milter in a real Sendmail (INPUT_MAIL_FILTER), fed by the fetcher's SMTP."""

import email
import smtplib

import pytest
from mails import mail
from sendmail_mta import PORT, SendmailMta

@pytest.fixture(scope="module")
def running_sendmail(world):
    sendmail = SendmailMta(world.folder)
    sendmail.start()
    yield sendmail
    sendmail.stop()


@pytest.fixture
def sendmail(running_sendmail, scene, request):
    """Fed by the fetcher of this test."""
    scene.inject_by_smtp(host="127.0.0.1", port=PORT)
    # There is no postconf(1) that could tell.
    scene.mailhaul.config["inject"]["require_milter"] = False
    running_sendmail.sink.messages.clear()
    yield running_sendmail
    if getattr(request.node, "failed", False):
        print(running_sendmail.log()[-6000:])


def relayed(sendmail):
    """{case: the RCPT addresses}, and no ticket is left in any of them."""
    sendmail.wait_until_idle()
    found = {}
    for commands, data in sendmail.sink.messages:
        message = email.message_from_bytes(data)
        assert message["X-Mailhaul-Ticket"] is None
        addresses = [command.split("<")[1].split(">")[0] for command in commands]
        found.setdefault(message["X-Case"], []).extend(addresses)
    return {case: sorted(addresses) for case, addresses in found.items()}


def send(*recipients, case="smtp", sender="someone@sender.example", options=()):
    """One message by SMTP: what each RCPT was answered."""
    answers = []
    with smtplib.SMTP("127.0.0.1", PORT) as smtp:
        smtp.ehlo("client.example")
        smtp.mail(sender)
        for recipient in recipients:
            code, text = smtp.rcpt(recipient, options)
            answers.append(f"{code} {text.decode()}")
        if any(answer.startswith("250") for answer in answers):
            code, text = smtp.data(f"X-Case: {case}\r\nSubject: {case}\r\n\r\nHello.\r\n")
            answers.append(f"{code} {text.decode()}")
    return answers


@pytest.mark.parametrize("to, wanted", [
    ("anna@example.org, ben@example.org", ["anna@example.org", "ben@example.org"]),
    ("nobody@example.org", ["Office@example.org"]),
    ("anna@example.org, office@example.org", ["Office@example.org", "anna@example.org"]),
], ids=["people", "nobody", "fallback-too"])
def test_collected_mail_is_routed(scene, sendmail, to, wanted):
    """The fallback is deleted in the spelling of RCPT: capitals and all."""
    users = scene.mailhaul.folder / "users.txt"
    users.write_text("anna@example.org\nben@example.org\noffice@example.org\n")
    scene.mailhaul.config["directory"] = [{"file": str(users)}]
    scene.account["fallback"] = "Office@example.org"
    scene.put(mail("case", to=to))
    (injected,) = scene.fetch().lines(status="injected")
    assert relayed(sendmail) == {"case": wanted}
    (routed,) = scene.mailhaul.lines("milter", status="routed")
    assert routed.text.split(":")[0] == injected["queue"]


def test_directory_away_keeps_mail_at_the_provider(scene, sendmail):
    scene.mailhaul.config["directory"] = [{"file": "/nonexistent/users.txt"}]
    scene.put(mail("case", to="anna@example.org"))
    scene.fetch(status=75)
    assert relayed(sendmail) == {}
    assert scene.mailbox.uids()


@pytest.fixture
def smtp(scene, sendmail):
    """`mode` is milter.smtp; anna, ben and dora exist."""

    def start(mode):
        users = scene.mailhaul.folder / "users.txt"
        users.write_text("anna@example.org\nben@example.org\ndora@example.net\n")
        scene.mailhaul.config["directory"] = [{"file": str(users)}]
        scene.mailhaul.config["accepted_domains"] = [
            {"domain": "example.org", "catch_all": "office@example.org"}, "example.net"]
        scene.mailhaul.config["milter"]["smtp"] = mode
        scene.mailhaul.start_milter()
        return users

    return start


def test_reject(scene, sendmail, smtp):
    users = smtp("reject")
    answers = send("anna@example.org", "nobody@example.org", "eve@elsewhere.example",
                   "office@example.org")
    assert [answer[:9] for answer in answers] == [
        "250 2.1.5", "550 5.1.1", "250 2.1.5", "250 2.1.5", "250 2.0.0"]
    assert answers[1].endswith("<nobody@example.org>: Recipient address rejected: User unknown")
    assert relayed(sendmail) == {
        "smtp": ["anna@example.org", "eve@elsewhere.example", "office@example.org"]}
    users.unlink()
    assert send("anna@example.org")[0].startswith("451 4.3.0")


@pytest.mark.parametrize("recipients, wanted", [
    (["nobody@example.org"], ["office@example.org"]),
    (["NoBody@Example.ORG", "nobody@example.org"], ["office@example.org"]),
    (["one@example.org", "two@example.org", "anna@example.org"],
     ["anna@example.org", "office@example.org"]),
    (["one@example.org", "Office@example.org"], ["office@example.org"]),
    (["office@example.org", "one@example.org"], ["office@example.org"]),
], ids=["one", "twice", "two-and-a-person", "catch-all-too", "catch-all-first"])
def test_catch_all(scene, sendmail, smtp, recipients, wanted):
    smtp("catch_all")
    answers = send(*recipients, options=["NOTIFY=FAILURE"])
    assert all(answer.startswith("250") for answer in answers)
    assert {case: [address.lower() for address in addresses]
            for case, addresses in relayed(sendmail).items()} == {"smtp": wanted}
    commands = sendmail.sink.messages[0][0]
    assert all("NOTIFY=FAILURE" in command for command in commands), commands
    assert send("nobody@example.net")[0].startswith("550 5.1.1")
