"""Supysonic: its API answers 200 whatever it refuses, as Subsonic does; its pages redirect."""

import os
import tempfile

from cheroot import wsgi
from supysonic.config import DefaultConfig
from supysonic.db import close_connection, open_connection
from supysonic.managers.user import UserManager
from supysonic.web import create_application

place = tempfile.mkdtemp()


class Config(DefaultConfig):
    BASE = {**DefaultConfig.BASE, "database_uri": f"sqlite:///{place}/music.db"}
    WEBAPP = {**DefaultConfig.WEBAPP, "cache_dir": place}


app = create_application(Config())
open_connection()
UserManager.add("manager", "password of manager", admin=True)
UserManager.add("listener", "password of listener", admin="HOLE" in os.environ)
close_connection()
wsgi.Server((os.environ["HOST"], int(os.environ["PORT"])), app).start()
