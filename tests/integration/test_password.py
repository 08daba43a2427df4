# SPDX-License-Identifier: Apache-2.0
"""A password that a command prints."""

import pytest
from mails import mail


@pytest.fixture
def says(scene):
    """says(SHELL): what the password command does from now on."""

    def write(shell):
        path = scene.mailhaul.folder / "password.sh"
        path.write_text(f"#!/bin/sh\n{shell}\n")
        path.chmod(0o755)
        scene.account["password"] = {"command": [str(path)]}

    return write


def test_password_of_a_command(scene, says):
    says(f"echo {scene.mailbox.password}")
    scene.put(mail("one", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"one": ["anna@example.org"]}


@pytest.mark.parametrize("shell, words", [
    ("echo no such entry >&2; exit 3", "exit status 3: no such entry"),
    ("true", "empty"),
    ("echo one; echo two", "more than one line"),
    ("exec /nonexistent/program", "127"),
    ("sleep 60 & wait", "timed out"),
])
def test_command_that_does_not_give_one(scene, says, shell, words):
    """No log-in is tried, and the other account is served meanwhile."""
    says(shell)
    good = scene.world.mailbox("good")
    good.put(mail("good", envelope="ben@example.org"))
    scene.mailhaul.add_account(good, "good")
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    result = scene.fetch(status=75)
    assert scene.got() == {"good": ["ben@example.org"]}
    assert scene.mailbox.uids() == uids and scene.mailbox.user not in scene.provider_log()
    assert any("office" in line.text and words in line.text for line in result.lines()), result.err
