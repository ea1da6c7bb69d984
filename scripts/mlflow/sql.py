"""Runs statements on a database, each on its own.

    python sql.py postgres://USER:PASSWORD@HOST/DATABASE STATEMENT...
    python sql.py sqlite:FILE STATEMENT...
"""

import sqlite3
import sys


def connected(url):
    """A connection in which each statement is a transaction."""
    if url.startswith("sqlite:"):
        return sqlite3.connect(url.removeprefix("sqlite:"), isolation_level=None, timeout=30)
    import psycopg2

    connection = psycopg2.connect(url)
    connection.autocommit = True
    return connection


if __name__ == "__main__":
    connection = connected(sys.argv[1])
    for statement in sys.argv[2:]:
        connection.cursor().execute(statement)
