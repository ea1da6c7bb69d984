"""Runs statements on a database, each on its own.

    python sql.py postgres://USER:PASSWORD@HOST/DATABASE STATEMENT...
"""

import sys

import psycopg2

connection = psycopg2.connect(sys.argv[1])
connection.autocommit = True
for statement in sys.argv[2:]:
    connection.cursor().execute(statement)
