-- The log as a program reads it: rows as JSON.

-- A value as JSON that can be compared; what JSON cannot hold is its own text.
create or replace function authz_pin.value(value json) returns jsonb
language plpgsql immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  return value::jsonb;
exception when others then
  return to_jsonb(value::text);
end $$;

-- One row as JSON, also where some of its values cannot be JSON, or where its text is no row of the table any more.
create or replace function authz_pin.image(relation regclass, row_text text) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  image jsonb := '{}';
  name text;
  value jsonb;
begin
  if row_text is null then
    return null;
  end if;
  -- Column by column: what takes a whole row apart fails on an escaped null character in any of its values.
  for name in
    select a.attname from pg_attribute a
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped order by a.attnum
  loop
    execute format('select authz_pin.value(to_json(($1::%s).%I))', relation, name) into value using row_text;
    image := image || jsonb_build_object(name, value);
  end loop;
  return image;
exception when others then
  return jsonb_build_object('row', row_text);
end $$;

-- Rows of one table as JSON, all at once where that works.
create or replace function authz_pin.images(relation regclass, texts text[]) returns jsonb[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
set bytea_output = 'hex' set extra_float_digits = 1 set lc_monetary = 'C'
as $$
declare
  images jsonb[];
begin
  execute format(
    'select array_agg(to_jsonb(x::%s) order by n) from unnest($1) with ordinality u (x, n)', relation)
  into images using texts;
  return images;
exception when others then
  return (select array_agg(authz_pin.image(relation, x) order by n) from unnest(texts) with ordinality u (x, n));
end $$;

-- A moment in microseconds.
create or replace function authz_pin.micros(moment timestamptz) returns bigint
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select (extract(epoch from moment) * 1000000)::bigint
$$;

-- The changes after `since` that nobody has explained yet, each with when the run that reads them began and when it was made.
create or replace function authz_pin.unexplained(since bigint)
returns table (
  seq bigint, transaction bigint, tbl text, op text, old jsonb, new jsonb, is_adopted boolean, began bigint, at bigint
)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  r record;
  run_began bigint;
begin
  select authz_pin.micros(started) into run_began from authz_pin.run
  where token = current_setting('authz_pin.run', true);
  for r in
    select c.relation, array_agg(c.seq order by c.seq) as seqs, array_agg(c.old_row order by c.seq) as olds,
      array_agg(c.new_row order by c.seq) as news
    from authz_pin.change c where c.run is null and c.seq > since group by c.relation
  loop
    return query
    select c.seq, c.xact::text::bigint, c.tbl, c.op, u.old, u.new, c.is_adopted,
      coalesce(run_began, authz_pin.micros(c.at)), authz_pin.micros(c.at)
    from unnest(r.seqs, authz_pin.images(r.relation, r.olds), authz_pin.images(r.relation, r.news)) u (seq, old, new)
      join authz_pin.change c on c.seq = u.seq;
  end loop;
end $$;

-- The primary key of a row.
create or replace function authz_pin.row_key(relation regclass, row_text text) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_object_agg(a.attname, image -> a.attname)
  from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    cross join lateral (select (authz_pin.images(row_key.relation, array[row_text]))[1]) x (image)
  where i.indrelid = row_key.relation and i.indisprimary
$$;
