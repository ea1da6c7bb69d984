-- The way back: the journal replayed backwards.

-- What undo needs to address and restore rows of a table: `key` compares the primary key of a row with that of an image
-- (null where there is none), the lists name the columns that can be inserted and updated, bare and of an image. Keys are
-- compared as their index does, by an operator that can be in any schema.
create or replace function authz_pin.shape(relation regclass) returns table (
  key text, columns text, images text, updatable text, updates text
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  return query select
    (select string_agg(format('authz_pin_row.%1$I %2$s (image.r).%1$I', k.attname, authz_pin.operator(o.amopopr)), ' and ')
     from pg_index i cross join unnest(i.indkey::int2[], i.indclass::oid[]) as u (attnum, class)
       join pg_attribute k on k.attrelid = i.indrelid and k.attnum = u.attnum
       join pg_opclass c on c.oid = u.class
       join pg_amop o on o.amopfamily = c.opcfamily and o.amopstrategy = 3 and o.amopmethod = c.opcmethod
         and o.amoplefttype = c.opcintype and o.amoprighttype = c.opcintype
     where i.indrelid = shape.relation and i.indisprimary),
    string_agg(quote_ident(a.attname), ', ' order by a.attnum),
    string_agg(format('(image.r).%I', a.attname), ', ' order by a.attnum),
    string_agg(quote_ident(a.attname), ', ' order by a.attnum) filter (where a.attidentity <> 'a'),
    string_agg(format('(image.r).%I', a.attname), ', ' order by a.attnum) filter (where a.attidentity <> 'a')
  from pg_attribute a
  where a.attrelid = shape.relation and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';
end $$;

-- An operator with its schema.
create or replace function authz_pin.operator(number oid) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('operator(%I.%s)', n.nspname, o.oprname)
  from pg_operator o join pg_namespace n on n.oid = o.oprnamespace where o.oid = number
$$;

-- Why a foreign key's action would take a row along that is not for this undo to touch: a row that refers to one that is
-- about to go, or to a key that is about to change, unless it is as the run left it and will be restored itself. Null where
-- there is no such row.
create or replace function authz_pin.would_act(which text, op text, relation regclass, new_rows text[], old_rows text[])
returns text
language plpgsql as $$
declare
  f record;
  found boolean;
begin
  for f in
    select k.conrelid::regclass as child, min(t.relname::text) as name,
      string_agg(format('(image.r).%I %s authz_pin_child.%I', p.attname, authz_pin.operator(u.same), c.attname), ' and ')
        as refers,
      string_agg(format('(image.r).%1$I::text is distinct from (image.before).%1$I::text', p.attname), ' or ') as moves
    from pg_constraint k
      cross join unnest(k.conkey, k.confkey, k.conpfeqop) as u (child, parent, same)
      join pg_class t on t.oid = k.conrelid
      join pg_attribute c on c.attrelid = k.conrelid and c.attnum = u.child
      join pg_attribute p on p.attrelid = k.confrelid and p.attnum = u.parent
    where k.contype = 'f' and k.confrelid = relation
      and case op when 'insert' then k.confdeltype when 'update' then k.confupdtype end in ('c', 'n', 'd')
    group by k.oid, k.conrelid
  loop
    if op = 'insert' then
      execute format(
        'select exists (select from %2$s authz_pin_child, (select x::%1$s as r from unnest($1) x offset 0) image
         where %3$s and not (authz_pin_child.tableoid = $2 and authz_pin_child::text = any ($1)))', relation, f.child, f.refers)
      into found using new_rows, relation;
    else
      execute format(
        'select exists (select from %2$s authz_pin_child,
           (select n::%1$s as r, o::%1$s as before from unnest($1, $2) u (n, o) offset 0) image
         where %3$s and (%4$s) and not exists (select from authz_pin.change c
           where c.run = $3 and c.relation = authz_pin_child.tableoid and c.new_row = authz_pin_child::text))',
        relation, f.child, f.refers, f.moves)
      into found using new_rows, old_rows, which;
    end if;
    if found then
      return format('a row of `%s` refers to it, and is not as the run left it', f.name);
    end if;
  end loop;
  return null;
