-- The journal: a schema of its own beside the service's tables, removed when the last run ends.
-- Every statement can run again: runs that start at the same moment take turns under an advisory lock.

create schema if not exists authz_pin;

-- The runs that are alive, or died without undoing what they did. A run that is alive holds an advisory lock.
-- While a run sweeps a cell alone, what changes after `alone_from` and until `alone_until` is that cell's.
create table if not exists authz_pin.run (
  token text primary key,
  service_schema text not null,
  started timestamptz not null default clock_timestamp(),
  alone_from bigint,
  alone_until timestamptz
);

-- Identifiers that a run made and that need not contain its token (hashes), so that a dead run can be undone too: a row
-- for all of a batch.
create table if not exists authz_pin.identifier (
  run text not null,
  batch text[] not null
);
create index if not exists identifier_run on authz_pin.identifier (run);

-- Every row change, in order. `run` is null until a run has explained the change as its own. `tbl` is the table as
-- people know it, `relation` the partition of it. The rows as jsonb are to be read; the rows as text are to be restored:
-- every type reads back exactly what it wrote, which is not so for jsonb (negative zero, json's blanks, an array's bounds).
create table if not exists authz_pin.change (
  seq bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  xact xid8 not null default pg_current_xact_id(),
  run text,
  tbl text not null,
  relation regclass not null,
  op text not null,
  old jsonb,
  new jsonb,
  old_row text,
  new_row text
);
create index if not exists change_run on authz_pin.change (run, seq);

-- The number of the last change, also of one that is under way. The table's own maximum is slow to find where rows were
-- deleted.
create or replace function authz_pin.last_change() returns bigint
language sql volatile as $$
  select case when is_called then last_value else 0 end from authz_pin.change_seq_seq
$$;

-- TRUNCATE fires no row triggers: its rows are logged as deleted before they are. All the rows that a statement inserted are
-- logged at once where the trigger is the statement's, which takes less for each of them. The settings make one row image
-- the same text whatever the session's own settings are.
create or replace function authz_pin.log_change() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
set bytea_output = 'hex' set extra_float_digits = 1 set lc_monetary = 'C'
as $$
begin
  if tg_op = 'TRUNCATE' then
    execute format(
      'insert into authz_pin.change (run, tbl, relation, op, old, old_row)
       select $1, $2, $3, ''delete'', to_jsonb(authz_pin_row), authz_pin_row::text from only %s authz_pin_row', tg_relid::regclass)
    using nullif(current_setting('authz_pin.run', true), ''), tg_argv[0], tg_relid::regclass;
    return null;
  end if;
  if tg_level = 'STATEMENT' then
    insert into authz_pin.change (run, tbl, relation, op, new, new_row)
    select nullif(current_setting('authz_pin.run', true), ''), tg_argv[0], tg_relid, 'insert',
      to_jsonb(authz_pin_row), authz_pin_row::text
    from authz_pin_inserted authz_pin_row;
    return null;
  end if;
  insert into authz_pin.change (run, tbl, relation, op, old, new, old_row, new_row)
  values (
    nullif(current_setting('authz_pin.run', true), ''), tg_argv[0], tg_relid, lower(tg_op),
    case when tg_op <> 'INSERT' then to_jsonb(old) end, case when tg_op <> 'DELETE' then to_jsonb(new) end,
    case when tg_op <> 'INSERT' then old::text end, case when tg_op <> 'DELETE' then new::text end
  );
  return null;
end $$;

-- Puts the triggers on every table of the service's schema that has none yet. Partitions inherit row triggers from
-- their table, but not those of TRUNCATE. What a run inserts itself is logged a statement at a time; what the service
-- inserts, a row at a time, since what its own triggers make of a row has to come after the row; and so is all that goes
-- through a partitioned table, where a statement does not say into which partition. What undo does is not logged.
create or replace function authz_pin.watch(service_schema text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  t record;
  undoes constant text := $c$current_setting('authz_pin.undoing', true) = 'on' is true$c$;
  own constant text := $c$current_setting('authz_pin.run', true) <> '' is true$c$;
begin
  for t in
    select c.oid::regclass as relation, r.relname as name, x.*
    from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
      join pg_class r on r.oid = coalesce(pg_partition_root(c.oid), c.oid)
      join (values
        ('p', 'authz_pin_journal', 'after insert or update or delete', 'for each row', 'true'),
        ('r', 'authz_pin_journal', 'after update or delete', 'for each row', 'true'),
        ('r', 'authz_pin_insert', 'after insert', 'for each row', format('not (%s)', own)),
        ('r', 'authz_pin_seed', 'after insert', 'referencing new table as authz_pin_inserted for each statement', own),
        ('r', 'authz_pin_truncate', 'before truncate', 'for each statement', 'true')
      ) as x (kind, trigger, event, level, condition) on x.kind = c.relkind::text
    where n.nspname = service_schema
      and (not c.relispartition or x.trigger = 'authz_pin_truncate')
      and not exists (select from pg_trigger g where g.tgrelid = c.oid and g.tgname = x.trigger)
    order by c.relname, x.trigger
  loop
    execute format('create trigger %s %s on %s %s when (not (%s) and %s) execute function authz_pin.log_change(%L)',
      t.trigger, t.event, t.relation, t.level, undoes, t.condition, t.name);
  end loop;
end $$;

-- Takes every trigger off again.
create or replace function authz_pin.unwatch() returns void
language plpgsql as $$
declare
  t record;
begin
  for t in
    select g.tgrelid::regclass as relation, g.tgname
    from pg_trigger g join pg_proc p on p.oid = g.tgfoid
    where p.pronamespace = 'authz_pin'::regnamespace and g.tgparentid = 0
    order by g.tgrelid::regclass::text, g.tgname
  loop
    execute format('drop trigger %I on %s', t.tgname, t.relation);
  end loop;
end $$;
