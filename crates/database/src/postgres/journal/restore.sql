-- Rows of one table put back as they were, or taken away again.

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

-- Where rows of a table without a primary key are, of which nothing tells equal ones apart: for each row as many places as it is
-- given times. The table is read once, whatever the number of rows. A row that changes until it is locked is left out.
create or replace function authz_pin.places(relation regclass, rows text[]) returns tid[]
language plpgsql
set enable_nestloop = off
as $$
declare
  places tid[];
begin
  execute format(
    'select array_agg(x.place) from (
       select authz_pin_row.ctid as place, authz_pin_row::text as image,
         row_number() over (partition by authz_pin_row::text order by authz_pin_row.ctid desc) as number
       from only %1$s authz_pin_row
     ) x join (select (x::%1$s)::text as image, count(*) from unnest($1) x group by 1) wanted using (image)
     where x.number <= wanted.count', relation) into places using rows;
  execute format(
    'select array(
       select authz_pin_row.ctid from only %1$s authz_pin_row
       where authz_pin_row.ctid = any ($1) and authz_pin_row::text in (select (x::%1$s)::text from unnest($2) x)
       for update of authz_pin_row)', relation) into places using places, rows;
  return places;
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
  -- A row that is locked is not changed, and not referred to anew, before it is gone.
  if s.key is null then
    places := authz_pin.places(relation, new_rows);
  else
    execute format(
      'select array(
         select authz_pin_row.ctid from only %1$s authz_pin_row, (select x::%1$s as r from unnest($1) x offset 0) image
         where %2$s and authz_pin_row::text = image.r::text limit cardinality($1) for update of authz_pin_row)',
      relation, s.key) into places using new_rows;
  end if;
  obstacle := authz_pin.would_act(which, op, relation, new_rows, old_rows);
  if obstacle is not null then
    raise exception using errcode = 'AP001', message = obstacle;
  end if;
  if op = 'insert' then
    execute format('delete from only %s where ctid = any ($1)', relation) using places;
  elsif s.key is null then
    -- Of rows that are equal now, each gets the values that one of them had.
    execute format(
      'update only %1$s authz_pin_row set (%2$s) = row (%3$s)
       from (
         select now.place, image.r
         from (
           select x.ctid as place, x::text as text, row_number() over (partition by x::text) as number
           from only %1$s x where x.ctid = any ($1)
         ) now join (
           select u.o::%1$s as r, (u.n::%1$s)::text as text, row_number() over (partition by (u.n::%1$s)::text) as number
           from unnest($2, $3) u (o, n)
         ) image using (text, number) offset 0
       ) image
       where authz_pin_row.ctid = image.place', relation, s.updatable, s.updates)
    using places, old_rows, new_rows;
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
