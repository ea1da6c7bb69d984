-- One statement that touches a lot, and rows that change again and again.
create table counter (id int primary key, n int not null default 0, filler text);
-- rows
insert into counter select n, 0, repeat('x', n % 50) from generate_series(1, 3000) n;
-- calls
update counter set n = n + 1;
delete from counter where id % 3 = 0;
insert into counter select n, 7 from generate_series(3001, 4000) n;
update counter set n = n + 1 where id <= 10;
update counter set n = n + 1 where id <= 10;
insert into counter values (3, 1), (6, 2);
