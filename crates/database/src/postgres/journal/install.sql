-- The journal: a schema of its own beside the service's tables, removed when the last run ends.
-- Every statement can run again: runs that start at the same moment take turns under an advisory lock.

-- The runs that are alive, or died without undoing what they did. A run that is alive holds an advisory lock. While a run is
-- alone on the database, what changes after `alone_from` and until `alone_until` is that run's; where it only happens to be,
-- since no other run is there, `is_alone` is false. Names inside the service's own
-- functions are looked up in `search_path`.
create table if not exists authz_pin.run (
  token text primary key,
  number bigint generated always as identity,
  service_schema text not null,
  search_path text not null default current_setting('search_path'),
  started timestamptz not null default clock_timestamp(),
  began xid8 not null default pg_current_xact_id(),
  is_alone boolean not null default true,
  alone_from bigint,
  alone_until timestamptz
);

-- Identifiers that a run made and that need not contain its token (hashes), so that a dead run can be undone too: a row
-- for all of a batch. Without a primary key, a publication of all tables would let nobody delete them.
create table if not exists authz_pin.identifier (
  number bigint generated always as identity primary key,
  run text not null,
  batch text[] not null
);

-- Every row change, in order. `run` is null until a run has explained the change as its own, and `batch` says for which of its
-- batches. `tbl` is the table as people know it, `relation` the partition of it. Rows are kept as PostgreSQL's own text: every
-- type has a text and reads back exactly what it wrote, which is not so for JSON. `reason` is why the last try to undo failed.
create table if not exists authz_pin.change (
  seq bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  xact xid8 not null default pg_current_xact_id(),
  run text,
  batch bigint,
  tbl text not null,
  relation regclass not null,
  op text not null,
  old_row text,
  new_row text,
  is_adopted boolean not null default false,
  reason text
);

-- The indexes, where they are not there yet: the command that makes one locks its table also where there is nothing to make, and
-- all that the service and other runs write would wait.
do $$ begin
  if to_regclass('authz_pin.change_run') is null then
    create index identifier_run on authz_pin.identifier (run);
    create index change_run on authz_pin.change (run, batch, seq);
  end if;
end $$;

-- The number of the last change, also of one that is under way. The table's own maximum is slow to find where rows were
-- deleted.
create or replace function authz_pin.last_change() returns bigint
language sql volatile as $$
  select case when is_called then last_value else 0 end from authz_pin.change_seq_seq
$$;

-- Whether what failed passes when whoever is in the way ends or lets go, so that it is tried again. That a catalogue's row was
-- changed meanwhile (somebody alters the same table) is an internal error for PostgreSQL, known by its message alone.
create or replace function authz_pin.is_passing(state text, message text) returns boolean
language sql immutable as $$
  select state in ('40P01', '40001', '55P03') or state = 'XX000' and message like 'tuple concurrently %'
$$;

-- How many runs have ever begun with this journal, so that one that came and went is noticed.
create or replace function authz_pin.last_run() returns bigint
language sql volatile as $$
  select case when is_called then last_value else 0 end from authz_pin.run_number_seq
$$;

-- Takes the lock under which runs sweep, shared or not, and waits for it no longer than a second at a time. False where
-- somebody still keeps it.
create or replace function authz_pin.enter(shared boolean) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '1s'
as $$
declare
  sweep constant bigint := hashtextextended('authz_pin sweep', 0);
begin
  if shared then
    perform pg_advisory_lock_shared(sweep);
  else
    perform pg_advisory_lock(sweep);
  end if;
  return true;
exception when lock_not_available or deadlock_detected then
  return false;
end $$;

-- Whether a run waits for that lock. A key of 64 bits stands in two columns.
create or replace function authz_pin.is_wanted() returns boolean
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_locks l, (select hashtextextended('authz_pin sweep', 0) as key) k
    where l.locktype = 'advisory' and not l.granted and l.objsubid = 1
      and l.database = (select oid from pg_database where datname = current_database())
      and l.classid = (k.key >> 32 & 4294967295)::oid and l.objid = (k.key & 4294967295)::oid)
$$;

-- Whether a session of the service has written a watched table in a transaction that is still open, or is about to: what it
-- wrote is not to be seen yet. Tables that the service writes by itself do not count.
create or replace function authz_pin.is_writing(background text[]) returns boolean
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_locks l
      join pg_trigger g on g.tgrelid = l.relation and (g.tgname = 'authz_pin_journal' or g.tgname ^@ 'authz_pin_partition')
      join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'relation' and l.database = (select oid from pg_database where datname = current_database())
      and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      and a.pid <> pg_backend_pid() and a.backend_type = 'client backend'
      and a.application_name not like 'authz-pin%'
      and l.relation <> all (array(select to_regclass(x)::oid from unnest(background) x where to_regclass(x) is not null))
  )
$$;

-- Whether a session of the service is at work: a statement is under way, or a transaction is open. A session of which the
-- role may not see what it does counts as one that is.
create or replace function authz_pin.is_busy() returns boolean
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
      and application_name not like 'authz-pin%' and state is distinct from 'idle'
  )
$$;

-- The most that a statement of the service waits for a statement of the tool, in milliseconds: less than the server takes to
-- look for a deadlock, of which the service could be the victim.
create or replace function authz_pin.patience() returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select least(150, setting::int / 2)::text from pg_settings where name = 'deadlock_timeout'
$$;
