"""Liveness, readiness and metrics over HTTP, on loopback only."""

from collections.abc import Callable

from aiohttp import web

from stream.worker.metrics import Metrics


class HealthServer:
    """Serves `/live`, `/ready` and `/metrics`.

    Args:
        port: 0 takes a free one; `port` has it after `start`.
        problems: why the worker is not ready; empty when it is.
    """

    def __init__(self, port: int, problems: Callable[[], list[str]], metrics: Metrics) -> None:
        self.port = port
        self._problems, self._metrics = problems, metrics
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Begins to serve.

        Raises:
            OSError: the port is taken.
        """
        application = web.Application()
        application.router.add_get("/live", self._live)
        application.router.add_get("/ready", self._ready)
        application.router.add_get("/metrics", self._text)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stops serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _ready(self, _: web.Request) -> web.Response:
        problems = self._problems()
        return web.json_response(
            {"ready": not problems, "problems": problems}, status=503 if problems else 200
        )

    async def _text(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), content_type="text/plain", charset="utf-8")
