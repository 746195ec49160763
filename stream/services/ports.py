"""Free ports of the loopback address."""

import socket

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> tuple[int, ...]:
    """Distinct ports that nobody listens on now; another program may still take one before it is used."""
    held = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for one in held:
            one.bind((LOOPBACK, 0))
        return tuple(one.getsockname()[1] for one in held)
    finally:
        for one in held:
            one.close()
