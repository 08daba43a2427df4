# SPDX-License-Identifier: Apache-2.0
"""`mailhaul probe`: what it finds out about an account, or about a host that no
account names yet, and that its suggestions hold."""

import json
import pwd
import re

import pytest
import provider
from mails import mail
from scripted_pop3 import ScriptedPop3
from waiting import wait_for

SENDERS_OWN = "X-Original-To: chef@example.org"  # below the boundary


@pytest.fixture
def letters(scene):
    """Mail for three people; neither bodies nor subjects may be told."""
    people = ["anna@example.org", "ben@example.org", "clara@example.org"]
    scene.put(*(mail(f"secret-{person}", SENDERS_OWN, envelope=person,
                     body=b"X-Envelope-To: confidential@example.org\n") for person in people))
    return people


def survey(scene, account="office"):
    said = scene.mailhaul.command("probe", account, "--json").expect(0)
    told = json.loads(said.out)
    assert told["version"] == 1 and told["account"] == account and told["error"] is None
    return told


@pytest.mark.parametrize("protocol", ["imaps", "pop3s", "imap", "pop3"])
def test_account(scene, letters, protocol):
    scene.account.update(protocol=protocol)
    before = scene.mailbox.uids()
    told = survey(scene)
    assert told["protocol"] == protocol and told["messages"] == 3 and told["octets"] > 0
    assert told["tls"].startswith("TLSv1.3")
    assert "SCRAM-SHA-256" in told["mechanisms"]
    wanted = {"imap": {"IDLE", "UIDPLUS", "MOVE"}, "pop3": {"PIPELINING", "UIDL", "TOP"}}
    assert wanted[protocol.rstrip("s")] <= set(told["capabilities"])
    certificate = told["certificate"]
    assert "pop.isp.example" in certificate["subject"] and certificate["issuer"] == "Test authority"
    assert re.fullmatch("[0-9a-f]{64}", certificate["fingerprint_sha256"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", certificate["until"])
    found = told["survey"]
    assert found["messages"] == 3 and found["boundaries"] == 3
    assert found["received_by"] == [{"host": "mx.isp.example", "messages": 3}]
    fields = {field["name"]: field for field in found["fields"]}
    assert fields["X-Envelope-To"]["chosen"] and fields["X-Envelope-To"]["above"] == 3
    assert sorted(fields["X-Envelope-To"]["addresses"]) == letters
    assert fields["X-Original-To"]["below"] == 3 and not fields["X-Original-To"]["above"]
    assert not fields["X-Original-To"]["chosen"]
    assert told["suggestion"] == (
        "mailbox: catch_all\nrecipients:\n  envelope_headers: [X-Envelope-To]\n"
        "  trusted_hosts: [.isp.example]\n")
    assert scene.mailbox.uids() == before


def test_in_words(scene, letters):
    scene.account.update(protocol="imaps")
    scene.mailbox.make_folder("Archive/2026")
    said = scene.mailhaul.command("probe", "office").expect(0).out
    assert said.startswith("office: pop.isp.example:1993: TLSv1.3 ") and ": 3 messages, " in said
    assert re.search(r"offers: .*\bIDLE\b", said) and "IDLE works" in said
    assert re.search(r"logins: .*\bPLAIN\b", said)
    assert re.search(r"folders: .*\bArchive/2026\b", said)
    assert "X-Envelope-To: in 3 of 3: " in said and "anna@example.org" in said
    assert "X-Original-To: in 3 of 3, but only where a sender may have written it" in said
    assert "envelope_headers: [X-Envelope-To]" in said
    assert "confidential" not in said and "secret-" not in said


def test_reading_leaves_no_mark(scene, letters):
    scene.account.update(protocol="imaps")
    survey(scene)
    assert not [path.name for path in scene.mailbox._files("INBOX") if "S" in path.name.partition(":2,")[2]]


def test_without_uidplus_and_idle(scene):
    scene.account.update(protocol="imaps", host="bare.isp.example")
    advice = " ".join(survey(scene)["advice"])
    assert "full_expunge" in advice and "no IDLE" in advice


@pytest.mark.parametrize("command", ["probe", "test-catch-all"])
def test_command_runs_as_the_fetcher_would_run_it(scene, command):
    script, seen = (scene.mailhaul.folder / name for name in ("password.sh", "state/seen"))
    script.write_text(f"#!/bin/sh\nid -un >{seen}\necho {scene.mailbox.password}\n")
    script.chmod(0o755)
    scene.account["password"] = {"command": [str(script)]}
    scene.mailhaul.command(command, "office").expect(0)
    assert seen.read_text() == "mailhaul\n" and seen.owner() == "mailhaul"


def test_newest_messages_only(scene):
    scene.put(*(mail(f"old{i}", envelope="old@example.org") for i in range(5)))
    scene.put(*(mail(f"new{i}", envelope="new@example.org") for i in range(10)))
    scene.put(mail("large", envelope="large@example.org", body=b"x" * 70 + b"\n" + b"y\n" * 140000))
    found = survey(scene)["survey"]
    assert found["messages"] == 10
    assert found["fields"][0]["addresses"] == ["new@example.org"]
    assert found["mailbox"] == "single"


def test_login_delay(scene):
    server = ScriptedPop3(
        [("1", b"X-Envelope-To: anna@example.org\r\n\r\nHello\r\n")],
        answers={"CAPA": b"+OK\r\nUIDL\r\nUSER\r\nLOGIN-DELAY 600\r\nEXPIRE 30\r\n.\r\n"},
        certificate=scene.world.certificates.pair("pop"))
    scene.account["port"] = server.port
    try:
        told = survey(scene)
    finally:
        server.stop()
    assert {"LOGIN-DELAY 600", "EXPIRE 30"} <= set(told["capabilities"])
    assert any("every: 10m" in line for line in told["advice"])
    assert any("PIPELINING" in line for line in told["advice"])


@pytest.mark.parametrize("live", [True, False])
def test_server_that_cannot_bear_capa(scene, live):
    server = ScriptedPop3(
        [("1", b"X-Envelope-To: anna@example.org\r\n\r\nHello\r\n")],
        answers={"CAPA": lambda session, _: session.drop()},
        certificate=scene.world.certificates.pair("pop"))
    scene.account["port"] = server.port
    try:
        if live:
            said = scene.mailhaul.command("check", "--live", timeout=60).out
            assert "ok: account office: " in said and "logged in as" in said
        else:
            said = scene.mailhaul.command("probe", "office").expect(0).out
            assert ": 1 message, " in said and "cannot bear CAPA" in said
    finally:
        server.stop()
    assert server.verbs().count("CAPA") == 1 and server.verbs()[-1] == "QUIT"


def test_refused_account_in_json(scene):
    scene.mailhaul.secret("office.password", "wrong")
    told = json.loads(scene.mailhaul.command("probe", "office", "--json").expect(77).out)
    assert "refused" in told["error"] and "survey" not in told
    assert told["reached"] is False or "SCRAM-SHA-256" in told["mechanisms"]


def test_folder_that_is_not_there(scene):
    scene.account.update(protocol="imaps", folders=["No such"])
    said = scene.mailhaul.command("probe", "office").expect(69)
    assert "SELECT" in said.err and "folders: " in said.out


# A host that no account names.


def probe_host(scene, *arguments, host=provider.HOST, status=0, trusts=True):
    if trusts:
        arguments = ("--ca-file", scene.account["tls"]["ca_file"], *arguments)
    said = scene.mailhaul.command("probe", "--json", "--host", host, *arguments).expect(status)
    return json.loads(said.out)


def test_host_without_login(scene):
    told = probe_host(scene)
    assert [way["protocol"] for way in told["ways"]] == ["imaps", "pop3s", "imap", "pop3"]
    for way in told["ways"]:
        assert way["error"] is None and way["tls"].startswith("TLSv1.") and way["mechanisms"]
        assert way["certificate"]["issuer"] == "Test authority"
    assert told["login"] is None
    assert "protocol: imaps" in told["yaml"] and "your login" in told["yaml"]


def test_host_suggests_an_account_that_works(scene, letters):
    told = probe_host(scene, "--user", scene.mailbox.user,
                      "--password-file", scene.account["password"]["file"])
    assert told["login"]["messages"] == 3 and told["login"]["protocol"] == "imaps"
    scene.mailhaul.config["accounts"] = []
    scene.mailhaul.write()
    text = scene.mailhaul.yaml.read_text()
    assert "accounts: []\n" in text
    scene.mailhaul._written = None
    yaml = text.replace("accounts: []\n", told["yaml"])
    scene.mailhaul.write = lambda: scene.mailhaul.yaml.write_text(yaml)
    scene.mailhaul.command("check").expect(0)
    scene.fetch()
    assert scene.got() == {
        "secret-anna@example.org": ["anna@example.org"],
        "secret-ben@example.org": ["ben@example.org"],
        "secret-clara@example.org": ["clara@example.org"],
    }
    assert scene.mailbox.uids() == []


def test_refused_login_is_tried_once(scene):
    wrong = scene.mailhaul.secret("wrong.password", "wrong", owner="root")
    told = probe_host(scene, "--user", scene.mailbox.user, "--password-file", wrong, status=77)
    assert "refused" in told["login"]["error"] or "AUTHENTICATE" in told["login"]["error"]
    assert all(way["error"] is None for way in told["ways"])

    def attempts(words):
        return [line for line in scene.provider_log().splitlines() if words in line
                and (f"({scene.mailbox.user}," in line or f"user=<{scene.mailbox.user}>" in line)]

    wait_for(lambda: attempts("auth failed, 1 attempts"), "Dovecot to log it")
    assert len(attempts("auth failed")) == 1 and not attempts("Login:")


def test_self_signed_host_tells_its_fingerprint(scene, letters):
    host = "self-signed.isp.example"
    told = probe_host(scene, host=host, status=76)
    fingerprint = re.search(r"SHA-256 ([0-9a-f]{64})", told["ways"][0]["error"])[1]
    assert told["yaml"] is None and told["login"] is None
    told = probe_host(scene, "--fingerprint", fingerprint, "--user", scene.mailbox.user,
                      "--password-file", scene.account["password"]["file"], host=host, trusts=False)
    assert told["login"]["messages"] == 3
    assert f'fingerprint_sha256: "{fingerprint}"' in told["yaml"]


def test_host_that_is_not_there(scene):
    told = probe_host(scene, host="127.0.0.77", status=69)
    assert all("refused" in way["error"] for way in told["ways"])
    probe_host(scene, host="no-such-host.example", status=69)


def test_no_password_in_clear_text(scene):
    server = ScriptedPop3(answers={"CAPA": b"+OK\r\nUSER\r\n.\r\n"}, host="127.0.0.78", port=110)
    try:
        told = probe_host(scene, "--user", scene.mailbox.user, "--password-file",
                          scene.account["password"]["file"], host="127.0.0.78", status=76)
    finally:
        server.stop()
    assert "STLS" in told["ways"][3]["error"] and told["login"] is None and told["yaml"] is None
    assert set(server.verbs()) <= {"CAPA", "QUIT"}


def test_no_host_is_talked_to_as_root(scene):
    """Root reads the file with the password; what connects, and runs commands, is another user."""
    script, seen = (scene.mailhaul.folder / name for name in ("password.sh", "state/seen"))
    script.write_text(f"#!/bin/sh\ngrep -E '^(Uid|Groups):' /proc/$PPID/status >{seen}\n"
                      f"echo {scene.mailbox.password}\n")
    script.chmod(0o755)
    mine = scene.mailhaul.secret("of-root.password", scene.mailbox.password, owner="root")
    for secret in (("--password-command", str(script)), ("--password-file", mine)):
        told = probe_host(scene, "--user", scene.mailbox.user, *secret)
        assert told["login"]["error"] is None
    uid = str(pwd.getpwnam("mailhaul").pw_uid)
    assert seen.read_text().split() == ["Uid:", *[uid] * 4, "Groups:"]


def test_password_file_that_is_not_there(scene):
    said = scene.mailhaul.command(
        "probe", "--host", provider.HOST, "--user", "me", "--password-file", "/no/such").expect(78)
    assert "/no/such" in said.err and not said.out


def test_host_in_words(scene, letters):
    said = scene.mailhaul.command(
        "probe", "--host", provider.HOST, "--ca-file", scene.account["tls"]["ca_file"],
        "--user", scene.mailbox.user, "--password-command", f"/bin/echo {scene.mailbox.password}",
    ).expect(0).out
    for way in ("imaps 993", "pop3s 995", "imap 143", "pop3 110"):
        assert f"{way}: works, TLSv1." in said
    assert said.count("SHA-256 ") == 1 and said.count("certificate: as with imaps") == 3
    assert f"password: {{command: [/bin/echo, {scene.mailbox.password}]}}" in said
    assert "confidential" not in said and "secret-anna" not in said


@pytest.mark.parametrize("arguments", [
    ("--host", "a b"), ("--host", "x.example", "--user", "me"), ("--user", "me", "office"),
    ("--host", "x.example", "office"), ("--host", "x.example", "--fingerprint", "12"), (),
], ids=" ".join)
def test_usage(scene, arguments):
    scene.mailhaul.command("probe", *arguments).expect(64)
