create table tenant (id int primary key);
create table member (id int primary key, tenant int not null references tenant);
create table badge (id int primary key, member int not null references member, unique (member));
-- rows
insert into tenant values (1), (2);
insert into member values (10, 1), (20, 2);
insert into badge values (100, 10);
-- calls
insert into tenant values (3);
insert into member values (30, 3);
insert into badge values (300, 30);
delete from badge where id = 100;
delete from member where id = 10;
delete from tenant where id = 1;
update member set tenant = 3 where id = 20;
delete from tenant where id = 2;
