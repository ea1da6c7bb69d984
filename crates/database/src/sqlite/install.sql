-- The journal: tables of its own in the service's file, since a trigger cannot write to another one. What the service's own
-- SQLite runs can be old, so all of this is plain.

-- The format, and how many runs have ever begun with this journal.
create table authz_pin_journal (format text, runs integer);

-- The runs that are alive, or died without undoing what they did. While a run is alone, what changes after `alone_from` and
-- until `alone_until` is that run's; where it only happens to be, since no other run is there, `is_alone` is 0.
create table authz_pin_run (
  token text primary key, number integer, process integer, started real, is_alone integer, alone_from integer,
  alone_until real
);

-- Identifiers that a run made and that need not contain its token.
create table authz_pin_identifier (run text, value text);
create index authz_pin_identifier_run on authz_pin_identifier (run);

-- The tables that are watched, by the numbers that changes have for them, with the names of the columns that are logged.
create table authz_pin_table (id integer primary key, name text, columns text);

-- What the tables that SQLite counts by itself had counted to before any run.
create table authz_pin_counter (name text primary key, seq integer);

-- Whoever writes: one row, whose columns are null while it is the service, and none while a run undoes something.
create table authz_pin_writer (run text, batch integer);
insert into authz_pin_writer values (null, null);

-- Rows that a statement of the service may be about to replace, which fires no trigger for them: `at` is the statement's time.
create table authz_pin_candidate (tbl integer, at real, c0);

-- Every row change, in order. `run` is null until a run has explained the change as its own. The columns of a row stand in
-- columns without a type, which keep every value as it is: `o1` before and `n1` after the change is the first one's, and `o0`
-- and `n0` are the row's number. No constraint here can fail a statement of the service.
create table authz_pin_change (
  seq integer primary key, tbl integer, op text, at real, run text, batch integer,
  is_adopted integer, reason text, o0, n0
);
create index authz_pin_change_run on authz_pin_change (run, batch);
