# SPDX-License-Identifier: Apache-2.0
"""`mailhaul check`, `explain`, `probe`, `query`: what they say and their exit codes."""

import json
import pathlib
import re
import shutil

import pytest
from mails import mail
from scripted_pop3 import ScriptedPop3


def test_check_accepts_a_good_file(scene):
    result = scene.mailhaul.command("check").expect(0)
    assert "error" not in result.err + result.out


def test_check_names_every_fault(scene):
    scene.mailhaul.config["no_such_key"] = "1"
    scene.mailhaul.config["postmaster"] = "postmaster@outside.example"
    scene.account["tls"] = {"mode": "sometimes"}
    scene.account["password"] = "in clear"
    result = scene.mailhaul.command("check").expect(78)
    text = result.err + result.out
    for path in ("no_such_key", "postmaster", "accounts[0].tls.mode", "accounts[0].password"):
        assert re.search(rf"mailhaul\.yaml:\d+:\d+: error: {re.escape(path)}:", text), text
    assert "in clear" not in text


@pytest.mark.parametrize("command", [("query", "anna@example.org"), ("parked", "list"), ("seen", "list", "office")])
def test_commands_leave_warnings_to_check(scene, command):
    scene.fetch()  # there is a state
    scene.mailhaul.config["inject"] = {"require_milter": False}
    assert "warning: inject.require_milter" in scene.mailhaul.command("check").expect(0).out
    assert "warning" not in scene.mailhaul.command(*command).expect(0).err
    scene.mailhaul.config["no_such_key"] = "1"
    said = scene.mailhaul.command(*command).expect(78).err
    assert "error: no_such_key" in said and "warning: inject.require_milter" in said


@pytest.mark.parametrize("program", ["mailhaul-fetcher", "mailhaul-milter"])
def test_daemons_refuse_a_bad_file(scene, program):
    scene.mailhaul.config["no_such_key"] = "1"
    if program == "mailhaul-fetcher":
        result = scene.mailhaul.fetch_once(milter=False)
        assert result.status == 78 and "no_such_key" in result.err
    else:
        process = scene.mailhaul._start("milter", "mailhaul-milter")
        assert process.wait(20) == 78
        assert "no_such_key" in scene.mailhaul.log("milter")


@pytest.mark.parametrize("socket, advice", [
    ("unix:/nonexistent/milter.sock", "is its folder there"), ("inet:8891@192.0.2.1", "is the port free"),
])
def test_a_socket_that_the_milter_cannot_have(scene, socket, advice):
    scene.mailhaul.config["milter"]["socket"] = socket
    process = scene.mailhaul._start("milter", "mailhaul-milter")
    assert process.wait(20) == 71
    assert f"milter.socket: cannot listen at {socket}: {advice}" in scene.mailhaul.log("milter")


def test_usage(scene):
    scene.mailhaul.command("check", "--no-such-option").expect(64)
    scene.mailhaul.command("no-such-command").expect(64)
    scene.mailhaul.fetch_once("--account", "nobody", milter=False).expect(64)


