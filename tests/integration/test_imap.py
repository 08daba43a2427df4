# SPDX-License-Identifier: Apache-2.0
"""IMAP from end to end: folders, IDLE, disposal."""

import pytest
from mails import mail
from provider import IMAPS
from waiting import wait_for


@pytest.fixture
def imap(scene):
    scene.account.update(protocol="imaps", port=IMAPS)
    return scene


def test_collects_and_deletes(imap):
    imap.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(30)))
    imap.fetch()
    assert imap.got() == {f"m{n}": ["anna@example.org"] for n in range(30)}
    assert imap.mailbox.uids() == []


def test_keeps_and_fetches_nothing_twice(imap):
    imap.account["keep"] = "forever"
    uids = imap.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(5)))
    imap.fetch()
    imap.put(mail("later", envelope="ben@example.org"))
    imap.fetch()
    assert len(imap.got()) == 6
    assert all(len(people) == 1 for people in imap.got().values())
    assert imap.mailbox.uids()[:5] == uids


def test_idle_brings_mail_at_once(imap):
    imap.account["every"] = "1h"
    imap.mailhaul.start_fetcher()
    wait_for(lambda: "state listening" in imap.mailhaul.control("STATUS"), "IDLE", 20)
    for n in range(5):
        imap.put(mail(f"m{n}", envelope="anna@example.org"))
        wait_for(lambda n=n: f"m{n}" in imap.got(), "the mail", 20)
    wait_for(lambda: not imap.mailbox.uids(), "the mailbox to be empty", 20)
    login = f"Login: user=<{imap.mailbox.user}>"
    imap.expect_in_provider_log(login)
    assert imap.provider_log().count(login) == 1


def folders(scene, **messages):
    """Put one message into each of these folders of the provider."""
    for name, folder in messages.items():
        scene.mailbox.put(mail(name, envelope="anna@example.org"), folder=folder)


def test_folders_by_name_and_pattern(imap):
    imap.account.update(folders=["INBOX", "Lists/*"], exclude_folders=["Lists/old"])
    folders(imap, inbox="INBOX", dev="Lists/dev", deep="Lists/dev/more", old="Lists/old", other="Other")
    imap.fetch()
    assert sorted(imap.got()) == ["deep", "dev", "inbox"]
    assert not imap.mailbox.uids("Lists/dev") and len(imap.mailbox.uids("Lists/old")) == 1


def test_log_lines_name_the_folder(imap):
    imap.account.update(folders=["INBOX", "Lists/*", "Grüße \"x\""], dispose={"flag": "Kept"})
    folders(imap, inbox="INBOX", dev="Lists/dev", greeting='Grüße "x"')
    imap.mailbox.put(mail("large", envelope="anna@example.org", body=b"x" * 5000), folder="Lists/dev")
    imap.account["max_message_size"] = "4K"
    lines = [line.text for line in imap.fetch().lines() if line["status"]]
    named = sorted(text[text.index("account=") : text.index(" uid=")] for text in lines)
    assert named == [
        r'account=office folder="Gr\xc3\xbc\xc3\x9fe \x22x\x22"',
        'account=office folder="INBOX"',
        'account=office folder="Lists/dev"',
        'account=office folder="Lists/dev"',
    ]


def test_folder_with_a_tab_in_its_name_is_told_of(imap):
    imap.account.update(folders=["*"], exclude_folders=["left*"])
    folders(imap, inbox="INBOX", tab="a\tb", left="left\tout")
    told = [line.text for line in imap.fetch().lines() if "control characters" in line.text]
    assert told == [r'warning: account=office: folder "a\x09b" has control characters in its name, and is left alone']
    assert sorted(imap.got()) == ["inbox"]


def test_folder_that_is_not_there(imap):
    imap.account.update(folders=["Missing", "INBOX"])
    folders(imap, inbox="INBOX")
    result = imap.fetch()
    assert sorted(imap.got()) == ["inbox"]
    assert 'account=office folder="Missing": ' in result.err


def test_no_folder_can_be_opened(imap):
    imap.account.update(folders=["Missing", "Wanted"])
    folders(imap, inbox="INBOX")
    result = imap.mailhaul.fetch_once().expect(75)
    assert 'folder="Missing"' in result.err or 'folder="Wanted"' in result.err
    assert "none of the 2 folders" in result.err and imap.got() == {}
    folders(imap, wanted="Wanted")
    imap.fetch()
    assert imap.got() == {"wanted": ["anna@example.org"]}


def test_idle_hears_of_mail_in_every_folder(imap):
    imap.account.update(folders=["INBOX", "Lists/%"], every="1h")
    folders(imap, a="INBOX", b="Lists/b", c="Lists/c")
    imap.mailhaul.start_fetcher()
    wait_for(lambda: len(imap.got()) == 3, "the first mail", 20)
    for name, folder in (("b2", "Lists/b"), ("c2", "Lists/c"), ("a2", "INBOX"), ("b3", "Lists/b")):
        folders(imap, **{name: folder})
        wait_for(lambda name=name: name in imap.got(), "the mail", 20)
    assert all(people == ["anna@example.org"] for people in imap.got().values())


def test_move(imap):
    imap.account["dispose"] = {"move": "Collected/übrig"}
    imap.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(3)))
    imap.fetch()
    assert len(imap.got()) == 3 and not imap.mailbox.uids()
    assert len(imap.mailbox.uids("Collected/übrig")) == 3
    imap.fetch()
    assert len(imap.got()) == 3


def test_flag(imap):
    imap.account["dispose"] = {"flag": "$Collected"}
    imap.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(3)))
    imap.fetch()
    imap.put(mail("later", envelope="anna@example.org"))
    imap.fetch()
    assert len(imap.got()) == 4 and all(len(people) == 1 for people in imap.got().values())
    assert all("$Collected" in flags for flags in imap.mailbox.flags().values())


@pytest.mark.parametrize("host", ["without-move.isp.example", "without-uidplus.isp.example", "bare.isp.example"])
def test_disposal_at_lesser_servers(imap, host):
    """Without UIDPLUS only what is marked by us may be gone."""
    imap.account["host"] = host
    imap.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(3)))
    imap.fetch()
    imap.fetch()
    assert sorted(imap.got()) == ["m0", "m1", "m2"]
    assert all(people == ["anna@example.org"] for people in imap.got().values())


def test_connection_that_breaks_while_it_idles(imap):
    imap.account["every"] = "1h"
    imap.mailhaul.start_fetcher()
    wait_for(lambda: "state listening" in imap.mailhaul.control("STATUS"), "IDLE", 20)
    imap.world.provider.stop()
    imap.world.provider.start()
    imap.put(mail("after", envelope="anna@example.org"))
    wait_for(lambda: "after" in imap.got(), "the mail", 60)


def test_reload_while_it_idles(imap):
    imap.account["every"] = "1h"
    imap.mailhaul.start_fetcher()
    wait_for(lambda: "state listening" in imap.mailhaul.control("STATUS"), "IDLE", 20)
    imap.account["keep"] = "forever"
    imap.mailhaul.write()
    imap.mailhaul.send_signal("fetcher", 1)
    wait_for(lambda: imap.mailhaul.log("fetcher").count("reloaded"), "the reload", 20)
    imap.put(mail("kept", envelope="anna@example.org"))
    wait_for(lambda: "kept" in imap.got(), "the mail", 20)
    assert len(imap.mailbox.uids()) == 1
