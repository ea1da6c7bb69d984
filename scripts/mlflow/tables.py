"""Prints each table of a database with the number and an MD5 digest of its rows: two prints are the same if no row differs.

    python tables.py postgres://USER:PASSWORD@HOST/DATABASE
    python tables.py sqlite:FILE
"""

import hashlib
import sys

from sql import connected

NAMES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
NAMES_IN_FILE = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"

url = sys.argv[1]
cursor = connected(url).cursor()
cursor.execute(NAMES_IN_FILE if url.startswith("sqlite:") else NAMES)
for (table,) in cursor.fetchall():
    cursor.execute(f'SELECT * FROM "{table}"')
    rows = sorted(repr(row) for row in cursor.fetchall())
    print(table, len(rows), hashlib.md5("\n".join(rows).encode()).hexdigest())
