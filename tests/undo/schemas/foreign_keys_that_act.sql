create table tenant (id int primary key, code text unique);
create table team (id int primary key, tenant int not null references tenant on delete cascade on update cascade);
create table person (id int primary key, team int references team on delete set null, home int default 1 references tenant on delete set default on update cascade,
  code text references tenant (code) on update cascade);
create table card (id int primary key, person int not null references person on delete cascade, note text);
-- rows
insert into tenant values (1, 'one'), (2, 'two'), (3, 'three');
insert into team values (10, 1), (20, 2), (21, 2);
insert into person values (100, 10, 1, 'one'), (200, 20, 2, 'two'), (300, null, 3, 'three');
insert into card values (1000, 100, 'a'), (2000, 200, 'b'), (2001, 200, 'c');
-- calls
update tenant set id = 22, code = 'zwei' where id = 2;
update person set code = null where id = 200;
delete from tenant where code = 'zwei';
insert into tenant values (4, 'four');
insert into team values (40, 4);
insert into person values (400, 40, 4, 'four');
insert into card values (4000, 400, 'd');
delete from person where id = 100;
update tenant set id = 33 where id = 3;
update person set code = null where id = 400;
delete from tenant where id = 4;
