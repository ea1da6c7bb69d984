create table booking (
  id int primary key, d date, t time, tz timetz, ts timestamp, tstz timestamptz, i interval, r tstzrange, m int4multirange,
  ip inet, net cidr, mac macaddr, u uuid, p point, x xml, v tsvector, path text
);
-- rows
insert into booking values
  (1, '2024-02-29', '23:59:59.999999', '12:00:00.000001+05:45', 'infinity', '-infinity', '1 year -3 days 04:05:06.789',
   '["2024-01-01 00:00:00+02", infinity)', '{[1,3),[7,)}', '10.0.0.1/24', '10.0.0.0/8', '08:00:2b:01:02:03',
   'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '(1.5,-0)', '<a b="c">&lt;</a>', 'a:1A fat:2B,4C', 'x'),
  (2, '0044-03-15 BC', '00:00', '00:00+00', '0001-01-01 00:00:00 BC', '1969-12-31 23:59:59.5-03:30', '-1 mon', 'empty', '{}',
   '::1', '2001:db8::/32', null, null, null, null, '', null);
-- calls
set timezone = 'Asia/Kathmandu';
set datestyle = 'German, DMY';
set intervalstyle = 'iso_8601';
set bytea_output = 'escape';
set extra_float_digits = -5;
update booking set d = d + 1, tstz = '2024-01-01', i = i * 2, r = null, p = '(0,0)' where id = 1;
delete from booking where id = 2;
insert into booking (id, tstz) values (3, now());
update booking set i = '1 day' where id in (1, 3);
