-- The way back: the journal replayed backwards.

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
    when others then
      -- The caller tries again.
      if authz_pin.is_passing(sqlstate, sqlerrm) then
        raise;
      end if;
      why := authz_pin.reason(sqlstate, sqlerrm);
  end;
  begin
    if cardinality(numbers) = 1 and authz_pin.is_undone(numbers[1]) then
      return true;
    end if;
  exception
    when others then
      if authz_pin.is_passing(sqlstate, sqlerrm) then
        raise;
      end if;
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

-- Undoes changes of one table and one operation, of which some cannot be undone, in ever smaller parts, and returns those.
create or replace function authz_pin.undo_parts(numbers bigint[]) returns bigint[]
language plpgsql as $$
declare
  middle constant int := cardinality(numbers) / 2;
begin
  if authz_pin.undo_changes(numbers) then
    return '{}';
  elsif middle = 0 then
    return numbers;
  end if;
  return authz_pin.undo_parts(numbers[:middle]) || authz_pin.undo_parts(numbers[middle + 1:]);
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
          op = 'update' and exists (select from pg_index i where i.indrelid = relation and i.indisprimary) as single
        from authz_pin.change where run = which and batch = coalesce(wanted, batch)
        window w as (order by seq desc)
      ) x
    ) y group by part order by max(seq) desc
  loop
    remaining := authz_pin.undo_rest(remaining || authz_pin.undo_parts(step.numbers));
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

-- Of rows of one table that are to go and rows that are to come back, those with the same primary key: an update each. Without
-- a key no row is known to be another one changed.
create or replace function authz_pin.pair(relation regclass, gone text[], back text[])
returns table (gone_updated text[], back_updated text[], gone_only text[], back_only text[], is_keyless boolean)
language plpgsql as $$
declare
  key text;
begin
  select s.key into strict key from authz_pin.shape(relation) s;
  if gone is null or back is null or key is null then
    return query select null::text[], null::text[], gone, back, key is null;
    return;
  end if;
  return query execute format(
    'with gone as (select image.x as authz_pin_image, (image.r).* from (select x, x::%1$s as r from unnest($1) x offset 0) image),
       back as (select x as i, x::%1$s as r from unnest($2) x offset 0),
       pair as (select authz_pin_row.authz_pin_image as gone, image.i as back from gone authz_pin_row join back image on %2$s)
     select (select array_agg(gone) from pair), (select array_agg(back) from pair),
       (select array_agg(x) from unnest($1) x where not exists (select from pair where pair.gone = x)),
       (select array_agg(x) from unnest($2) x where not exists (select from pair where pair.back = x)),
       false', relation, key)
  using gone, back;
end $$;

-- What is left of a run's changes of one batch, or of all, when what it made and took again is left out: per table the rows that are
-- to be inserted, updated and deleted, in an order that foreign keys allow if they are no circle. Rows without a primary key that
-- were updated go before the old ones come back, which can be equal in what is unique.
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
    from image i
      cross join generate_series(1, case
        when exists (select from pg_index x where x.indrelid = i.relation and x.indisprimary) then 1 else abs(i.net) end)
    group by i.relation
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
      (case when p.is_keyless and p.back_only is not null then 0 else 3 end, -d.level, 'insert', p.gone_only, null)
    ) s (step, place, op, new_rows, old_rows)
  where coalesce(s.new_rows, s.old_rows) is not null
  order by s.step, s.place, r.relation::text;
end $$;

-- Undoes everything with a statement per table and operation. False, and nothing is done, where a row is not as the run
-- left it, or the rows cannot be restored in this order.
create or replace function authz_pin.undo_at_once(which text, wanted bigint) returns boolean
language plpgsql as $$
declare
  part record;
begin
  set constraints all deferred;
  for part in select * from authz_pin.net(which, wanted) loop
    if authz_pin.restore(which, part.op, part.relation, part.new_rows, part.old_rows)
      <> cardinality(coalesce(part.new_rows, part.old_rows))
    then
      raise integrity_constraint_violation;
    end if;
  end loop;
  set constraints all immediate;
  return true;
exception
  when others then
    if authz_pin.is_passing(sqlstate, sqlerrm) then
      raise;
    end if;
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
-- gives out, where they changed, and a publication of rows that nothing identifies. All of it takes the table's owner. In this
-- language the server keeps the plan, which takes longer to make than to execute.
create or replace function authz_pin.obstacles(which text, wanted bigint) returns table (off text, back text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
  with touched as (
    select distinct x.relation from authz_pin.change x join pg_class c on c.oid = x.relation
    where x.run = which and x.batch = coalesce(wanted, x.batch) and pg_has_role(c.relowner, 'usage')
  ), mode (enabled, name) as (
    values ('O', 'enable'), ('A', 'enable always'), ('R', 'enable replica')
  )
  select format('alter table only %s disable trigger %I', g.tgrelid::regclass, g.tgname),
    format('alter table only %s %s trigger %I', g.tgrelid::regclass, m.name, g.tgname)
  from touched t join pg_trigger g on g.tgrelid = t.relation join pg_proc p on p.oid = g.tgfoid
    join mode m on m.enabled = g.tgenabled::text
  where not g.tgisinternal and p.pronamespace is distinct from to_regnamespace('authz_pin')
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
  order by 1;
end $$;

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
  begin
    -- The rows of a table that is gone went with it.
    delete from authz_pin.change x
      where x.run = which and not exists (select from pg_class c where c.oid = x.relation);
    remaining := authz_pin.undo_quietly(which, wanted);
    delete from authz_pin.change x
      where x.run = which and x.batch = coalesce(wanted, x.batch) and x.seq <> all (remaining);
  exception when others then
    if not authz_pin.is_passing(sqlstate, sqlerrm) then
      raise;
    end if;
    perform set_config('authz_pin.undoing', '', true);
    return null;
  end;
  perform set_config('authz_pin.undoing', '', true);
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
