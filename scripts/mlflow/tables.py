"""Prints each table of a database with the number and an MD5 digest of its rows: two prints are the same if no row differs.

    python tables.py postgres://USER:PASSWORD@HOST/DATABASE
"""

import sys

import psycopg2

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
DIGEST = """SELECT count(*), md5(coalesce(string_agg(row::text, E'\\n' ORDER BY row::text), '')) FROM public."{}" AS row"""

cursor = psycopg2.connect(sys.argv[1]).cursor()
cursor.execute(TABLES)
for (table,) in cursor.fetchall():
    cursor.execute(DIGEST.format(table))
    count, digest = cursor.fetchone()
    print(table, count, digest)
