create table base (id int primary key, name text);
create table derived (extra text, primary key (id)) inherits (base);
-- rows
insert into base values (1, 'base');
insert into derived values (1, 'derived', 'x'), (2, 'derived', 'y');
-- calls
update base set name = 'changed' where id = 1;
delete from base where id = 2;
insert into derived values (3, 'new', null);
