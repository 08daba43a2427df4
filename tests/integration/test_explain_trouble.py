# SPDX-License-Identifier: Apache-2.0
"""`mailhaul explain` when it cannot tell: exit code, what is wrong, and what to do."""

import gzip
import json
import pathlib
import shutil

import pytest
from commands import run
from mails import mail
from postfix import LOG

MAILDROP = pathlib.Path("/var/spool/postfix/maildrop")
ANNA = "anna@example.org"
NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


def fails(scene, *arguments, status, before=(), stdin=""):
    said = scene.mailhaul.command("explain", *arguments, before=before, stdin=stdin).expect(status)
    assert not said.out
    return said.err


@pytest.fixture
def archived(scene):
    """The id of a message that was collected."""
    scene.put(mail("m", envelope=ANNA))
    scene.fetch()
    told = json.loads(scene.mailhaul.command("archive", "list", "--json").expect(0).out)
    return told["messages"][0]["id"]


@pytest.mark.parametrize("name, words", [
    ("-", "-: empty"), ("/dev/null", "/dev/null: empty"), ("/", "/: Is a directory"), ("/etc/passwd/x", "Not a directory"),
])
def test_no_message(scene, name, words):
    assert words in fails(scene, "--account", "office", name, status=65)


def test_the_account_is_gone(scene, archived):
    scene.account["name"] = "renamed"
    assert "no account office in" in (said := fails(scene, archived, status=64))
    assert "from which it was collected; name another: --account NAME" in said
    said = fails(scene, "--account", "third", archived, status=64)
    assert "no account third in" in said and "name another" not in said


def test_archive_that_cannot_be_read(scene, archived):
    folder = scene.mailhaul.state / "archive"
    folder.chmod(0)
    try:
        assert "the archive cannot be read: " in (said := fails(scene, "m@sender.example", status=69))
        assert "archive/: Permission denied" in said
        assert f"archive/{archived}: Permission denied" in fails(scene, archived, status=65)
    finally:
        folder.chmod(0o700)
    (folder / archived).unlink()
    (folder / archived).mkdir()
    assert f"{archived} in the archive cannot be read" in fails(scene, archived, status=69)


def test_not_as_root(scene, archived):
    """The state is of one user; what else there is to say is said."""
    scene.mailhaul.write()
    shutil.chown(scene.mailhaul.yaml, group="nogroup")
    for name in (archived, "m@sender.example"):
        said = fails(scene, name, status=69, before=NOBODY)
        assert f"{scene.mailhaul.state}: Permission denied; run it as root" in said
    told = json.loads(scene.mailhaul.command(
        "explain", "--account", "office", "--json", "-", stdin=mail("m", to=ANNA), before=NOBODY).expect(75).out)
    results = {step["step"]: step["result"] for step in told["steps"]}
    assert (results["known"], results["duplicate"]) == ("unknown", "unknown")
    assert [warning for warning in told["warnings"] if "run it as root" in warning]


@pytest.mark.parametrize("right", ["setgid", "setuid"])
def test_root_that_cannot_become_another(scene, archived, right):
    """In a container, say."""
    before = ("setpriv", f"--bounding-set=-{right}")
    said = fails(scene, archived, status=65, before=before)
    assert f"cannot become user {scene.mailhaul.state.stat().st_uid}: Operation not permitted" in said
    told = scene.mailhaul.command(
        "explain", "--account", "office", "-", stdin=mail("m", to=ANNA), before=before).expect(0)
    assert "cannot be known: cannot become user" in told.out


def test_queue_id_of_mail_that_was_not_collected(scene):
    with scene.postfix.stopped():
        run("sh", "-c", f"echo x | sendmail -f root {ANNA}")
        [waiting] = MAILDROP.iterdir()
        try:
            said = fails(scene, waiting.name, status=66)
        finally:
            waiting.unlink()
        assert "as a queue id: it is in Postfix's queue, but was not collected: it has no X-Mailhaul field" in said


def test_log_that_leads_nowhere(scene, archived):
    """To what the archive lacks, or to another message there."""
    line = "Nov 22 05:16:00 mx {}: BCDFGH1: {}\n"
    ours = line.format("mailhaul-milter[7]", f"id={archived} account=office")
    other = line.format("postfix/cleanup[6]", "message-id=<other@sender.example>")
    rotated = LOG.with_name("mail.log.2.gz")
    told = f"as a queue id: according to {rotated} it was collected as {archived}: "
    try:
        rotated.write_bytes(gzip.compress((other + ours).encode()))
        assert f"{told}{archived} in the archive is another message" in fails(scene, "BCDFGH1", status=66)
        rotated.write_bytes(gzip.compress(other.encode()))
        assert f"according to {rotated}: no message with the Message-ID" in fails(scene, "BCDFGH1", status=66)
        rotated.write_bytes(gzip.compress(ours.encode()))
        (scene.mailhaul.state / "archive" / archived).unlink()
        assert f"{told}no message {archived} in the archive (any more)" in fails(scene, "BCDFGH1", status=66)
    finally:
        rotated.unlink()


def test_report_that_nobody_gets(scene):
    said = scene.mailhaul.command(
        "explain", "--account", "office", "-", stdin=mail("m", envelope=ANNA),
        before=("sh", "-c", 'exec "$@" >/dev/full', "sh")).expect(74)
    assert "cannot write to standard output" in said.err
