"""The web interface of Deluge, which speaks JSON-RPC 1.0 and needs no daemon for what is asked here."""

import os
import sys
import tempfile

from deluge.ui.web import auth, start

if "HOLE" in os.environ:
    auth.Auth.check_request = lambda *arguments, **named: None
    auth.Auth.check_password = lambda *arguments: True

place = ["--interface", os.environ["HOST"], "--port", os.environ["PORT"]]
sys.argv = ["deluge-web", "--do-not-daemonize", "--config", tempfile.mkdtemp(), *place]
start()
