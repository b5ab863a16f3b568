"""A proxy on the loopback that counts what a server sends."""
import contextlib
import socket
import threading


class Counter:
    def __init__(self):
        self.received = self.sent = 0


def _copy(source, target, counter, name):
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            setattr(counter, name, getattr(counter, name) + len(data))
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def counting(port):
    """Yields the proxy's port and its counter."""
    counter = Counter()
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=_copy, args=(client, server, counter, "sent"), daemon=True).start()
                threading.Thread(target=_copy, args=(server, client, counter, "received"), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1], counter
    finally:
        listener.close()
