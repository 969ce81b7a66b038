"""A Prefect server of our own on 127.0.0.1, with its tables in a Postgres database of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import aiohttp

from runtime.stack.processes import ChildCommand, ChildProcess, free_port

DATABASE = "prefect"
READY_SECONDS = 90.0
"""A first start on a slow machine, migrations included; usual are 4 s, 8 s the first time."""

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
}
"""Nothing is sent to anybody."""


def client_environment(api_url: str, folder: Path) -> dict[str, str]:
    """The environment in which a process speaks to this server, and to no other that the user's profile names."""
    return {
        **QUIET,
        "PREFECT_API_URL": api_url,
        "PREFECT_HOME": str(folder),
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
    }


class PrefectServer:
    """One server process: API, scheduler, automations and UI."""

    def __init__(self, database_url: str, folder: Path, port: int = 0) -> None:
        """`database_url`: postgresql://... of Prefect's own database. `port`: the preferred one; 0 = any free one."""
        self._database_url = database_url
        self._folder = folder
        self.port = free_port(port)
        self._process: ChildProcess | None = None

    @property
    def ui_url(self) -> str:
        """Where a person looks."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """PREFECT_API_URL of this server."""
        return f"{self.ui_url}/api"

    @property
    def running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.running

    async def start(self) -> None:
        """Start and wait until it answers. Raises StackError, with the end of its log."""
        self._process = await ChildProcess.start(
            ChildCommand(
                name="the Prefect server",
                arguments=[
                    *(sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"),
                    *("--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning"),
                    *("--timeout-graceful-shutdown", "1"),
                ],
                log_file=self._folder / "server.log",
                environment=self._environment(),
            )
        )
        async with aiohttp.ClientSession() as http:
            await self._process.wait_until(lambda: self._healthy(http), READY_SECONDS)

    async def move(self, database_url: str) -> None:
        """Go on with the database at another address. Raises StackError; the next start knows the address."""
        self._database_url = database_url
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """End the server; its database stays."""
        if self._process is not None:
            await self._process.stop()

    def _environment(self) -> dict[str, str]:
        scheme, _, address = self._database_url.partition("://")
        return {
            **client_environment(self.api_url, self._folder),
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"{scheme.partition('+')[0]}+asyncpg://{address}",
            "PREFECT_SERVER_API_HOST": "127.0.0.1",
            "PREFECT_SERVER_API_PORT": str(self.port),
            "PREFECT_SERVER_UI_API_URL": self.api_url,
            "PREFECT__SERVER_FINAL": "1",  # as `prefect server start` does for its uvicorn
        }

    async def _healthy(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.api_url}/health", timeout=aiohttp.ClientTimeout(total=2)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
