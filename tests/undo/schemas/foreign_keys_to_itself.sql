create table employee (id int primary key, boss int references employee, buddy int references employee);
-- rows
insert into employee values (1, null, 2), (2, 1, 1), (3, 2, 3);
-- calls
insert into employee values (10, 11, 12), (11, 12, 10), (12, 10, 11);
delete from employee where id in (1, 2, 3);
update employee set boss = id where id = 11;
