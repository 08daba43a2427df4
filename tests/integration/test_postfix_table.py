# SPDX-License-Identifier: Apache-2.0
"""Postfix's own tables as directory, asked by the real postmap(1)."""

import pathlib
import shutil

import pytest
from commands import run
from mails import mail

FOUND, ABSENT, UNKNOWN = 0, 1, 75


@pytest.fixture
def folder_of_tables():
    folder = pathlib.Path("/etc/postfix/mailhaul-test")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def use(scene, table, **settings):
    scene.mailhaul.config["directory"] = [{"postfix": {"table": table, **settings}}]


def make_hash(folder, text, name="virtual"):
    path = folder / name
    path.write_text(text)
    run("/usr/sbin/postmap", f"hash:{path}")
    return f"hash:{path}"


VIRTUAL = """\
anna@example.org  anna
Ben@Example.org   ben, clara
@example.org      office
root              office
"""


@pytest.mark.parametrize("address, status", [
    ("anna@example.org", FOUND),
    ("ANNA@Example.org", FOUND),
    ("ben@example.org", FOUND),
    ("anna+news@example.org", FOUND),
    ("nobody@example.org", ABSENT),  # whatever @example.org says
    ("root@example.org", ABSENT),
    ('"a b"@example.org', ABSENT),
    ("grün@example.org", ABSENT),
])
def test_who_exists(scene, folder_of_tables, address, status):
    use(scene, make_hash(folder_of_tables, VIRTUAL))
    scene.mailhaul.config["recipient_delimiter"] = "+"
    result = scene.mailhaul.command("query", address).expect(status)
    assert "postfix: " in result.out


def test_aliases_and_users(scene, folder_of_tables):
    path = folder_of_tables / "aliases"
    path.write_text("sales: anna, ben\n")
    run("/usr/sbin/postalias", f"hash:{path}")
    scene.mailhaul.config["directory"] = [
        {"postfix": {"table": f"hash:{path}", "key": "local"}},
        {"postfix": {"table": "unix:passwd.byname", "key": "local"}},
    ]
    for name, status in (("sales", FOUND), ("clara", FOUND), ("nobody-here", ABSENT)):
        scene.mailhaul.command("query", f"{name}@example.org").expect(status)


@pytest.mark.parametrize("table", [
    "hash:{folder}/none", "texthash:{folder}/none", "none:{folder}/virtual",
    "socketmap:unix:{folder}/none:x", "regexp:{folder}/half",
])
def test_trouble_is_no_answer(scene, folder_of_tables, table):
    """Postfix's own status for these is that of an address that is not there."""
    (folder_of_tables / "half").write_text("/[/ x\n/^anna@/ y\n")
    use(scene, table.format(folder=folder_of_tables))
    scene.mailhaul.command("query", "nobody@example.org").expect(UNKNOWN)


def test_collected_mail(scene, folder_of_tables):
    use(scene, make_hash(folder_of_tables, VIRTUAL))
    scene.account["recipients"] = {"occurrence": "all"}
    strangers = [f"stranger{number}@example.org" for number in range(60)]
    scene.put(
        mail("known", envelope="anna@example.org"),
        mail("unknown", envelope="nobody@example.org"),
        mail("several", envelope=["anna@example.org", *strangers, "ben@example.org"]),
    )
    scene.fetch()
    assert scene.got() == {
        "known": ["anna@example.org"],
        "unknown": ["office@example.org"],
        "several": ["anna@example.org", "ben@example.org", "office@example.org"],
    }
    (source,) = scene.mailhaul.milter_statistics()["sources"]
    assert source["kind"] == "postfix" and source["unknown"] == source["faults"] == 0


def test_table_that_the_milter_may_not_read(scene, folder_of_tables):
    """Mail waits at the provider, `check --live` says why, and it comes later."""
    table = make_hash(folder_of_tables, VIRTUAL)
    database = folder_of_tables / "virtual.db"
    database.chmod(0o600)
    use(scene, table)
    (uid,) = scene.put(mail("late", envelope="ben@example.org"))
    scene.fetch(75)
    assert scene.mailbox.uids() == [uid] and not scene.postfix.waiting()
    found = scene.mailhaul.command("check", "--live", timeout=90)
    assert f"error: directory table: mailhaul-milter cannot read {database}" in found.out
    assert f"ok: table {table}: asked for postmaster@example.org: absent" in found.out
    database.chmod(0o644)
    scene.mailhaul.stop("milter")
    scene.fetch()
    assert scene.got() == {"late": ["ben@example.org"]}


def test_canary(scene, folder_of_tables):
    """An empty table is not an empty company."""
    use(scene, make_hash(folder_of_tables, ""), canary="anna@example.org")
    result = scene.mailhaul.command("query", "nobody@example.org").expect(UNKNOWN)
    assert "the canary anna@example.org is not found" in result.out
