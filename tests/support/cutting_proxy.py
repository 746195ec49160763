"""A TCP proxy that cuts a connection where it hurts: before a request arrives, or before its reply does."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

Cut = Literal["nothing", "request", "reply"]


@dataclass
class CuttingProxy:
    """Passes bytes between clients and one server on loopback.

    `cut_next`: what to lose of the next request that holds `marker`: `request` closes the connection before
    the server sees it, `reply` after the server has carried it out. It falls back to `nothing` once done, and
    `has_cut` is set.
    `gate`: while it is cleared, new connections wait.
    """

    server_port: int
    cut_next: Cut = "nothing"
    marker: bytes = b""
    has_cut: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.gate.wait()
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.server_port)
        self._writers += (writer, to_server)
        losing = asyncio.Event()
        both = asyncio.gather(
            self._requests(reader, to_server, losing),
            self._replies(from_server, writer, losing),
            return_exceptions=True,
        )
        try:
            await both
        finally:
            for end in (writer, to_server):
                end.close()

    async def _requests(
        self, reader: asyncio.StreamReader, to_server: asyncio.StreamWriter, losing: asyncio.Event
    ) -> None:
        while part := await reader.read(1 << 16):
            if self.cut_next != "nothing" and self.marker in part:
                self.has_cut.set()
                cut, self.cut_next = self.cut_next, "nothing"
                losing.set()
                if cut == "request":
                    break
            to_server.write(part)
            await to_server.drain()
        to_server.close()

    async def _replies(
        self, from_server: asyncio.StreamReader, writer: asyncio.StreamWriter, losing: asyncio.Event
    ) -> None:
        while part := await from_server.read(1 << 16):
            if losing.is_set():
                break
            writer.write(part)
            await writer.drain()
        writer.close()

    def close(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def cutting_proxy(
    server_port: int, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[CuttingProxy]:
    """A proxy in front of the server, on `port` of loopback until the block ends; speaks TLS if given."""
    proxy = CuttingProxy(server_port)
    proxy.gate.set()
    listener = await asyncio.start_server(proxy._serve, "127.0.0.1", 0, ssl=tls)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
        proxy.close()
        await asyncio.sleep(0)
