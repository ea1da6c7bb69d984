-- A number that only the database gives out, in a column that is no key.
create table ticket (id int primary key, turn int generated always as identity, note text);
-- rows
insert into ticket (id, note) values (1, 'a'), (2, 'b');
-- calls
update ticket set turn = default where id = 1;
update ticket set note = 'c' where id = 2;
insert into ticket (id) values (3);
