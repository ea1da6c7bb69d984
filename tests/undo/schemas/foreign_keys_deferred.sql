-- Parents come after their children and go before them, within one transaction.
create table parent (id int primary key, favourite int);
create table child (id int primary key, parent int not null references parent deferrable initially deferred, rank int, unique (parent, rank) deferrable);
alter table parent add foreign key (favourite) references child deferrable;
-- rows
begin;
insert into child values (1, 1, 1), (2, 1, 2), (3, 1, 3);
insert into parent values (1, null);
update parent set favourite = 2;
commit;
-- calls
begin;
insert into child values (10, 10, 1);
insert into parent values (10, 10);
update child set rank = 4 - rank where parent = 1;
commit;
begin;
set constraints all deferred;
delete from parent where id = 1;
delete from child where parent = 1;
commit;
