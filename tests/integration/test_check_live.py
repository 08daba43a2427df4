# SPDX-License-Identifier: Apache-2.0
"""`mailhaul check --live`: each finding provoked once."""

import contextlib
import json
import pathlib
import shutil

import pytest
from commands import run
from postfix import MILTER, QUEUE
from waiting import wait_for

STATIC = {"allow_percent_hack": "no", "swap_bangpath": "no", "resolve_dequoted_address": "no",
          "smtputf8_autodetect_classes": "verify"}


class Findings:
    """The lines of one run: {what: [(level, text)]}."""

    def __init__(self, result):
        self.status, self.text = result.status, result.out + result.err
        self.lines = [line.split(": ", 2) for line in result.out.splitlines()]

    def expect(self, level, what, *words):
        for found_level, found_what, text in self.lines:
            if (found_level, found_what) == (level, what) and all(word in text for word in words):
                return self
        raise AssertionError(f"no {level}: {what}: {words} in\n{self.text}")

    def levels(self):
        return {line[0] for line in self.lines}


@pytest.fixture
def ready(scene):
    """All as it should be."""
    scene.mailhaul.config["postmaster"] = "anna@example.org"
    scene.account.update(fallback="ben@example.org", recipients={"trusted_hosts": [".isp.example"]})
    scene.mailhaul.start_fetcher()
    wait_for(lambda: scene.mailhaul.control("STATUS"), "the fetcher's control socket")
    return scene


def look(scene, *arguments):
    return Findings(scene.mailhaul.command("check", "--live", *arguments, timeout=90))


def postconf(scene, **values):
    """For the tests that only look: Postfix need not know."""
    return scene.postfix.written(**values)


def test_all_is_well(ready):
    with postconf(ready, **STATIC):
        found = look(ready)
    assert found.status == 0 and found.levels() == {"ok"}, found.text
    found.expect("ok", "configuration", "1 account, ")
    found.expect("ok", "domain lan.example.org", "in mydestination")
    found.expect("ok", "milter socket", "(chroot)")
    found.expect("ok", "milter", "ready")
    found.expect("ok", "fetcher", "running")
    found.expect("ok", "account office", "logged in as", "0 messages")
    found.expect("ok", "ldap ldaps://ldap.example.org:6636", " ms: found")
    found.expect("ok", "address ben@example.org", "fallback of account office")
    found.expect("ok", "password of account office", "mailhaul can read")


def test_a_bad_file_ends_it(scene):
    scene.mailhaul.config["no_such_key"] = 1
    found = look(scene)
    assert found.status == 78 and {line[1] for line in found.lines} == {"configuration"}
    found.expect("error", "configuration", "mailhaul.yaml:", "no_such_key")


def test_settings_of_postfix(ready):
    hostile = {
        "allow_percent_hack": "yes", "swap_bangpath": "yes", "resolve_dequoted_address": "yes",
        "smtputf8_autodetect_classes": "sendmail, verify", "notify_classes": "resource, bounce",
        "mailbox_size_limit": "5000", "virtual_mailbox_limit": "6000", "hopcount_limit": "20",
        "maximal_queue_lifetime": "2w", "always_bcc": "clara@example.org",
        "recipient_bcc_maps": "inline:{ {ben@example.org = clara@example.org} }",
        "authorized_submit_users": "root",
    }
    with postconf(ready, **hostile):
        found = look(ready)
    assert found.status == 78
    for name in ("allow_percent_hack", "swap_bangpath", "resolve_dequoted_address"):
        found.expect("warning", name, f"postconf -e {name}=no")
    found.expect("warning", "smtputf8_autodetect_classes", "mailhaul setup postfix")
    found.expect("error", "notify_classes", "2bounce", "mailhaul setup postfix")
    found.expect("warning", "mailbox_size_limit", "5000 is less than message_size_limit")
    found.expect("warning", "virtual_mailbox_limit", "6000")
    found.expect("warning", "hopcount_limit", "20:", "50 is usual")
    found.expect("warning", "archive", "maximal_queue_lifetime (2w)")
    found.expect("warning", "always_bcc", "clara@example.org")
    found.expect("warning", "recipient_bcc_maps", "ben@example.org", "account office", "clara@example.org")
    found.expect("warning", "authorized_submit_users", "mailhaul")


