"""A TCP proxy of one server that can be made to fail in the ways networks do; it runs in a thread of its own."""

import asyncio
import socket
import struct
import threading
from typing import Literal

from stream.services.ports import LOOPBACK, free_ports

Mode = Literal["pass", "refuse", "stall", "slow"]
SLOW_S = 0.05


class FaultProxy:
    """Passes bytes between clients and a server on loopback.

    Args:
        server_port: of the server, which need not be there.

    Attributes:
        port: where clients connect.
        mode: `pass`; `refuse` closes whatever comes; `stall` keeps connections open and lets nothing through, as a host
            does that has lost its power; `slow` holds every piece back for a moment.
    """

    def __init__(self, server_port: int) -> None:
        self.port = free_ports(1)[0]
        self.mode: Mode = "pass"
        self._server_port = server_port
        self._half_next = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._listening, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()
        assert self._listening.wait(10)

    def cut(self) -> None:
        """Closes every connection."""
        self._loop.call_soon_threadsafe(self._cut)

    def reset_within_a_frame(self) -> None:
        """Of the next piece that a client sends only half arrives; then the connection is reset on both sides."""
        self._half_next = True

    def close(self) -> None:
        """Ends it."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen())

    async def _listen(self) -> None:
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._serve, LOOPBACK, self.port)
        self._listening.set()
        await self._over.wait()
        server.close()
        self._cut()
        await asyncio.sleep(0.1)  # connections end in tasks of their own

    def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "refuse":
            writer.transport.abort()
            return
        try:
            from_server, to_server = await asyncio.open_connection(LOOPBACK, self._server_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, to_server}
        self._writers |= ends
        pumps = [
            asyncio.ensure_future(self._pump(reader, to_server, from_client=True)),
            asyncio.ensure_future(self._pump(from_server, writer, from_client=False)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        for end in ends:
            end.transport.abort()
        self._writers -= ends
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_client: bool
    ) -> None:
        while part := await reader.read(1 << 16):
            while self.mode == "stall":  # noqa: ASYNC110 - set from another thread
                await asyncio.sleep(0.02)
            if self.mode == "slow":
                await asyncio.sleep(SLOW_S)
            if from_client and self._half_next and len(part) > 1:
                self._half_next = False
                writer.write(part[: len(part) // 2])
                await writer.drain()
                await asyncio.sleep(0.02)
                _reset(writer)
                return
            writer.write(part)
            await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """So that the close is a reset."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
