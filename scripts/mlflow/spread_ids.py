"""Lets each table of a SQLite file count from a large number of its own, as spread_ids.sql does on PostgreSQL. MLflow's ids
are small numbers, which stand in other places by chance; these say whose they are.

    python spread_ids.py FILE

A table whose ids SQLite counts by the largest that is there is made one that counts by itself (`AUTOINCREMENT`).
"""

import re
import sqlite3
import sys

FIRST, STEP = 1_100_000_000, 10_000_000


def counted(cursor, table):
    """The column by which a table counts, if there is one."""
    cursor.execute(f'SELECT name, type FROM pragma_table_info("{table}") WHERE pk > 0')
    keys = cursor.fetchall()
    is_counted = len(keys) == 1 and keys[0][1].upper() == "INTEGER"
    return keys[0][0] if is_counted else None


def counting(sql, column):
    """The statement that makes such a table."""
    key = rf",\s*(CONSTRAINT\s+\S+\s+)?PRIMARY KEY\s*\(\s*\"?{column}\"?\s*\)"
    sql = re.sub(key, "", sql, count=1)
    own = rf"(\"?\b{column}\b\"?\s+INTEGER)\b"
    return re.sub(own, r"\1 PRIMARY KEY AUTOINCREMENT", sql, count=1)


connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
cursor = connection.cursor()
cursor.execute("BEGIN IMMEDIATE")
# The table of the counters is made with the first table that counts so.
cursor.execute("CREATE TABLE counter (id INTEGER PRIMARY KEY AUTOINCREMENT)")
cursor.execute("DROP TABLE counter")
cursor.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%AUTOINCREMENT%' ORDER BY name")
tables = [(name, sql, counted(cursor, name)) for name, sql in cursor.fetchall() if not name.startswith("sqlite_")]
cursor.execute("PRAGMA writable_schema = ON")
for at, (name, sql, column) in enumerate((table for table in tables if table[2]), start=1):
    cursor.execute("UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ?", (counting(sql, column), name))
    cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, FIRST + at * STEP))
version = cursor.execute("PRAGMA schema_version").fetchone()[0]
cursor.execute(f"PRAGMA schema_version = {version + 1}")
cursor.execute("PRAGMA writable_schema = OFF")
cursor.execute("COMMIT")
ended = sqlite3.connect(sys.argv[1]).execute("PRAGMA integrity_check").fetchone()[0]
if ended != "ok":
    sys.exit(f"the file is not whole any more: {ended}")
