-- How tables are watched: a trigger that logs, put on and taken off table by table.

-- TRUNCATE fires no row triggers: its rows are logged as deleted before they are. All the rows that a statement inserted are
-- logged at once where the trigger is the statement's, which takes less for each of them. The settings make one row image
-- the same text whatever the session's own settings are. Nothing but the row's text is made here: whatever can fail, such as
-- JSON of values that JSON cannot hold, would fail a statement of the service.
--
-- A row of a partition can fire several triggers: the partition's own, and one for each table above it. They fire one right
-- after the other in the order of their names. The first one logs the row and leaves a note for those after it, which log
-- nothing. The catalog could not tell them: a transaction that began earlier sees it as it was then.
create or replace function authz_pin.log_change() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
set bytea_output = 'hex' set extra_float_digits = 1 set lc_monetary = 'C'
as $$
#variable_conflict use_variable
declare
  run constant text := nullif(current_setting('authz_pin.run', true), '');
  batch constant bigint := coalesce(nullif(current_setting('authz_pin.batch', true), ''), '0');
  note text[];
begin
  if tg_op = 'TRUNCATE' then
    execute format(
      'insert into authz_pin.change (run, batch, tbl, relation, op, old_row)
       select $1, $2, $3, $4, ''delete'', authz_pin_row::text from only %s authz_pin_row', tg_relid::regclass)
    using run, batch, tg_argv[0], tg_relid::regclass;
    return null;
  end if;
  if tg_level = 'STATEMENT' then
    -- What a run inserts into a partition is logged by the trigger of the table above it.
    if not exists (select from pg_trigger g where g.tgrelid = tg_relid and g.tgname ^@ 'authz_pin_partition') then
      insert into authz_pin.change (run, batch, tbl, relation, op, new_row)
      select run, batch, tg_argv[0], tg_relid, 'insert', authz_pin_row::text from authz_pin_inserted authz_pin_row;
    end if;
    return null;
  end if;
  if tg_name ^@ 'authz_pin_partition' then
    note := string_to_array(current_setting('authz_pin.logged', true), ' ');
    if note[1] = tg_relid::text and note[2] = tg_op and note[3]::name < tg_name then
      -- A table that was attached goes by the name of the table at the top from then on.
      if tg_name = 'authz_pin_partition_' || pg_partition_root(tg_relid)::oid then
        update authz_pin.change c set tbl = tg_argv[0] where c.seq = note[4]::bigint and c.tbl <> tg_argv[0];
      end if;
      return null;
    end if;
  end if;
  insert into authz_pin.change (run, batch, tbl, relation, op, old_row, new_row)
  values (
    run, batch, tg_argv[0], tg_relid, lower(tg_op),
    case when tg_op <> 'INSERT' then old::text end, case when tg_op <> 'DELETE' then new::text end
  );
  if pg_partition_root(tg_relid) is not null then
    perform set_config('authz_pin.logged',
      concat_ws(' ', tg_relid, tg_op, tg_name, currval('authz_pin.change_seq_seq')), true);
  end if;
  return null;
end $$;

-- The triggers that tables of the named schemas, or of all of them, should have. What a run inserts itself is logged a
-- statement at a time; what the service inserts, a row at a time, since what its own triggers make of a row has to come after
-- the row. A partition has the triggers of any other table, since it can be detached. Partitions that are made or attached
-- later get the trigger of the table above them from the server at once; its name has that table's number, since the
-- server would refuse to attach a table that has a trigger of the same name. What undo does is not logged. Tables outside the
-- service's own schema are known by both names. A member of an extension belongs to the extension.
create or replace function authz_pin.wanted(service_schema text, schemas text[])
returns table (relation regclass, name text, trigger text, definition text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select t.relation, t.name, x.trigger || t.suffix, format(
    'create or replace trigger %s %s on %s %s when (current_setting(''authz_pin.undoing'', true) = ''on'' is not true and %s)
     execute function authz_pin.log_change(%L)', x.trigger || t.suffix, x.event, t.relation, x.level, x.condition, t.name)
  from (
      select c.oid::regclass as relation, c.relkind, c.relispartition,
        case when c.relkind = 'p' then '_' || c.oid else '' end as suffix,
        case when s.nspname = service_schema then r.relname else s.nspname || '.' || r.relname end as name
      from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_class r on r.oid = coalesce(pg_partition_root(c.oid), c.oid)
        join pg_namespace s on s.oid = r.relnamespace
      where (n.nspname = any (schemas) or schemas is null) and n.nspname !~ '^pg_'
        and n.nspname not in ('information_schema', 'authz_pin') and pg_has_role(c.relowner, 'usage')
        and not exists (
          select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    ) t
    join (values
      ('p', 'authz_pin_partition', 'after insert or update or delete', 'for each row', 'true'),
      ('r', 'authz_pin_journal', 'after update or delete', 'for each row', 'true'),
      ('r', 'authz_pin_insert', 'after insert', 'for each row',
        'current_setting(''authz_pin.run'', true) <> '''' is not true'),
      ('r', 'authz_pin_seed', 'after insert', 'referencing new table as authz_pin_inserted for each statement',
        'current_setting(''authz_pin.run'', true) <> '''''),
      ('r', 'authz_pin_truncate', 'before truncate', 'for each statement', 'true')
    ) as x (kind, trigger, event, level, condition) on x.kind = t.relkind::text
  where t.relkind = 'r' or not t.relispartition
$$;

-- Those that are missing, that do not fire always (in a session that acts as a replica no others fire), or that know their
-- table by a name that it has no more, as one that was attached, detached or renamed. `is_new` is true of a table of which
-- nothing was logged until now, which is not so for a partition that has the trigger of the table above it.
create or replace function authz_pin.missing(service_schema text, schemas text[])
returns table (relation regclass, name text, trigger text, definition text, is_whole boolean, is_new boolean)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select x.relation, x.name, x.trigger, x.definition, x.is_whole, x.is_whole and not exists (
    select from pg_trigger p
    where p.tgrelid = x.relation and p.tgname ^@ 'authz_pin_partition' and p.tgparentid <> 0 and p.tgenabled = 'A')
  from (
    select w.*, w.trigger = 'authz_pin_journal' and g.tgenabled is distinct from 'A' as is_whole
    from authz_pin.wanted(service_schema, schemas) w
      left join pg_trigger g on g.tgrelid = w.relation and g.tgname = w.trigger
    where g.tgenabled is distinct from 'A'
      or not w.trigger ^@ 'authz_pin_partition'
        and g.tgargs <> convert_to(w.name, getdatabaseencoding()) || '\x00'::bytea
  ) x
$$;

-- Logs rows as inserted that a table holds and the log does not, and that came since the first run that is there began, by the
-- transactions that inserted them: for a table that was not watched for a while. Of equal rows that is as many as the
-- log lacks. `xmin` has the lower half of a transaction's number. They are marked, since they can be copies of rows that were
-- there before.
create or replace procedure authz_pin.adopt(relation regclass, name text)
language plpgsql as $$
declare
  now constant bigint := pg_current_xact_id()::text::bigint;
begin
  execute format(
    'insert into authz_pin.change (xact, tbl, relation, op, new_row, is_adopted)
     select x.xact::text::xid8, $1, $3, ''insert'', x.image, true
     from (
       select y.image, y.number - case when y.number > $2 then 4294967296 else 0 end as xact,
         row_number() over (partition by y.image order by y.number) as place
       from (
         select authz_pin_row::text as image, $2 - $2 %% 4294967296 + authz_pin_row.xmin::text::bigint as number
         from only %s authz_pin_row
       ) y
     ) x left join (
       select i.image, sum(i.sign) as count
       from authz_pin.change c cross join lateral (values (c.new_row, 1), (c.old_row, -1)) i (image, sign)
       where c.relation = $3 and i.image is not null group by i.image
     ) logged on logged.image = x.image
     where x.xact >= (select min(began::text::bigint) from authz_pin.run) and x.place > coalesce(logged.count, 0)', relation)
  using name, now, relation;
end $$;

-- Puts the missing triggers on, each table in a transaction of its own. Tables that somebody keeps locked are passed over, and
-- their triggers are still missing afterwards. Of tables that are `new`, the rows that the log lacks are logged as well.
create or replace procedure authz_pin.watch(service_schema text, schemas text[], new boolean)
language plpgsql as $$
declare
  t record;
begin
  for t in
    select m.relation, m.name, bool_or(m.is_whole) as is_whole,
      array_agg(m.trigger order by m.trigger) as triggers, array_agg(m.definition order by m.trigger) as definitions
    from authz_pin.missing(service_schema, schemas) m group by m.relation, m.name order by m.relation::text
  loop
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    perform set_config('lock_timeout', authz_pin.patience(), true);
    perform set_config('synchronous_commit', 'off', true);
    begin
      if pg_try_advisory_xact_lock(hashtextextended('authz_pin installation', 0)) then
        for i in 1..cardinality(t.triggers) loop
          if not t.triggers[i] ^@ 'authz_pin_partition'
            or not exists (select from pg_trigger g where g.tgrelid = t.relation and g.tgname = t.triggers[i])
          then
            execute t.definitions[i];
          end if;
          execute format('alter table %s enable always trigger %I', t.relation, t.triggers[i]);
        end loop;
        if new and t.is_whole then
          call authz_pin.adopt(t.relation, t.name);
        end if;
      end if;
    exception
      when undefined_table then
        null;
      when others then
        if not authz_pin.is_passing(sqlstate, sqlerrm) then
          raise;
        end if;
    end;
    commit;
  end loop;
end $$;

-- Takes every trigger off again, each table in a transaction of its own, unless a run has come. Where somebody keeps the table
-- locked, its triggers are switched off, which a session that only read the table does not stop. The trigger function does
-- nothing any more by then, so that what stays is without effect.
create or replace procedure authz_pin.unwatch()
language plpgsql as $$
declare
  t record;
  action text;
  actions constant text[] := array['drop trigger %1$I on %2$s', 'alter table only %2$s disable trigger %1$I'];
begin
  for t in
    select g.tgrelid::regclass as relation, array_agg(g.tgname order by g.tgname) as triggers,
      bool_and(g.tgenabled = 'D') as are_off
    from pg_trigger g join pg_proc p on p.oid = g.tgfoid
    where p.pronamespace = 'authz_pin'::regnamespace and g.tgparentid = 0
    group by g.tgrelid order by g.tgrelid::regclass::text
  loop
    perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    perform set_config('lock_timeout', authz_pin.patience(), true);
    perform set_config('synchronous_commit', 'off', true);
    if pg_try_advisory_xact_lock(hashtextextended('authz_pin installation', 0))
      and not exists (select from authz_pin.run)
    then
      foreach action in array actions loop
        continue when t.are_off and action = actions[2];
        begin
          for i in 1..cardinality(t.triggers) loop
            execute format(action, t.triggers[i], t.relation);
          end loop;
          exit;
        exception
          when undefined_table or undefined_object then
            exit;
          when others then
            if not authz_pin.is_passing(sqlstate, sqlerrm) then
              raise;
            end if;
        end;
      end loop;
    end if;
    commit;
  end loop;
end $$;
