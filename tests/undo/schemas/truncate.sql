create table queue (id int primary key, body jsonb);
create table plain (x text);
create table dependent (id int primary key, queue int references queue);
create table split (id int primary key, x text) partition by hash (id);
create table split_0 partition of split for values with (modulus 2, remainder 0);
create table split_1 partition of split for values with (modulus 2, remainder 1);
-- rows
insert into queue select n, jsonb_build_object('n', n) from generate_series(1, 20) n;
insert into plain values ('a'), ('a'), (null);
insert into dependent values (1, 1), (2, 20);
insert into split select n, 'x' from generate_series(1, 9) n;
-- calls
insert into queue values (99, null);
truncate queue cascade;
truncate plain;
truncate split;
insert into queue values (1, 'null');
insert into split values (1, 'y');
