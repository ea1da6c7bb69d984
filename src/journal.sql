-- The journal: a schema of its own beside the service's tables, removed when the last run ends.
-- Every statement can run again: runs that start at the same moment take turns under an advisory lock.

create schema if not exists authz_pin;

-- The runs that are alive, or died without undoing what they did. A run that is alive holds an advisory lock.
create table if not exists authz_pin.run (
  token text primary key,
  started timestamptz not null default clock_timestamp()
);

-- Identifiers that a run made and that need not contain its token (hashes), so that a dead run can be undone too.
create table if not exists authz_pin.identifier (
  run text not null,
  value text not null
);

-- The tables that are watched, with what undo needs to address one row of each.
create table if not exists authz_pin.watched (
  tbl text primary key,
  relation text not null,
  key text not null,
  insertable text not null,
  updatable text not null
);

-- Every row change, in order. `run` is null until a run has explained the change as its own.
create table if not exists authz_pin.change (
  seq bigint generated always as identity primary key,
  run text,
  tbl text not null,
  op text not null,
  old jsonb,
  new jsonb
);
create index if not exists change_run on authz_pin.change (run, seq);

-- The settings make one row image the same text whatever the session's own settings are.
create or replace function authz_pin.log_change() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
set bytea_output = 'hex' set extra_float_digits = 1
as $$
begin
  if current_setting('authz_pin.undoing', true) = 'on' then
    return null;
  end if;
  insert into authz_pin.change (run, tbl, op, old, new)
  values (
    nullif(current_setting('authz_pin.run', true), ''), tg_table_name, lower(tg_op),
    case when tg_op <> 'INSERT' then to_jsonb(old) end,
    case when tg_op <> 'DELETE' then to_jsonb(new) end
  );
  return null;
end $$;

-- Puts the trigger on every table of the service's schema that has none yet.
create or replace function authz_pin.watch(service_schema text) returns void
language plpgsql as $$
declare
  t record;
begin
  for t in
    select c.oid, c.relname, format('%I.%I', n.nspname, c.relname) as relation
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = service_schema and c.relkind in ('r', 'p') and not c.relispartition
      and not exists (select from pg_trigger g where g.tgrelid = c.oid and g.tgname = 'authz_pin_journal')
    order by c.relname
  loop
    execute format(
      'create trigger authz_pin_journal after insert or update or delete on %s
       for each row execute function authz_pin.log_change()', t.relation);
    insert into authz_pin.watched
    select t.relname, t.relation,
      coalesce(string_agg(format('t.%1$I = ($1->>%1$L)::%2$s and ', a.attname, format_type(a.atttypid, a.atttypmod)), '')
        filter (where a.attnum = any (i.indkey)), ''),
      string_agg(quote_ident(a.attname), ', ' order by a.attnum),
      string_agg(quote_ident(a.attname), ', ' order by a.attnum) filter (where a.attidentity <> 'a')
    from pg_attribute a left join pg_index i on i.indrelid = t.oid and i.indisprimary
    where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    on conflict (tbl) do nothing;
  end loop;
end $$;

-- Undoes a run's changes after `since`, the last first, and forgets them. A row that somebody else changed since is left alone
-- and returned. A row is compared with all its columns, so nothing is overwritten by guess.
create or replace function authz_pin.undo(which text, since bigint) returns table (tbl text, op text)
language plpgsql
set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
set bytea_output = 'hex' set extra_float_digits = 1
as $$
#variable_conflict use_column
declare
  c record;
  done integer;
begin
  perform set_config('authz_pin.undoing', 'on', true);
  for c in
    select x.seq, x.tbl, x.op, x.old, x.new, w.relation, w.key, w.insertable, w.updatable
    from authz_pin.change x join authz_pin.watched w on w.tbl = x.tbl
    where x.run = which and x.seq > since order by x.seq desc
  loop
    begin
      case c.op
      when 'insert' then
        execute format('delete from %s t where %s to_jsonb(t) = $1', c.relation, c.key) using c.new;
      when 'update' then
        execute format('update %1$s t set (%2$s) = (select %2$s from jsonb_populate_record(null::%1$s, $2))
                        where %3$s to_jsonb(t) = $1', c.relation, c.updatable, c.key) using c.new, c.old;
      else
        execute format('insert into %1$s (%2$s) overriding system value
                        select %2$s from jsonb_populate_record(null::%1$s, $1)', c.relation, c.insertable) using c.old;
      end case;
      get diagnostics done = row_count;
    exception when integrity_constraint_violation then
      done := 0;
    end;
    if done = 0 then
      tbl := c.tbl;
      op := c.op;
      return next;
    end if;
  end loop;
  delete from authz_pin.change x where x.run = which and x.seq > since;
  perform set_config('authz_pin.undoing', '', true);
end $$;

-- Claims for a dead run what it caused: changes that hold its token or an identifier that it made.
create or replace function authz_pin.claim_dead(which text) returns void
language sql as $$
  update authz_pin.change c set run = which
  where c.run is null and exists (
    select from (select which as value union all select i.value from authz_pin.identifier i where i.run = which) v
    where strpos(coalesce(c.old::text, '') || coalesce(c.new::text, ''), v.value) > 0
  )
$$;

-- Takes every trigger off again.
create or replace function authz_pin.unwatch() returns void
language plpgsql as $$
declare
  t record;
begin
  for t in
    select format('%I.%I', n.nspname, c.relname) as relation
    from pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where g.tgname = 'authz_pin_journal' and g.tgparentid = 0
    order by 1
  loop
    execute format('drop trigger authz_pin_journal on %s', t.relation);
  end loop;
end $$;
