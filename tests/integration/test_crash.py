# SPDX-License-Identifier: Apache-2.0
"""kill -9 between all steps: nothing lost, nothing cut, few duplicates."""

import collections
import signal

import pytest
from mails import case_of, mail
from waiting import wait_for

PARALLEL = 3
MESSAGES = 8
POINTS = (
    "spooled", "before-inject", "injecting", "injected", "before-commit", "after-commit",
    "after-archive", "before-delete", "after-delete", "before-quit",
)


def copies(scene):
    """{case: number of copies}; every copy is whole, see got()."""
    return collections.Counter({case: len(who) for case, who in scene.got().items()})


def check(scene, allowed):
    counted = copies(scene)
    lost = {f"m{n}" for n in range(MESSAGES)} - counted.keys()
    assert not lost, f"lost: {lost}"
    assert scene.mailbox.uids() == []
    doubled = sum(counted.values()) - MESSAGES
    assert doubled <= allowed, f"{doubled} duplicates, {allowed} allowed: {counted}"


def kill_at(scene, point, nth):
    scene.mailhaul.config.setdefault("inject", {})["parallel"] = PARALLEL
    uids = scene.put(*(mail(f"m{n}", envelope="anna@example.org", body=b"text\n" * 500)
                       for n in range(MESSAGES)))
    killed = scene.mailhaul.fetch_once(crash=f"{point}:{nth}")
    assert killed.status == -signal.SIGKILL, f"{point} was not reached: {killed}"
    # sendmail children that outlive it finish or fail on their own.
    scene.postfix.wait_until_idle()
    left = set(scene.mailbox.uids())
    for n, uid in enumerate(uids):
        assert uid in left or f"m{n}" in copies(scene), f"m{n} is nowhere"
    scene.fetch()
    check(scene, allowed=PARALLEL)
    assert scene.mailhaul.spool() == []


# A session has one QUIT.
@pytest.mark.parametrize(
    "point, nth", [(p, n) for p in POINTS for n in (1, 4) if (p, n) != ("before-quit", 4)]
)
def test_killed_at(scene, point, nth):
    kill_at(scene, point, nth)


@pytest.mark.parametrize("nth", [1, 4])
@pytest.mark.parametrize("point", ["before-inject", "injecting", "injected", "before-commit"])
def test_killed_with_smtp_at(scene, listener, point, nth):
    scene.inject_by_smtp()
    kill_at(scene, point, nth)


@pytest.mark.slow
def test_killed_at_random_times(scene):
    """The daemon is killed again and again while mail keeps coming."""
    scene.mailhaul.config["inject"] = {"parallel": PARALLEL}
    rounds = 15
    stored = 0
    for n in range(rounds):
        scene.put(*(mail(f"m{stored + i}", envelope="anna@example.org") for i in range(10)))
        stored += 10
        before = sum(copies(scene).values())
        scene.mailhaul.start_fetcher()
        wait_for(lambda: sum(copies(scene).values()) > before + n % 7, "some mail", 30)
        scene.mailhaul.kill("fetcher")
    scene.fetch()
    counted = copies(scene)
    assert counted.keys() == {f"m{n}" for n in range(stored)}
    assert sum(counted.values()) - stored <= rounds * PARALLEL
    assert scene.mailbox.uids() == []


def test_milter_killed_under_load(scene):
    scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(60)))
    scene.mailhaul.start_fetcher()
    for round_ in range(3):
        wait_for(lambda: len(scene.got()) > 10 * round_, "some mail", 60)
        scene.mailhaul.kill("milter")
        scene.mailhaul.start_milter()
    wait_for(lambda: not scene.mailbox.uids(), "the end of the fetch", 60)
    scene.postfix.wait_until_idle()
    assert set(copies(scene).values()) == {1}


def test_archive_has_what_was_injected(scene):
    scene.put(*(mail(f"m{n}", envelope="anna@example.org") for n in range(MESSAGES)))
    scene.fetch()
    archived = {case_of(message) for message in scene.mailhaul.archive()}
    assert archived == {f"m{n}" for n in range(MESSAGES)}
