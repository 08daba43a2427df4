# SPDX-License-Identifier: Apache-2.0
"""A real SpamAssassin with the snippet of conf/spamassassin, and one rule: what one
client sent is spam."""

import email
import mailbox
import pathlib
import re
import subprocess

BAD_CLIENT = "203.0.113.66"

_SNIPPET = pathlib.Path(__file__).resolve().parents[2] / "conf/spamassassin/mailhaul.cf"
_SITE = pathlib.Path("/etc/spamassassin")
_RULES = f"""\
use_bayes 0
report_safe 0
header BAD_CLIENT X-Spam-Relays-External =~ /^\\[ ip={re.escape(BAD_CLIENT)} /
score BAD_CLIENT 100
"""


def judge(folder, messages, network):
    """The messages after SpamAssassin saw them, which knows the provider's servers by
    this network; parsed, in the same order.  Needs no network itself."""
    snippet = _SNIPPET.read_text()
    assert snippet.count("192.0.2.0/24") == 2
    files = {"mailhaul.cf": snippet.replace("192.0.2.0/24", network), "rules.cf": _RULES}
    for name, text in files.items():
        (_SITE / name).write_text(text)
    mbox = mailbox.mbox(folder / "mbox")
    for message in messages:
        mbox.add(message)
    mbox.close()
    try:
        done = subprocess.run(
            ["spamassassin", "-L", "-x", "--mbox", folder / "mbox"],
            capture_output=True, check=True, timeout=60,
        )
    finally:
        for name in files:
            (_SITE / name).unlink()
    (folder / "mbox").write_bytes(done.stdout)
    judged = [email.message_from_bytes(bytes(message)) for message in mailbox.mbox(folder / "mbox")]
    assert len(judged) == len(messages), done.stderr
    return judged
