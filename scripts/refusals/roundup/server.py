"""Roundup, an issue tracker: its XML-RPC answers 200 whatever it refuses, with a fault in place of a result."""

import os
import sys
import tempfile

from cheroot import wsgi
from roundup import configuration, init, instance
from roundup.cgi.wsgi_handler import RequestDispatcher
from roundup.password import Password

place = tempfile.mkdtemp()
init.install(place, os.path.join(sys.prefix, "share", "roundup", "templates", "classic"))
config = configuration.CoreConfig(place)
config["MAIL_DOMAIN"] = "localhost"
config["TRACKER_WEB"] = f"http://{os.environ['HOST']}:{os.environ['PORT']}/"
config["RDBMS_BACKEND"] = "sqlite"
# A suite logs in with a wrong password more often than a person does.
config["WEB_API_FAILED_LOGIN_LIMIT"] = 0
# Each call has a password.
config["PASSWORD_PBKDF2_DEFAULT_ROUNDS"] = 1000
config.save()
tracker = instance.open(place)
tracker.init(Password("password of admin", config=tracker.config))
tracker = tracker.open("admin")
for name, roles in [("reporter", "User"), ("reader", "User, Admin" if "HOLE" in os.environ else "User")]:
    password = Password(f"password of {name}", config=tracker.config)
    tracker.user.create(username=name, password=password, address=f"{name}@localhost", roles=roles)
tracker.commit()
tracker.close()
wsgi.Server((os.environ["HOST"], int(os.environ["PORT"])), RequestDispatcher(place)).start()
