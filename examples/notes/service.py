"""A small service for notes, to try authz-pin on: Python's own library, nothing to install, no database.

A user belongs to a tenant. A note is read by everybody of its writer's tenant, and deleted by its writer.
"""

import json
import os
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ADMIN_TOKEN = os.environ["ADMIN_TOKEN"]
users = {}  # by token
notes = {}  # by id


def may_read(user, note):
    return user["tenant"] == note["tenant"]


def may_delete(user, note):
    return user is not None  # TODO: only the writer


class Refusal(Exception):
    def __init__(self, status, error):
        self.status, self.error = status, error


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def caller(self):
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == ADMIN_TOKEN:
            return {"id": "admin", "tenant": None}
        if token not in users:
            raise Refusal(401, "who are you?")
        return users[token]

    def note(self):
        note = notes.get(self.path.removeprefix("/notes/"))
        if note is None:
            raise Refusal(404, "no such note")
        return note

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def do_GET(self):
        self.answer(self.ready if self.path == "/health" else self.read)

    def do_POST(self):
        self.answer(self.add_user if self.path == "/users" else self.add_note)

    def do_DELETE(self):
        self.answer(self.delete_user if self.path.startswith("/users/") else self.delete_note)

    def ready(self):
        return 200, {}

    def add_user(self):
        if self.caller()["id"] != "admin":
            raise Refusal(403, "only the admin adds users")
        user = {"id": secrets.token_hex(8), **self.body()}
        token = secrets.token_hex(16)
        users[token] = user
        return 201, {"id": user["id"], "token": token}

    def delete_user(self):
        if self.caller()["id"] != "admin":
            raise Refusal(403, "only the admin deletes users")
        for token, user in list(users.items()):
            if user["id"] == self.path.removeprefix("/users/"):
                del users[token]
        return 204, None

    def add_note(self):
        user = self.caller()
        note = {"id": secrets.token_hex(8), "writer": user["id"], "tenant": user["tenant"], **self.body()}
        notes[note["id"]] = note
        return 201, note

    def read(self):
        user, note = self.caller(), self.note()
        if not may_read(user, note):
            raise Refusal(404, "no such note")
        return 200, note

    def delete_note(self):
        user, note = self.caller(), self.note()
        if not may_delete(user, note):
            raise Refusal(403, "only its writer deletes a note")
        notes.pop(note["id"], None)
        return 204, None

    def answer(self, action):
        try:
            status, body = action()
        except Refusal as refusal:
            status, body = refusal.status, {"error": refusal.error}
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    # A sweep opens many connections at once.
    request_queue_size = 128


if __name__ == "__main__":
    Server((os.environ["HOST"], int(os.environ["PORT"])), Service).serve_forever()
