-- Claims for the run $1 what nobody has explained yet in the tables $2, where its row refers by a foreign key to a row that
-- the run inserted. Such a row is there because of the run, and stands in the way of taking away what it refers to.
with reference as (
  select c.seq, k.oid as foreign_key, jsonb_object_agg(p.attname, coalesce(c.new, c.old) -> f.attname) as key
  from authz_pin.change c
    join pg_constraint k on k.conrelid = c.relation and k.contype = 'f'
    cross join unnest(k.conkey, k.confkey) u (child, parent)
    join pg_attribute f on f.attrelid = k.conrelid and f.attnum = u.child
    join pg_attribute p on p.attrelid = k.confrelid and p.attnum = u.parent
  where c.run is null and c.tbl = any ($2)
  group by c.seq, k.oid
), made as (
  select k.oid as foreign_key, jsonb_object_agg(p.attname, c.new -> p.attname) as key
  from (select distinct foreign_key from reference) r
    join pg_constraint k on k.oid = r.foreign_key
    join authz_pin.change c on c.relation = k.confrelid and c.run = $1 and c.op = 'insert'
    join pg_attribute p on p.attrelid = k.confrelid and p.attnum = any (k.confkey)
  group by c.seq, k.oid
)
update authz_pin.change c set run = $1
from reference r
where r.seq = c.seq and c.run is null and (r.foreign_key, r.key) in (select foreign_key, key from made)
