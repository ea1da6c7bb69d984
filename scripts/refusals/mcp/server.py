"""Tools and a resource on the official SDK: it answers as JSON at /json, and as streams of events at /events."""

import contextlib
import os

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route


def need_owner(context: Context, error: type[Exception]) -> None:
    actor = (context.headers or {}).get("x-actor")
    if actor != "owner" and not (actor == "stranger" and "HOLE" in os.environ):
        raise error("not yours")


def notes() -> MCPServer:
    server = MCPServer("notes")

    @server.tool()
    async def read_note(context: Context) -> str:
        await context.report_progress(1, 2)
        need_owner(context, ToolError)
        return "it rains"

    @server.tool()
    async def count_notes(context: Context) -> int:
        need_owner(context, PermissionError)
        return 3

    @server.resource("note://{name}")
    async def note(name: str, context: Context) -> str:
        need_owner(context, ResourceError)
        return "it rains"

    return server


apps = [
    notes().streamable_http_app(streamable_http_path="/json", json_response=True),
    notes().streamable_http_app(streamable_http_path="/events"),
]


@contextlib.asynccontextmanager
async def lifespan(_):
    async with contextlib.AsyncExitStack() as stack:
        for app in apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield


routes = [Route("/health", lambda _: PlainTextResponse("ok")), *(route for app in apps for route in app.routes)]
app = Starlette(routes=routes, lifespan=lifespan)
uvicorn.run(app, host=os.environ["HOST"], port=int(os.environ["PORT"]), log_level="warning")