def test_domains_that_postfix_does_not_know(ready):
    lists = {"virtual_mailbox_domains": "inline:{ {example.org = x} }", "mydestination": "localhost"}
    with postconf(ready, **lists):
        found = look(ready)
    found.expect("ok", "domain example.org", "in virtual_mailbox_domains")
    found.expect("error", "domain lan.example.org", "send mail for it out again")
    with postconf(ready, mydestination="/etc/postfix/domains"):
        look(ready).expect("warning", "domain lan.example.org", "not seen in")


LISTS = {
    "": ("error", "does not name unix:/var/spool/postfix/mailhaul/milter.sock"),
    MILTER.replace("tempfail", "accept"): ("error", "default_action of our milter is accept"),
    "inet:127.0.0.1:8891, " + MILTER: ("warning", "our milter is number 2"),
    MILTER + ", inet:127.0.0.1:8891":
        ("warning", "inet:127.0.0.1:8891 sees collected mail too; what it rejects is delivered to nobody"),
    MILTER + ", { inet:127.0.0.1:8892, default_action=reject }":
        ("error", "inet:127.0.0.1:8892 has default_action=reject"),
}


def test_the_list_of_milters(ready):
    for value, (level, text) in LISTS.items():
        with postconf(ready, non_smtpd_milters=value, **STATIC):
            found = look(ready)
        found.expect(level, "non_smtpd_milters", text)
        assert found.status == (78 if level == "error" else 0), found.text


def test_a_milter_that_should_judge_smtp_mail(ready):
    ready.mailhaul.config["milter"]["smtp"] = "reject"
    look(ready).expect("warning", "smtpd_milters", "milter.smtp has no effect")
    with postconf(ready, smtpd_milters=MILTER):
        look(ready).expect("ok", "smtpd_milters")


def test_hand_over_by_smtp(scene):
    scene.inject_by_smtp()
    with scene.world.listener():
        scene.mailhaul.start_fetcher()
        found = look(scene)
        found.expect("ok", "smtpd_milters of mailhaul/unix", "is first")
        found.expect("ok", "inject.smtp", "public/mailhaul")
        assert "mailhaul/unix: not as" not in found.text and "\nok: non_smtpd_milters" not in found.text
        with postconf(scene, smtpd_milters="inet:127.0.0.1:8891"):
            look(scene).expect("warning", "mailhaul/unix", "not as setup would make it now")
        with master_cf():
            run("postconf", "-P", "mailhaul/unix/smtpd_milters=inet:127.0.0.1:8891")
            look(scene).expect("error", "smtpd_milters of mailhaul/unix", "does not name", "--method smtp")
            run("postconf", "-MX", "mailhaul/unix")
            look(scene).expect("warning", "mailhaul/unix", "does not have it")
        with scene.postfix.stopped():
            look(scene).expect("error", "inject.smtp", "mailhaul setup postfix --method smtp")


@contextlib.contextmanager
def master_cf():
    """As it was, afterwards."""
    path = pathlib.Path("/etc/postfix/master.cf")
    saved = path.read_bytes()
    try:
        yield
    finally:
        path.write_bytes(saved)


def test_nothing_runs(scene):
    found = look(scene)
    found.expect("error", "milter socket", "start mailhaul-milter")
    found.expect("error", "milter", "start mailhaul-milter")
    found.expect("warning", "fetcher", "not running")
    found.expect("warning", "ticket key", "not there yet")


def test_a_folder_that_postfix_cannot_enter(ready):
    folder = ready.postfix.milter_folder
    try:
        shutil.chown(folder, group="mailhaul")
        look(ready).expect("error", "milter socket", "Permission denied", "2710")
        shutil.chown(folder, group="postfix")
        folder.chmod(0o2777)
        look(ready).expect("warning", "milter socket", "chmod 2710")
    finally:
        shutil.chown(folder, "mailhaul-milter", "postfix")
        folder.chmod(0o2710)


def test_a_socket_that_the_chroot_hides(scene):
    scene.mailhaul.config["milter"]["socket"] = "unix:/run/mailhaul/milter.sock"
    found = look(scene)
    found.expect("error", "milter socket", "chrooted", f"unix:{QUEUE}/mailhaul/milter.sock")


def test_secrets(ready):
    ready.mailhaul.secret("office.password", ready.mailbox.password, owner="root")
    ready.mailhaul.secret("ldap.password", "x", owner="mailhaul")
    found = look(ready)
    found.expect("error", "password of account office", "mailhaul cannot read", "Permission denied")
    found.expect("error", "password of ldaps://ldap.example.org:6636", "mailhaul-milter cannot read")
    found.expect("error", "account office", "office.password", "Permission denied")
    found.expect("error", "ldap ldaps://ldap.example.org:6636", "Invalid credentials")
    assert found.status == 78