EXPLAINED = {
    "found": (mail("x", envelope="anna@example.org"), "deliver", "envelope", ["anna@example.org"], "found"),
    "absent": (mail("x", to="nobody@example.org"), "deliver", "headers", ["office@example.org"], "absent"),
    "foreign": (mail("x", to="eve@outside.example"), "deliver", "headers", ["office@example.org"], "foreign"),
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_explain(scene, name):
    message, verdict, source, recipients, result = EXPLAINED[name]
    said = scene.mailhaul.command("explain", "--account", "office", "--json", "-", stdin=message).expect(0)
    told = json.loads(said.out)
    assert (told["version"], told["verdict"], told["source"]) == (1, verdict, source)
    assert told["recipients"] == recipients and told["account"] == "office"
    assert told["sender"] == "someone@sender.example"
    assert told["may_be_answered"] is (source == "envelope")
    assert [c["result"] for c in told["candidates"]] == [result]
    assert told["steps"] and all(step.keys() >= {"step", "subject", "result", "text"} for step in told["steps"])


@pytest.mark.parametrize("command", [
    ("check",), ("query", "anna@example.org"), ("explain", "--account", "office", "-"), ("status",), ("fetch", "office"),
    ("parked", "list"), ("seen", "list"), ("archive", "list"), ("setup", "postfix"), ("test-catch-all", "office"),
    ("probe", "office"),
])
def test_options_are_the_same_everywhere(scene, command):
    name = scene.mailhaul.folder / "missing.yaml"
    for option in (["-c", name], ["--config", name], [f"--config={name}"]):
        said = scene.mailhaul.command(*command, *option).expect(78)
        assert "missing.yaml" in said.out + said.err
    said = scene.mailhaul.command(*command, "--nonsense").expect(64)
    assert f"mailhaul {command[0]}: unrecognized option '--nonsense'" in said.err


def test_explain_agrees_with_what_happens(scene):
    message = mail("agree", "Cc: nobody@example.org, eve@outside.example", to="anna@example.org")
    told = json.loads(scene.mailhaul.command(
        "explain", "--account", "office", "--json", "-", stdin=message).expect(0).out)
    scene.put(message)
    scene.fetch()
    assert scene.got() == {"agree": told["recipients"]}


def test_explain_in_words(scene):
    said = scene.mailhaul.command(
        "explain", "--account", "office", "-", stdin=mail("x", envelope="anna@example.org")).expect(0)
    assert "anna@example.org" in said.out and "X-Envelope-To" in said.out


def test_explain_exit_codes(scene):
    message = mail("x", envelope="anna@example.org")
    scene.mailhaul.command("explain", "--account", "nobody", "-", stdin=message).expect(64)
    scene.mailhaul.command("explain", "--account", "office", "/no/such/file").expect(65)
    scene.slapd.stop()
    try:
        said = scene.mailhaul.command("explain", "--account", "office", "--json", "-", stdin=message)
        assert json.loads(said.expect(75).out)["verdict"] == "defer"
    finally:
        scene.slapd.start()


def test_query(scene):
    assert "found" in scene.mailhaul.command("query", "anna@example.org").expect(0).out
    scene.mailhaul.command("query", "nobody@example.org").expect(1)
    scene.slapd.stop()
    try:
        scene.mailhaul.command("query", "anna@example.org").expect(75)
    finally:
        scene.slapd.start()


@pytest.mark.parametrize("command, said", [
    (("parked", "list"), "nothing is parked\n"), (("seen", "list"), "nothing is remembered\n"),
    (("archive", "list"), "nothing is in the archive\n"),
])
def test_an_empty_list_says_so(scene, command, said):
    scene.fetch()
    assert scene.mailhaul.command(*command).expect(0).out == said
    assert "nothing" not in scene.mailhaul.command(*command, "--json").expect(0).out


def test_probe(scene):
    scene.put(mail("one", envelope="anna@example.org"))
    said = scene.mailhaul.command("probe", "office").expect(0)
    assert "1" in said.out + said.err
    assert len(scene.mailbox.uids()) == 1, "probe must leave the mail alone"


def test_probe_exit_codes(scene):
    scene.mailhaul.command("probe", "nobody").expect(64)
    scene.mailhaul.secret("office.password", "wrong")
    scene.mailhaul.command("probe", "office").expect(77)
    scene.account["host"] = "expired.isp.example"
    scene.mailhaul.command("probe", "office").expect(76)
    scene.account.update(host="127.0.0.1", port=1)
    scene.mailhaul.command("probe", "office").expect(69)
    scene.account["host"] = "no-such-host.example"
    scene.mailhaul.command("probe", "office").expect(69)


def test_probe_of_no_pop3_server(scene):
    server = ScriptedPop3(answers={"": b"220 mx ESMTP\r\n"}, certificate=scene.world.certificates.pair("pop"))
    scene.account["port"] = server.port
    try:
        scene.mailhaul.command("probe", "office").expect(76)
    finally:
        server.stop()


@pytest.fixture
def systemd():
    """systemd(UNIT, USER, PATH): its credential {credential: NAME}, made of a file."""
    root = pathlib.Path("/run/credentials")

    def give(unit, user, path):
        folder = root / unit
        folder.mkdir(parents=True)
        shutil.copyfile(path, folder / "secret")
        for made, mode in ((folder / "secret", 0o400), (folder, 0o500)):
            made.chmod(mode)
            shutil.chown(made, user)
        return {"credential": "secret"}

    yield give
    shutil.rmtree(root, ignore_errors=True)


def test_secrets_from_systemd(scene, systemd):
    """Root's commands log in with what the services are given."""
    for unit, user, place in (
        ("mailhaul-milter.service", "mailhaul-milter", scene.mailhaul.config["directory"][0]["ldap"]),
        ("mailhaul-fetcher.service", "mailhaul", scene.account),
    ):
        place["password"] = systemd(unit, user, place["password"]["file"])
    message = mail("x", envelope="anna@example.org")
    scene.put(message)
    for command in (
        ("query", "anna@example.org"), ("explain", "--account", "office", "-"),
        ("probe", "office"), ("test-catch-all", "office"),
    ):
        said = scene.mailhaul.command(*command, stdin=message).expect(0)
        assert "credential" not in said.out + said.err
    live = scene.mailhaul.command("check", "--live", timeout=90).out
    assert "ok: account office: " in live and "ok: ldap ldaps://" in live, live


def test_a_mailbox_password_is_not_the_directorys(scene, systemd):
    """Two credentials of one name, and only the fetcher's service runs."""
    ldap = scene.mailhaul.config["directory"][0]["ldap"]
    ldap["password"] = scene.account["password"] = systemd(
        "mailhaul-fetcher.service", "mailhaul", scene.account["password"]["file"])
    scene.put(mail("x", envelope="anna@example.org"))
    said = scene.mailhaul.command("test-catch-all", "office", "--json")
    assert "systemd has not given it" in said.expect(0).out and "Invalid credentials" not in said.out
