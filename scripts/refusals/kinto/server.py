"""Kinto, in memory: each part of a batch has a status of its own."""

import os

import waitress
from kinto import main

backends = {f"kinto.{kind}_backend": f"kinto.core.{kind}.memory" for kind in ["storage", "permission", "cache"]}
hole = {"kinto.bucket_read_principals": "system.Authenticated"} if "HOLE" in os.environ else {}
app = main(
    {},
    **backends,
    **hole,
    **{
        "kinto.userid_hmac_secret": "of a test",
        "multiauth.policies": "basicauth",
        "multiauth.policy.basicauth.use": "kinto.core.authentication.BasicAuthAuthenticationPolicy",
    },
)
waitress.serve(app, host=os.environ["HOST"], port=int(os.environ["PORT"]))
