# SPDX-License-Identifier: Apache-2.0
"""Waiting with a deadline.  Nothing in the tests sleeps for a fixed time."""

import socket
import time

STEP = 0.02
STEP_COUNTS = 1  # at most: a machine that stood still did nothing else either


def wait_for(probe, what, timeout=30, report=None):
    """Call `probe` until it returns something true, and return that.

    After `timeout` seconds: AssertionError that names `what` and, if given,
    the text that `report` returns.
    """
    left = timeout
    while True:
        begun = time.monotonic()
        result = probe()
        if result:
            return result
        if left < 0:
            detail = "\n" + report() if report else ""
            raise AssertionError(f"waited {timeout} s for {what}{detail}")
        time.sleep(STEP)
        left -= min(time.monotonic() - begun, STEP_COUNTS)


def wait_for_port(host, port, what, timeout=30):
    """Wait until something accepts connections there."""

    def accepts():
        try:
            socket.create_connection((host, port), 1).close()
            return True
        except OSError:
            return False

    wait_for(accepts, f"{what} on {host}:{port}", timeout)
