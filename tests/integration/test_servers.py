# SPDX-License-Identifier: Apache-2.0
"""The servers of the sandbox themselves: a fault here explains all others."""

import imaplib
import poplib
import ssl
import subprocess

import pytest
from mails import mail
from provider import HOST, IMAPS, LACKING, POP3S
from slapd import BASE, BIND_DN, BIND_PASSWORD
from waiting import wait_for


def sendmail(sender, recipient, message):
    subprocess.run(["sendmail", "-i", "-f", sender, "--", recipient], input=message, check=True)


@pytest.fixture
def without_milter(scene):
    with scene.postfix.settings(non_smtpd_milters=""):
        yield scene


def test_postfix_delivers_to_mailboxes(without_milter):
    scene = without_milter
    sendmail("a@sender.example", "anna@example.org", mail("plain"))
    scene.postfix.wait_until_idle()
    assert scene.got() == {"plain": ["anna@example.org"]}


def test_oracle_sees_mail_that_goes_outside(without_milter):
    scene = without_milter
    sendmail("a@example.org", "b@outside.example", mail("outside"))
    scene.postfix.wait_until_idle()
    with pytest.raises(AssertionError, match="went outside"):
        scene.judge()
    scene.sink.recipients.clear()


def test_oracle_sees_bounces(without_milter):
    scene = without_milter
    sendmail("anna@example.org", "nobody-of-this-name@lan.example.org", mail("bounce"))
    scene.postfix.wait_until_idle()
    with pytest.raises(AssertionError, match="without delivering"):
        scene.judge()
    scene.may_bounce = {"nobody-of-this-name@lan.example.org"}


def test_provider_gives_mail_over_pop3s(world):
    mailbox = world.mailbox()
    mailbox.put(mail("one"), uid="first")
    context = ssl.create_default_context(cafile=world.certificates.ca)
    client = poplib.POP3_SSL(HOST, POP3S, context=context, timeout=10)
    client.user(mailbox.user)
    client.pass_(mailbox.password)
    assert client.uidl()[1] == [b"1 first"]
    client.dele(1)
    client.quit()
    assert mailbox.uids() == []


def test_provider_gives_folders_over_imaps(world):
    mailbox = world.mailbox()
    mailbox.put(mail("one"), folder="Büro & Co/Archiv")
    mailbox.put(mail("two"))
    context = ssl.create_default_context(cafile=world.certificates.ca)
    with imaplib.IMAP4_SSL("imap.isp.example", IMAPS, ssl_context=context, timeout=10) as client:
        client.login(mailbox.user, mailbox.password)
        assert b'"B&APw-ro &- Co/Archiv"' in b" ".join(client.list()[1])
        assert client.select('"B&APw-ro &- Co/Archiv"') == ("OK", [b"1"])
        client.uid("STORE", "1", "+FLAGS", "\\Deleted")
        client.uid("EXPUNGE", "1")
    assert mailbox.uids("Büro & Co/Archiv") == [] and len(mailbox.uids()) == 1


def test_provider_changes_uidvalidity(world):
    mailbox = world.mailbox()
    mailbox.put(mail("one"))
    mailbox.put(mail("two"))
    mailbox.set_flags("Seen-by-me", uids=1)
    mailbox.set_flags("\\Deleted", uids=1)
    with mailbox.imap("INBOX") as client:
        client.expunge()
    old = mailbox.uidvalidity()
    assert mailbox.flags() == {2: set()}
    mailbox.change_uidvalidity()
    assert mailbox.flags() == {1: set()} and mailbox.uidvalidity() != old


def test_provider_hears_of_new_mail_over_idle(world):
    mailbox = world.mailbox()
    with mailbox.imap("INBOX") as client:
        client.send(b"i IDLE\r\n")
        assert client.readline().startswith(b"+")
        mailbox.put(mail("one"))
        assert b"1 EXISTS" in client.readline()
        client.send(b"DONE\r\n")
        while not client.readline().startswith(b"i OK"):
            pass


@pytest.mark.parametrize("host", LACKING)
def test_provider_without_a_capability(world, host):
    mailbox = world.mailbox()
    mailbox.record()
    address, lacking = LACKING[host]
    context = ssl.create_default_context(cafile=world.certificates.ca)
    with imaplib.IMAP4_SSL(host, IMAPS, ssl_context=context, timeout=10) as client:
        client.login(mailbox.user, mailbox.password)
        assert not lacking & set(client.capabilities)
        told = set(client.capability()[1][0].decode().split())
    everything = {"UIDPLUS", "IDLE", "MOVE"}
    assert not lacking & told and (everything - lacking) <= told
    # Dovecot writes them down a little later.
    wait_for(lambda: "CAPABILITY" in str(mailbox.commands()), "the command")
    assert len(mailbox.commands()) == 1


@pytest.mark.parametrize("host", ["expired", "wrong-name", "self-signed"])
def test_bad_certificates_are_refused_by_openssl(world, host):
    context = ssl.create_default_context(cafile=world.certificates.ca)
    with pytest.raises(ssl.SSLCertVerificationError):
        poplib.POP3_SSL(f"{host}.isp.example", POP3S, context=context, timeout=10)


def test_directory_knows_the_people(world):
    found = subprocess.run(
        ["ldapsearch", "-LLL", "-x", "-H", world.slapd.uri, "-D", BIND_DN, "-w", BIND_PASSWORD,
         "-b", BASE, "(mailAlternateAddress=sales@example.org)", "mail"],
        env={"LDAPTLS_CACERT": str(world.certificates.ca), "PATH": "/usr/bin"},
        capture_output=True, text=True, check=True,
    )
    assert "mail: ben@example.org" in found.stdout
