create table thing (a int, b text, note text, primary key (a, b));
-- rows
insert into thing values (1, 'x', null), (2, 'y', 'note'), (3, 'z', '');
-- calls
update thing set a = a + 10 where a = 1;
update thing set a = 1, b = 'y' where a = 2;
update thing set a = 2 where a = 11;
update thing set b = 'x' where a = 1;
delete from thing where a = 3;
insert into thing values (3, 'z', 'another');
delete from thing where a = 3;
insert into thing values (3, 'z', 'a third');
