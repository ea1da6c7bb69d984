-- What stands in for triggers where the role may put none on: the rows of each table are kept as they were seen last, and
-- compared with those that are there. Their differences are logged as triggers would log them. What is made and taken back
-- between two looks is not seen.

-- The tables, each with a digest of its rows; `why` says of a table that is not compared what is in the way.
create table if not exists authz_pin.compared (
  relation regclass primary key,
  tbl text not null,
  digest text,
  why text
);

-- Their rows as they were seen last: what stands there once more than it is taken back is there. What undo restores is
-- entered too, so that nobody takes it for the service's.
create table if not exists authz_pin.kept (relation regclass not null, image text not null, sign int not null);
create index if not exists kept_relation on authz_pin.kept (relation);

-- The rows of the table that is being looked at, each with the transaction that wrote it.
create table if not exists authz_pin.found (image text not null, xact bigint not null);

-- Nothing tells which transaction deleted a row, so that each deletion counts as one of its own, beyond all that there are.
create sequence if not exists authz_pin.deletion start 4611686018427387904;

-- The tables of the named schemas, or of all of them, by the names under which their changes are logged.
create or replace function authz_pin.tables(service_schema text, schemas text[])
returns table (relation regclass, name text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select c.oid::regclass, case when s.nspname = service_schema then r.relname else s.nspname || '.' || r.relname end
  from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_class r on r.oid = coalesce(pg_partition_root(c.oid), c.oid)
    join pg_namespace s on s.oid = r.relnamespace
  where c.relkind = 'r' and (n.nspname = any (schemas) or schemas is null) and n.nspname !~ '^pg_'
    and n.nspname not in ('information_schema', 'authz_pin')
    and not exists (
      select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
$$;

-- Whether a table is small enough to be read from end to end after each batch.
create or replace function authz_pin.is_small(relation regclass) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  is_small boolean;
begin
  execute format(
    'select count(*) <= 10000 and coalesce(sum(length(image)), 0) <= 16777216
     from (select authz_pin_row::text as image from only %s authz_pin_row limit 10001) y', relation) into is_small;
  return is_small;
end $$;

-- Why a table cannot be compared; null where it can.
create or replace function authz_pin.why_not(relation regclass) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when not has_table_privilege(relation, 'select') then 'the role may not read it'
    when row_security_active(relation) then 'row security hides rows of it from the role'
    when not authz_pin.is_small(relation) then 'it holds more than 10,000 rows, or more than 16 MiB of them'
  end
$$;

-- Enters the tables that have come, or go by another name now, and gives the names of those that have come. Of a table that has
-- come while the run was there all rows are logged at the next look; where none are `new`, its rows are kept as they are.
create or replace function authz_pin.enlist(service_schema text, schemas text[], new boolean) returns table (name text)
language plpgsql
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
set bytea_output = 'hex' set extra_float_digits = 1 set lc_monetary = 'C'
as $$
#variable_conflict use_column
declare
  t record;
  why text;
begin
  for t in
    select x.relation, x.name, c.tbl from authz_pin.tables(service_schema, schemas) x
      left join authz_pin.compared c on c.relation = x.relation
    where c.tbl is distinct from x.name
  loop
    name := t.name;
    return next;
    if t.tbl is not null then
      update authz_pin.compared c set tbl = t.name where c.relation = t.relation;
      continue;
    end if;
    why := authz_pin.why_not(t.relation);
    insert into authz_pin.compared (relation, tbl, why) values (t.relation, t.name, why);
    continue when new or why is not null;
    execute format('insert into authz_pin.kept select $1, authz_pin_row::text, 1 from only %s authz_pin_row', t.relation) using t.relation;
    update authz_pin.compared c set digest = authz_pin.digest(t.relation) where c.relation = t.relation;
  end loop;
end $$;

-- A digest of the rows of a table, in any order.
create or replace function authz_pin.digest(relation regclass) returns text
language plpgsql stable
as $$
declare
  digest text;
begin
  execute format(
    'select concat_ws('' '', count(*), sum(hashtextextended(authz_pin_row::text, 0)))
     from only %s authz_pin_row', relation) into digest;
  return digest;
end $$;

-- Logs what is different in all tables since the last look: as a run's, or as nobody's yet.
create or replace function authz_pin.compare(which text, batch bigint) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
set bytea_output = 'hex' set extra_float_digits = 1 set lc_monetary = 'C'
set lock_timeout = '15s'
as $$
declare
  t record;
begin
  for t in
    select x.relation, x.tbl, x.digest from authz_pin.compared x join pg_class c on c.oid = x.relation
    where x.why is null order by x.relation::oid
  loop
    if authz_pin.digest(t.relation) is distinct from t.digest then
      perform authz_pin.log_differences(which, batch, t.relation, t.tbl, t.digest is null);
    end if;
  end loop;
end $$;

-- The same for one table. `xmin` has the lower half of a transaction's number. A row whose primary key was changed counts as one
-- that was deleted and one that was inserted: nothing tells it from them.
create or replace function authz_pin.log_differences(which text, batch bigint, relation regclass, tbl text, is_new boolean)
returns void
language plpgsql as $$
#variable_conflict use_variable
declare
  now constant bigint := pg_current_xact_id()::text::bigint;
  came text[];
  gone text[];
begin
  truncate authz_pin.found;
  execute format(
    'insert into authz_pin.found select y.image, y.number - case when y.number > $1 then 4294967296 else 0 end
     from (
       select authz_pin_row::text as image, $1 - $1 %% 4294967296 + authz_pin_row.xmin::text::bigint as number
       from only %s authz_pin_row
     ) y', relation)
  using now;
  select array_agg(d.image) filter (where d.net > 0), array_agg(d.image) filter (where d.net < 0) into came, gone
  from (
    select i.image, sum(i.sign) as net
    from (
      select f.image, 1 as sign from authz_pin.found f
      union all
      select k.image, -k.sign from authz_pin.kept k where k.relation = relation
    ) i group by i.image having sum(i.sign) <> 0
  ) d cross join generate_series(1, abs(d.net));
  insert into authz_pin.change (xact, run, batch, tbl, relation, op, old_row, new_row, is_adopted)
  select coalesce(f.xact, nextval('authz_pin.deletion'))::text::xid8, which, batch, tbl, relation, x.op, x.old, x.new, is_new
  from authz_pin.pair(relation, came, gone) p
    cross join lateral (
      select 1 as step, 'delete' as op, u.old, null as new from unnest(p.back_only) u (old)
      union all
      select 2, 'update', u.old, u.new from unnest(p.back_updated, p.gone_updated) u (old, new)
      union all
      select 3, 'insert', null, u.new from unnest(p.gone_only) u (new)
    ) x
    left join (select y.image, min(y.xact) as xact from authz_pin.found y group by y.image) f on f.image = x.new
  order by x.step, f.xact;
  -- Of a table that changes all the time the differences would come to be more than the rows.
  if (select count(*) from authz_pin.kept k where k.relation = relation)
    > 1000 + 2 * (select count(*) from authz_pin.found) then
    delete from authz_pin.kept k where k.relation = relation;
    insert into authz_pin.kept select relation, f.image, 1 from authz_pin.found f;
    came := null;
    gone := null;
  end if;
  insert into authz_pin.kept
  select relation, u.image, 1 from unnest(came) u (image) union all select relation, u.image, -1 from unnest(gone) u (image);
  update authz_pin.compared c set digest = y.digest
  from (select concat_ws(' ', count(*), sum(hashtextextended(f.image, 0))) as digest from authz_pin.found f) y
  where c.relation = relation;
end $$;

-- What was undone is as it was.
create or replace function authz_pin.keep_what_is_undone() returns trigger
language plpgsql as $$
begin
  insert into authz_pin.kept select u.relation, u.new_row, -1 from undone u where u.new_row is not null;
  insert into authz_pin.kept select u.relation, u.old_row, 1 from undone u where u.old_row is not null;
  -- The rows can be those of the last look again, and be others: triggers of the service that ran meanwhile.
  update authz_pin.compared c set digest = '' from undone u where u.relation = c.relation;
  return null;
end $$;
create or replace trigger authz_pin_undone after delete on authz_pin.change
  referencing old table as undone for each statement execute function authz_pin.keep_what_is_undone();

-- Whether a session has written a compared table in a transaction that is still open. A role without more rights sees of
-- others' sessions no more than that they are there.
create or replace function authz_pin.is_writing(background text[]) returns boolean
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_locks l join authz_pin.compared c on c.relation = l.relation join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'relation' and l.database = (select oid from pg_database where datname = current_database())
      and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      and a.pid <> pg_backend_pid() and coalesce(a.backend_type, 'client backend') = 'client backend'
      and a.application_name not like 'authz-pin%'
      and l.relation <> all (array(select to_regclass(x)::oid from unnest(background) x where to_regclass(x) is not null))
  )
$$;
