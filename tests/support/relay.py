# SPDX-License-Identifier: Apache-2.0
"""A TCP port that leads to another one, and can be far away, shut or silent."""

import contextlib
import queue
import socket
import threading
import time


class Relay:
    """Open from the start.  `connections` counts who came through, `accepted` all
    who came.  What is said takes `delay` seconds on its way, in each direction."""

    def __init__(self, target, port=0, delay=0):
        self.accepted = 0
        self.connections = 0
        self._delay = delay
        self._target = target
        self._silent = False
        self._sockets = []
        self.port = port
        self.open()

    def open(self):
        """Lead on again, after shut() or fall_silent()."""
        self.shut()
        self._silent = False
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def fall_silent(self):
        """Connections are accepted, and nothing comes."""
        self.open()
        self._silent = True

    def shut(self):
        """Refuse connections, and end all that there are."""
        for link in [getattr(self, "_listener", None), *self._sockets]:
            if link:
                with contextlib.suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)
                link.close()
        self._sockets = []
        self._listener = None

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                here, _ = listener.accept()
                self._sockets.append(here)
                self.accepted += 1
                if self._silent:
                    continue
                self.connections += 1
                there = socket.create_connection(("127.0.0.1", self._target))
                self._sockets.append(there)
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _copy(self, source, target):
        on_the_way = queue.SimpleQueue()
        threading.Thread(target=self._arrive, args=(on_the_way, target), daemon=True).start()
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                on_the_way.put((time.monotonic() + self._delay, data))
            on_the_way.put((0, b""))

    @staticmethod
    def _arrive(on_the_way, target):
        with contextlib.suppress(OSError):
            while True:
                due, data = on_the_way.get()
                time.sleep(max(0, due - time.monotonic()))
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
