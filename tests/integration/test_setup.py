# SPDX-License-Identifier: Apache-2.0
"""`mailhaul setup postfix`: the changes that it makes, keeps out of, and takes back."""

import pathlib
import smtplib
import socket

import pytest
from commands import run
from mails import mail
from postfix import MILTER, QUEUE

ETC = pathlib.Path("/etc/postfix")
FILES = ("main.cf", "master.cf")
RECORD = ETC / "mailhaul-setup.json"


def value(name):
    return run("postconf", "-h", name).strip()


@pytest.fixture
def bare(scene):
    """Postfix as it was before anybody thought of Mailhaul; as it is now afterwards."""
    saved = {name: (ETC / name).read_bytes() for name in FILES}
    run("postconf", "-X", "non_smtpd_milters", "notify_classes", "smtputf8_autodetect_classes")
    yield scene
    for name, content in saved.items():
        (ETC / name).write_bytes(content)
    for left in [*ETC.glob("*.mailhaul-*"), RECORD]:
        left.unlink(missing_ok=True)
    # Not `reload`: that is over before all daemons have heard of it.
    scene.postfix.stop()
    scene.postfix.start()


def contents():
    return {name: (ETC / name).read_bytes() for name in FILES}


def set_up(scene, *arguments):
    return scene.mailhaul.command("setup", "postfix", *arguments)


def test_sets_up_and_takes_back(bare):
    run("postconf", "-e", "non_smtpd_milters=inet:localhost:8891, $smtpd_milters")
    before = contents()
    said = set_up(bare).expect(0)
    assert value("non_smtpd_milters") == MILTER + ", inet:localhost:8891, $smtpd_milters"
    assert value("notify_classes") == "bounce, 2bounce, resource, software"
    assert value("smtputf8_autodetect_classes") == "verify"
    assert "old: inet:localhost:8891, $smtpd_milters" in said.out
    assert f"new: {MILTER}, inet:localhost:8891, $smtpd_milters" in said.out
    assert "postfix reload" in said.out
    (copy,) = ETC.glob("main.cf.mailhaul-*")
    assert copy.read_bytes() == before["main.cf"]
    assert contents()["master.cf"] == before["master.cf"]

    done = contents()
    assert "nothing to do" in set_up(bare).expect(0).out
    assert contents() == done and len(list(ETC.glob("*.mailhaul-*"))) == 1

    set_up(bare, "--undo").expect(0)
    assert contents() == before
    assert not RECORD.exists()
    assert "nothing to do" in set_up(bare, "--undo").expect(0).out


def test_a_milter_that_smtpd_milters_names_already(bare):
    run("postconf", "-e", "non_smtpd_milters=$smtpd_milters",
        "smtpd_milters=inet:localhost:8891, unix:mailhaul/milter.sock")
    before = contents()
    set_up(bare).expect(0)
    assert value("non_smtpd_milters") == MILTER + ", inet:localhost:8891"
    assert "nothing to do" in set_up(bare).expect(0).out
    set_up(bare, "--undo").expect(0)
    assert contents() == before


def test_undo_keeps_what_was_changed_since(bare):
    set_up(bare, "--method", "smtp").expect(0)
    run("postconf", "-e", f"non_smtpd_milters={MILTER}, inet:new:1", "mydomain=example.org")
    set_up(bare, "--undo").expect(0)
    assert value("non_smtpd_milters") == "inet:new:1"
    assert run("postconf", "-n", "notify_classes") == ""
    assert "mailhaul" not in run("postconf", "-M")


def test_dry_run_is_for_anybody_and_changes_nothing(bare):
    before = contents()
    said = set_up(bare, "--method", "smtp", "--dry-run").expect(0)
    assert "master.cf: mailhaul/unix" in said.out and MILTER in said.out
    command = bare.mailhaul._command("mailhaul", "mailhaul", [], "release")[:-2]
    words = ["setup", "-c", bare.mailhaul.yaml, "postfix"]
    run(*command, *words, "--dry-run")
    with pytest.raises(AssertionError, match="exit 77"):
        run(*command, *words)
    assert contents() == before and not RECORD.exists()


def test_a_milter_that_a_chroot_hides(bare):
    bare.mailhaul.config["milter"]["socket"] = "unix:/run/mailhaul/milter.sock"
    said = set_up(bare).expect(78)
    assert "chrooted" in said.err and "unix:/var/spool/postfix/mailhaul/milter.sock" in said.err
    run("postconf", "-F", "cleanup/unix/chroot=n")
    set_up(bare).expect(0)
    assert value("non_smtpd_milters").startswith("{ unix:/run/mailhaul/milter.sock, ")


def test_usage(bare):
    for wrong in (("--method", "uucp"), ("exim",), ("--undo", "--method", "smtp")):
        set_up(bare, *wrong).expect(64)
    bare.mailhaul.config["no_such_key"] = 1
    set_up(bare).expect(78)


def test_the_method_that_is_configured(bare):
    smtp = {"socket": f"{QUEUE}/public/mailhaul"}
    assert "socket: " + smtp["socket"] in set_up(bare, "--method", "smtp").expect(0).out
    set_up(bare, "--undo").expect(0)
    bare.mailhaul.config["inject"] = {"method": "smtp", "smtp": smtp}
    assert "inject:" not in set_up(bare).expect(0).out
    assert run("postconf", "-M", "mailhaul/unix")
    set_up(bare, "--undo").expect(0)
    for elsewhere in ({"socket": "/run/smtp"}, {"host": "127.0.0.1", "port": 10025}):
        bare.mailhaul.config["inject"]["smtp"] = elsewhere
        assert "inject.smtp names another place" in set_up(bare).expect(78).err
    set_up(bare, "--method", "sendmail").expect(0)


class Listener(smtplib.SMTP):
    """SMTP on the socket of the listener."""

    def _get_socket(self, host, port, timeout):
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(20)
        link.connect(str(QUEUE / "public/mailhaul"))
        return link


def test_the_listener_takes_mail_for_us_only(bare):
    """What main.cf demands of clients does not matter there; several XCLIENT do."""
    run("postconf", "-e", "smtpd_client_restrictions=reject", "smtpd_tls_security_level=encrypt",
        "smtpd_helo_required=yes", "smtpd_sender_restrictions=reject")
    set_up(bare, "--method", "smtp").expect(0)
    bare.postfix.stop()
    bare.postfix.start()
    bare.mailhaul.start_milter()
    with Listener("mailhaul") as smtp:
        for number in (1, 2):
            smtp.ehlo("mx.example.org")
            assert smtp.docmd("XCLIENT", f"ADDR=203.0.113.{number} NAME=mx{number}.sender.example")[0] == 220
            smtp.ehlo(f"mx{number}.sender.example")
            smtp.mail("someone@sender.example")
            assert smtp.rcpt("eve@outside.example")[0] == 554
            assert smtp.rcpt("office@example.org")[0] == 250
            assert smtp.data(mail(f"listener{number}", to="anna@example.org"))[0] == 250
    bare.postfix.wait_until_idle()
    assert bare.got() == {"listener1": ["office@example.org"], "listener2": ["office@example.org"]}
    assert "postfix/mailhaul/smtpd" in bare.mail_log()
    assert "client=mx2.sender.example[203.0.113.2]" in bare.mail_log()