end $$;

-- Undoes one operation on rows of one table with one statement: takes away what was inserted, puts back what was deleted,
-- gives what was updated its old values, and says how many rows that were. Only rows that are as the run left them are
-- touched, compared with all their columns, written in this session's settings, so nothing is overwritten by guess.
-- They are looked for by their key: a table that a sweep has filled and emptied many times is slow to read from end to end.
create or replace function authz_pin.restore(which text, op text, relation regclass, new_rows text[], old_rows text[])
returns bigint
language plpgsql
set enable_seqscan = off
as $$
declare
  s record;
  places tid[];
  done bigint;
  obstacle text;
begin
  select * into strict s from authz_pin.shape(relation);
  if op = 'delete' then
    execute format(
      'insert into %1$s (%2$s) overriding system value
       select %3$s from (select x::%1$s as r from unnest($1) x offset 0) image', relation, s.columns, s.images) using old_rows;
    get diagnostics done = row_count;
    return done;
  end if;
  -- A row that is locked is not changed, and not referred to anew, before it is gone. Where rows are alike, as they can be
  -- without a key, one row per change is enough.
  execute format(
    'select array(
       select authz_pin_row.ctid from only %1$s authz_pin_row, (select x::%1$s as r from unnest($1) x offset 0) image
       where %2$s and authz_pin_row::text = image.r::text limit cardinality($1) for update of authz_pin_row)',
    relation, coalesce(s.key, 'true')) into places using new_rows;
  obstacle := authz_pin.would_act(which, op, relation, new_rows, old_rows);
  if obstacle is not null then
    raise exception using errcode = 'AP001', message = obstacle;
  end if;
  if op = 'insert' then
    execute format('delete from only %s where ctid = any ($1)', relation) using places;
  else
    execute format(
      'update only %1$s authz_pin_row set (%2$s) = row (%3$s)
       from (select o::%1$s as r, n::%1$s as after from unnest($2, $3) u (n, o) offset 0) image
       where ctid = any ($1) and authz_pin_row::text = image.after::text', relation, s.updatable, s.updates)
    using places, new_rows, old_rows;
  end if;
  get diagnostics done = row_count;
  return done;
end $$;

-- Why something could not be undone. A row whose text is none of its table any more stands whole in the message, and so its
-- secrets would.
create or replace function authz_pin.reason(state text, message text) returns text
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select case state
    when 'AP001' then message
    when '22P02' then '22P02: the columns of the table are not those that the row had'
    else format('%s: %s', state, message)
  end
$$;

-- Undoes changes of one table and one operation. False, and nothing is done but noting why, where a row is not as the run
-- left it or cannot be restored. A row that already is as it was (a foreign key's action restored it) counts as undone.
-- AP001 is the tool's own error code: its message is the reason.
create or replace function authz_pin.undo_changes(numbers bigint[]) returns boolean
language plpgsql as $$
declare
  c record;
  done bigint;
  why text;
begin
  begin
    select x.run, x.relation, x.op, count(*), array_agg(x.old_row) as old, array_agg(x.new_row) as new
      into strict c from authz_pin.change x where x.seq = any (numbers) group by x.run, x.relation, x.op;
    done := authz_pin.restore(c.run, c.op, c.relation, c.new, c.old);
    if done <> c.count then
      raise exception using errcode = 'AP001', message = 'the row is not as the run left it';
    end if;
    return true;
  exception
    -- Whoever is in the way ends or lets go: the caller tries again.
    when deadlock_detected or serialization_failure or lock_not_available then
      raise;
    when others then
      why := authz_pin.reason(sqlstate, sqlerrm);
  end;
  begin
    if cardinality(numbers) = 1 and authz_pin.is_undone(numbers[1]) then
      return true;
    end if;
  exception
    when deadlock_detected or serialization_failure or lock_not_available then
      raise;
    when others then
      why := authz_pin.reason(sqlstate, sqlerrm);
  end;
  update authz_pin.change x set reason = why where x.seq = any (numbers) and x.reason is distinct from why;
  return false;
end $$;

-- Claims, for the batch of a change, what was done to its row afterwards and nobody has explained yet: a service that is still
-- at work can be quicker than undo, and what it deleted must not come back. True where the row was deleted in the end, false
-- where it was only changed, so that this has to be undone first, and null where nothing was done.
create or replace function authz_pin.absorb(number bigint) returns boolean
language plpgsql as $$
declare
  c authz_pin.change;
  x authz_pin.change;
  image text;
  deleted boolean;
begin
  select * into strict c from authz_pin.change where seq = number;
  image := c.new_row;
  while image is not null loop
    select * into x from authz_pin.change
      where run is null and relation = c.relation and seq > number and old_row = image order by seq limit 1 for update;
    exit when not found;
    update authz_pin.change set run = c.run, batch = c.batch where seq = x.seq;
    image := x.new_row;
    deleted := image is null;
  end loop;
  return deleted;
end $$;

-- Whether there is nothing left to undo of a change: the row is gone again, or there as it was before, or as it was
-- before an earlier change of the run (the actions of two foreign keys are two changes, which one undo restores).
create or replace function authz_pin.is_undone(number bigint) returns boolean
language plpgsql as $$
declare
  c authz_pin.change;
  key text;
  earlier text[];
  undone boolean;
begin
  select * into strict c from authz_pin.change where seq = number;
  select s.key into strict key from authz_pin.shape(c.relation) s;
  if c.op = 'insert' then
    if key is null then
      return coalesce(authz_pin.absorb(number), false);
    end if;
    execute format(
      'select not exists (select from only %1$s authz_pin_row, (select $1::%1$s as r) image where %2$s)',
      c.relation, key) into undone using c.new_row;
    return undone and coalesce(authz_pin.absorb(number), true);
  end if;
  execute format(
    'select $1 || array(
       select x.old_row from authz_pin.change x cross join lateral (select (x.old_row::%1$s).*) authz_pin_row,
         (select $1::%1$s as r) image
       where x.run = $2 and x.relation = $3 and x.seq < $4 and x.old_row is not null and %2$s)',
    c.relation, coalesce(key, 'false')) into earlier using c.old_row, c.run, c.relation, number;
  execute format(
    'select exists (select from only %1$s authz_pin_row, (select x::%1$s as r from unnest($1) x offset 0) image
     where %2$s and authz_pin_row::text = image.r::text)', c.relation, coalesce(key, 'true')) into undone using earlier;
  return undone;
end $$;

-- Undoes a run's changes of one batch, or of all, the last first, and returns those that could not be undone. Changes next to each
-- other that insert into or delete from one table are undone at once, which rows that refer to each other need.
create or replace function authz_pin.undo_steps(which text, wanted bigint) returns bigint[]
language plpgsql as $$
declare
  step record;
  remaining bigint[] := '{}';
begin
  for step in
    select array_agg(seq order by seq desc) as numbers from (
      select seq, count(*) filter (where single or relation is distinct from earlier_relation or op <> earlier_op)
        over (order by seq desc) as part
      from (
        select seq, relation, op, lag(relation) over w as earlier_relation, lag(op) over w as earlier_op,
          op = 'update' or not exists (select from pg_index i where i.indrelid = relation and i.indisprimary) as single
        from authz_pin.change where run = which and batch = coalesce(wanted, batch)
        window w as (order by seq desc)
      ) x
    ) y group by part order by max(seq) desc
  loop
    if authz_pin.undo_changes(step.numbers) then
      remaining := authz_pin.undo_rest(remaining);
    else
      remaining := authz_pin.undo_rest(remaining || step.numbers);
    end if;
  end loop;
  return remaining;
end $$;

-- Undoes one by one what did not work before, as long as any of it works now. A foreign key's actions are logged after
-- what caused them, so they fail until that is undone, and have to be undone before anything older is.
create or replace function authz_pin.undo_rest(numbers bigint[]) returns bigint[]
language plpgsql as $$
declare
  number bigint;
  again bigint[];
begin
  while numbers <> '{}' and numbers is distinct from again loop
    again := numbers;
    foreach number in array again loop
      if authz_pin.undo_changes(array[number]) then
        numbers := array_remove(numbers, number);
      end if;
    end loop;
  end loop;
  return numbers;
end $$;

-- Of rows of one table that are to go and rows that are to come back, those with the same primary key: an update each.
create or replace function authz_pin.pair(relation regclass, gone text[], back text[])
returns table (gone_updated text[], back_updated text[], gone_only text[], back_only text[])
language plpgsql as $$
declare
  key text;
begin
  if gone is null or back is null then
    return query select null::text[], null::text[], gone, back;
    return;
  end if;
  select s.key into strict key from authz_pin.shape(relation) s;
  return query execute format(
    'with gone as (select image.x as authz_pin_image, (image.r).* from (select x, x::%1$s as r from unnest($1) x offset 0) image),
       back as (select x as i, x::%1$s as r from unnest($2) x offset 0),
       pair as (select authz_pin_row.authz_pin_image as gone, image.i as back from gone authz_pin_row join back image on %2$s)
     select (select array_agg(gone) from pair), (select array_agg(back) from pair),
       (select array_agg(x) from unnest($1) x where not exists (select from pair where pair.gone = x)),
       (select array_agg(x) from unnest($2) x where not exists (select from pair where pair.back = x))', relation, key)
  using gone, back;
end $$;

-- What is left of a run's changes of one batch, or of all, when what it made and took again is left out: per table the rows that are
-- to be inserted, updated and deleted, in an order that foreign keys allow if they are no circle.
create or replace function authz_pin.net(which text, wanted bigint)
returns table (op text, relation regclass, new_rows text[], old_rows text[])
language plpgsql stable as $$
#variable_conflict use_column
begin
  return query
  with recursive image as (
    select x.relation, i.text, sum(i.sign) as net
    from authz_pin.change x cross join lateral (values (x.new_row, 1), (x.old_row, -1)) i (text, sign)
    where x.run = which and x.batch = coalesce(wanted, x.batch) and i.text is not null
    group by x.relation, i.text having sum(i.sign) <> 0
  ), rows as (
    select i.relation, array_agg(text) filter (where net > 0) as gone, array_agg(text) filter (where net < 0) as back
    from image i group by i.relation
  ), above (relation, parent, level) as (
    select r.relation, r.relation::oid, 0 from rows r
    union
    select a.relation, k.confrelid, a.level + 1 from above a join pg_constraint k on k.conrelid = a.parent
    where k.contype = 'f' and k.confrelid <> k.conrelid and a.level < 16
  ), depth as (
    select a.relation, max(level) as level from above a group by a.relation
  )
  select s.op, r.relation, s.new_rows, s.old_rows
  from rows r join depth d using (relation)
    cross join lateral authz_pin.pair(r.relation, r.gone, r.back) p
    cross join lateral (values
      (1, d.level, 'delete', null, p.back_only),
      (2, d.level, 'update', p.gone_updated, p.back_updated),
      (3, -d.level, 'insert', p.gone_only, null)
    ) s (step, place, op, new_rows, old_rows)
  where coalesce(s.new_rows, s.old_rows) is not null
  order by s.step, s.place, r.relation::text;
end $$;

-- Undoes everything with a statement per table and operation. False, and nothing is done, where a row is not as the run
-- left it, a table has no key, or the rows cannot be restored in this order.
create or replace function authz_pin.undo_at_once(which text, wanted bigint) returns boolean
language plpgsql as $$
declare
  part record;
begin
  set constraints all deferred;
  for part in select * from authz_pin.net(which, wanted) loop
    if (select s.key from authz_pin.shape(part.relation) s) is null
      or authz_pin.restore(which, part.op, part.relation, part.new_rows, part.old_rows)
        <> cardinality(coalesce(part.new_rows, part.old_rows))
    then
      raise integrity_constraint_violation;
    end if;
  end loop;
  set constraints all immediate;
  return true;
exception
  when deadlock_detected or serialization_failure or lock_not_available then
    raise;
  when others then
    return false;
end $$;

-- Undoes change by change, with constraints checked at the end where they can be. What only fails at the end is done again
-- with each change checked at once, to know which it is.
create or replace function authz_pin.undo_one_by_one(which text, wanted bigint) returns bigint[]
language plpgsql as $$
declare
  remaining bigint[];
begin
  set constraints all deferred;
  remaining := authz_pin.undo_steps(which, wanted);
  set constraints all immediate;
  return remaining;
exception when integrity_constraint_violation then
  set constraints all immediate;
  return authz_pin.undo_steps(which, wanted);
end $$;

-- Whether an update changed this column.
create or replace function authz_pin.has_changed(which text, wanted bigint, relation regclass, attname name) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  changed boolean;
begin
  execute format(
    'select exists (select from authz_pin.change x
     where x.run = $1 and x.batch = coalesce($2, x.batch) and x.relation = $3 and x.op = ''update''
       and (x.old_row::%1$s).%2$I::text is distinct from (x.new_row::%1$s).%2$I::text)', relation, attname)
  into changed using which, wanted, relation;
  return changed;
exception when others then
  return false;
end $$;

-- What is in the way of restoring rows exactly, and how it is put out of the way and back: the service's own triggers and
-- rules, which would change what is restored, row security that hides rows from their owner, numbers that only the database
-- gives out, where they changed, and a publication of rows that nothing identifies.
create or replace function authz_pin.obstacles(which text, wanted bigint) returns table (off text, back text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with touched as (
    select distinct x.relation from authz_pin.change x where x.run = which and x.batch = coalesce(wanted, x.batch)
  ), mode (enabled, name) as (
    values ('O', 'enable'), ('A', 'enable always'), ('R', 'enable replica')
  )
  select format('alter table only %s disable trigger %I', g.tgrelid::regclass, g.tgname),
    format('alter table only %s %s trigger %I', g.tgrelid::regclass, m.name, g.tgname)
  from touched t join pg_trigger g on g.tgrelid = t.relation join pg_proc p on p.oid = g.tgfoid
    join mode m on m.enabled = g.tgenabled::text
  where not g.tgisinternal and p.pronamespace <> 'authz_pin'::regnamespace
  union all
  select format('alter table only %s disable rule %I', r.ev_class::regclass, r.rulename),
    format('alter table only %s %s rule %I', r.ev_class::regclass, m.name, r.rulename)
  from touched t join pg_rewrite r on r.ev_class = t.relation join mode m on m.enabled = r.ev_enabled::text
  where r.ev_type <> '1'
  union all
  select format('alter table only %s no force row level security', c.oid::regclass),
    format('alter table only %s force row level security', c.oid::regclass)
  from touched t join pg_class c on c.oid = t.relation
  where c.relrowsecurity and c.relforcerowsecurity
  union all
  select format('alter table only %s alter column %I set generated by default', t.relation, a.attname),
    format('alter table only %s alter column %I set generated always', t.relation, a.attname)
  from touched t join pg_attribute a on a.attrelid = t.relation
  where a.attidentity = 'a' and authz_pin.has_changed(which, wanted, t.relation, a.attname)
  union all
  select format('alter table only %s replica identity full', c.oid::regclass),
    format('alter table only %s replica identity %s', c.oid::regclass, case c.relreplident when 'n' then 'nothing' else 'default' end)
  from touched t join pg_class c on c.oid = t.relation
    join pg_namespace n on n.oid = c.relnamespace
    join pg_publication_tables p on p.schemaname = n.nspname and p.tablename = c.relname
  where c.relreplident = 'n'
    or c.relreplident = 'd' and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)
  order by 1
$$;

-- Undoes with these out of the way.
create or replace function authz_pin.undo_quietly(which text, wanted bigint) returns bigint[]
language plpgsql as $$
declare
  o record;
  back text[] := '{}';
  remaining bigint[];
begin
  for o in select distinct x.off, x.back from authz_pin.obstacles(which, wanted) x order by x.off loop
    execute o.off;
    back := back || o.back;
  end loop;
  if authz_pin.undo_at_once(which, wanted) then
    remaining := '{}';
  else
    remaining := authz_pin.undo_one_by_one(which, wanted);
  end if;
  for i in 1..cardinality(back) loop
    execute back[i];
  end loop;
  return remaining;
end $$;

-- Undoes the changes of one batch of a run, or of all its batches, and forgets them. Gives the number of those that could not be
-- undone; null, and nothing is done, where somebody keeps a row or a table locked. A row that somebody else changed since is
-- left alone; its change stays, since what came between can turn out to be the run's. Names inside the service's own functions
-- are looked up in its schema.
create or replace function authz_pin.undo(which text, wanted bigint) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
set bytea_output = 'hex' set extra_float_digits = 1 set lc_monetary = 'C'
as $$
declare
  remaining bigint[];
begin
  perform set_config('search_path', format('pg_catalog, %I, %s, public, pg_temp', r.service_schema,
      coalesce(nullif(r.search_path, ''), 'public')), true)
    from authz_pin.run r where r.token = which;
  perform set_config('lock_timeout', authz_pin.patience(), true);
  perform set_config('authz_pin.undoing', 'on', true);
  -- The rows of a table that is gone went with it.
  delete from authz_pin.change x
    where x.run = which and not exists (select from pg_class c where c.oid = x.relation);
  begin
    remaining := authz_pin.undo_quietly(which, wanted);
  exception when deadlock_detected or serialization_failure or lock_not_available then
    perform set_config('authz_pin.undoing', '', true);
    return null;
  end;
  perform set_config('authz_pin.undoing', '', true);
  delete from authz_pin.change x where x.run = which and x.batch = coalesce(wanted, x.batch) and x.seq <> all (remaining);
  return cardinality(remaining);
end $$;

-- What could not be undone, and why.
create or replace function authz_pin.leftovers(which text, wanted bigint)
returns table (tbl text, op text, key jsonb, reason text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select x.tbl, x.op, authz_pin.row_key(x.relation, coalesce(x.new_row, x.old_row)), x.reason
  from authz_pin.change x where x.run = which and x.batch = coalesce(wanted, x.batch) order by x.seq
$$;

-- Claims for a dead run what it caused: changes that hold its token or an identifier that it made, changes of the same
-- transaction, and what changed while it was alone on the database. What another run explains is never claimed.
-- A run that shared the database, with nobody else there, has what changed then only if no run but `own` has begun since.
create or replace function authz_pin.claim_dead(which text, own text) returns void
language sql as $$
  with value as (
    select token as run, token as value from authz_pin.run union all select run, unnest(batch) from authz_pin.identifier
  ), known as (
    select c.seq, c.xact, bool_or(v.run = which) as own, bool_or(v.run <> which) as foreign_
    from authz_pin.change c left join value v on strpos(concat(c.old_row, c.new_row), v.value) > 0
    where c.run is null group by c.seq
  ), mine as (
    select xact from known where own union select xact from authz_pin.change where run = which
  )
  update authz_pin.change c set run = which, batch = 0
  from known k, authz_pin.run r
  where k.seq = c.seq and r.token = which and (
    k.own or k.foreign_ is not true and (
      c.xact in (select xact from mine)
      or c.seq > r.alone_from and c.at <= r.alone_until and (r.is_alone or not exists (
        select from authz_pin.run other where other.number > r.number and other.token <> claim_dead.own))
    )
  )
$$;
