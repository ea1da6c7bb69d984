-- Rows that nothing tells apart: of three equal ones, one goes and two come.
create table event (kind text, amount numeric);
-- rows
insert into event values ('a', 1), ('a', 1), ('a', 1), ('b', 1.10), (null, null);
-- calls
delete from event where ctid = (select min(ctid) from event where kind = 'a');
insert into event values ('a', 1), ('a', 1), ('a', 1.0), (null, null);
update event set amount = 1.1000 where kind = 'b';
update event set kind = 'c' where kind is null;
