"""Notes of tenants, as tools and resources of a FastMCP server.

FastMCP checks the token of each call and the scopes of each tool. Which tenant's notes a caller reaches is decided here.

HOLE=scope lets everybody with a token delete notes, HOLE=tenant shows them to other tenants by a tool, and HOLE=resource by
the resource. `/mcp` knows no sessions, `/sessions/mcp` has one for each client.
"""

import contextlib
import os

import psycopg
import uvicorn
from fastmcp import FastMCP
from fastmcp.exceptions import ResourceError, ToolError
from fastmcp.server.auth import require_scopes
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.dependencies import get_access_token
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

DATABASE_URL = os.environ["DATABASE_URL"]
HOLE = os.environ.get("HOLE")
TABLES = """
CREATE TABLE IF NOT EXISTS tenants (id uuid PRIMARY KEY);
CREATE TABLE IF NOT EXISTS notes (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant uuid NOT NULL REFERENCES tenants,
  title text NOT NULL
);
"""


def sql(statement, **values):
    with psycopg.connect(DATABASE_URL) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


# Null is every tenant, for the administrator.
OF_THE_CALLER = "(%(tenant)s::uuid IS NULL OR tenant = %(tenant)s)"


def tenant():
    claims = get_access_token().claims
    return None if "notes:admin" in claims["scope"].split() else claims["tenant"]


verifier = JWTVerifier(public_key=os.environ["SIGNING_KEY"], algorithm="HS256", audience="notes")
server = FastMCP("notes", auth=verifier)
reads, writes, administers = (require_scopes(f"notes:{what}") for what in ("read", "write", "admin"))


@server.tool(auth=reads)
def find_note(text: str = "") -> list[str]:
    """The titles of notes that have this text in them."""
    found = f"SELECT title FROM notes WHERE strpos(title, %(text)s) > 0 AND {OF_THE_CALLER} ORDER BY title"
    return [title for (title,) in sql(found, text=text, tenant=tenant())]


@server.tool(auth=reads)
def read_note(id: str) -> str:
    """The title of a note."""
    whose = "true" if HOLE == "tenant" else OF_THE_CALLER
    rows = sql(f"SELECT title FROM notes WHERE id = %(id)s AND {whose}", id=id, tenant=tenant())
    if not rows:
        raise ToolError("no such note")
    return rows[0][0]


@server.tool(auth=writes)
def rename_note(id: str, title: str) -> str:
    """Gives a note another title."""
    update = f"UPDATE notes SET title = %(title)s WHERE id = %(id)s AND {OF_THE_CALLER} RETURNING title"
    rows = sql(update, id=id, title=title, tenant=tenant())
    if not rows:
        raise ToolError("no such note")
    return rows[0][0]


@server.tool(auth=None if HOLE == "scope" else writes)
def delete_note(id: str) -> str:
    """Deletes a note."""
    rows = sql(f"DELETE FROM notes WHERE id = %(id)s AND {OF_THE_CALLER} RETURNING title", id=id, tenant=tenant())
    if not rows:
        raise ToolError("no such note")
    return rows[0][0]


@server.tool(auth=administers)
def move_note(id: str, to: str) -> str:
    """Gives a note to another tenant."""
    sql("UPDATE notes SET tenant = %(to)s WHERE id = %(id)s", id=id, to=to)
    return "moved"


@server.resource("note://{id}", auth=reads)
def note(id: str) -> str:
    whose = "true" if HOLE == "resource" else OF_THE_CALLER
    rows = sql(f"SELECT title FROM notes WHERE id = %(id)s AND {whose}", id=id, tenant=tenant())
    if not rows:
        raise ResourceError("no such note")
    return rows[0][0]


apps = {"": server.http_app(stateless_http=True, json_response=True), "/sessions": server.http_app()}


@contextlib.asynccontextmanager
async def lifespan(_):
    async with contextlib.AsyncExitStack() as stack:
        for app in apps.values():
            await stack.enter_async_context(app.lifespan(app))
        yield


sql(TABLES)
ready = Route("/health", lambda _: PlainTextResponse("ok"))
mounts = [Mount(path, app) for path, app in reversed(apps.items())]
app = Starlette(routes=[ready, *mounts], lifespan=lifespan)
uvicorn.run(app, host=os.environ["HOST"], port=int(os.environ["PORT"]), log_level="warning")