def test_logins_of_all_accounts(ready):
    ready.mailhaul.add_account(ready.mailbox, "late", host="expired.isp.example", enabled=True)
    ready.mailhaul.add_account(ready.mailbox, "wrong", port=1)
    ready.mailhaul.add_account(ready.mailbox, "asleep", enabled=False)
    found = look(ready)
    found.expect("ok", "account office", "logged in")
    found.expect("error", "account late", "expired")
    found.expect("error", "account wrong", "refused", "try again with: mailhaul probe wrong")
    assert "account=" not in found.text
    assert "account asleep" not in found.text


def test_each_directory_server(ready):
    ldap = ready.mailhaul.config["directory"][0]["ldap"]
    ldap["uri"].append("ldaps://ldap.example.org:1")
    ready.account["unknown_recipients"] = "nobody@example.org"
    found = look(ready)
    found.expect("ok", "ldap ldaps://ldap.example.org:6636", "found")
    found.expect("error", "ldap ldaps://ldap.example.org:1", "contact LDAP server")
    found.expect("ok", "address ben@example.org")
    found.expect("warning", "address nobody@example.org", "unknown_recipients of account office")
    ldap["uri"].pop(0)
    found = look(ready)
    found.expect("error", "address ben@example.org", "cannot tell")
    ready.mailhaul.config["directory"] = [{"file": "users.txt"}]
    found = look(ready)
    found.expect("error", "directory file", "No such file")


def test_people_of_aliases_lists_and_rules(ready):
    """Those who left: mail for an alias finds another way, a rule's goes out as it is."""
    config = ready.mailhaul.config
    config["allow_external"] = ["anna@outside.example"]
    config["aliases"] = [{"address": "team@example.org", "to": ["clara@example.org", "left@example.org"]}]
    config["lists"] = [{"list": "x.lists.example", "to": ["gone@example.org", "team@example.org"]}]
    config["rules"] = [{"name": "copy", "then": {"add": ["ruled@example.org", "anna@outside.example"]}}]
    ready.account["rules"] = [{"then": {"replace": ["replaced@example.org"]}}]
    found = look(ready)
    found.expect("ok", "address clara@example.org", "of the people of the alias team@example.org")
    found.expect("warning", "address left@example.org", "the alias team@example.org", "its mail goes to catch_all")
    found.expect("warning", "address gone@example.org", "the list x.lists.example", "its mail goes to catch_all")
    found.expect("warning", "address ruled@example.org", "by the rule copy", "make sure that Postfix can deliver")
    found.expect("warning", "address replaced@example.org", "by the rule (without a name)")
    assert "address team@example.org" not in found.text and "anna@outside.example" not in found.text


def test_a_milter_that_waits(ready):
    ready.slapd.stop()
    try:
        wait_for(lambda: ready.mailhaul.ask_milter().startswith("WAIT"), "a milter that waits")
        look(ready).expect("error", "milter", "cannot judge mail now", "LDAP")
    finally:
        ready.slapd.start()


def test_without_postfix(ready):
    ready.mailhaul.config["inject"] = {"postconf": "/no/such/postconf", "sendmail": "/etc/passwd"}
    found = look(ready)
    found.expect("error", "postfix", "/no/such/postconf")
    found.expect("error", "inject.sendmail", "mailhaul cannot run /etc/passwd")


def test_json(ready):
    with postconf(ready, **{**STATIC, "swap_bangpath": "yes"}):
        told = json.loads(ready.mailhaul.command("check", "--live", "--json").expect(0).out)
    assert (told["version"], told["errors"], told["warnings"]) == (1, 0, 1)
    assert {"level", "what", "text"} == set(told["findings"][0])
    assert [f["what"] for f in told["findings"] if f["level"] == "warning"] == ["swap_bangpath"]
    ready.mailhaul.command("check", "--json").expect(64)


def test_by_somebody_else(ready):
    command = ready.mailhaul._command("mailhaul", "mailhaul", [], "release")[:-2]
    done = ready.mailhaul._finish([*command, "check", "-c", ready.mailhaul.yaml, "--live"], "", 60, None)
    found = Findings(done)
    found.expect("warning", "rights", "only root")
    found.expect("ok", "account office", "logged in")
    assert "mailhaul-milter can" not in found.text
