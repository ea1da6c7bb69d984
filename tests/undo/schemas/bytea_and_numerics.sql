create table measure (
  id int primary key, raw bytea, big numeric, exact numeric(40, 20), f8 float8, f4 float4, cash money, bits bit varying(12), one "char", ch char(5)
);
-- rows
insert into measure values
  (1, '\x00ff5c27', 123456789012345678901234567890.123456789012345678901234567890, 0.00000000000000000001, '-0', 0.1, 1234.56, B'0101', 'c', 'ab'),
  (2, '', 'NaN', 1.10, 'Infinity', '-Infinity', -0.01, B'', '', ''),
  (3, null, 1.10, 1.1, 0.1::float8 + 0.2::float8, 16777217, null, null, null, null),
  (4, decode('deadbeef', 'hex'), -0.0000, 0, 5e-324, 1e-45, 0, B'1', '\', 'x    ');
-- calls
update measure set raw = '\x00', big = big + 1, f8 = 0, f4 = 1.5, cash = 0::money where id in (1, 2);
update measure set f8 = 0, big = 1.100, exact = 2 where id = 3;
delete from measure where id in (1, 4);
insert into measure (id, f8) values (5, '-0');
