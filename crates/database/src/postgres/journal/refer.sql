-- Claims for batch $3 of the run $1 what nobody has explained yet in the tables $2, where its row refers by a foreign key to a
-- row that the run inserted. Such a row is there because of the run, and stands in the way of taking away what it refers to.
with image as (
  select c.seq, c.relation, (authz_pin.images(c.relation, array[coalesce(c.new_row, c.old_row)]))[1] as image
  from authz_pin.change c
  where c.run is null and c.tbl = any ($2)
    and exists (select from pg_constraint k where k.conrelid = c.relation and k.contype = 'f')
), reference as (
  select c.seq, k.oid as foreign_key, jsonb_object_agg(p.attname, c.image -> f.attname) as key
  from image c
    join pg_constraint k on k.conrelid = c.relation and k.contype = 'f'
    cross join unnest(k.conkey, k.confkey) u (child, parent)
    join pg_attribute f on f.attrelid = k.conrelid and f.attnum = u.child
    join pg_attribute p on p.attrelid = k.confrelid and p.attnum = u.parent
  group by c.seq, k.oid
), parent as (
  select c.seq, k.oid as foreign_key, (authz_pin.images(c.relation, array[c.new_row]))[1] as image, k.confrelid, k.confkey
  from (select distinct foreign_key from reference) r
    join pg_constraint k on k.oid = r.foreign_key
    join authz_pin.change c on c.relation = k.confrelid and c.run = $1 and c.op = 'insert'
), made as (
  select c.foreign_key, jsonb_object_agg(p.attname, c.image -> p.attname) as key
  from parent c join pg_attribute p on p.attrelid = c.confrelid and p.attnum = any (c.confkey)
  group by c.seq, c.foreign_key
)
update authz_pin.change c set run = $1, batch = $3
from reference r
where r.seq = c.seq and c.run is null and (r.foreign_key, r.key) in (select foreign_key, key from made)
