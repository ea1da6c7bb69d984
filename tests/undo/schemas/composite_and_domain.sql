create type address as (street text, zip text, tags text[]);
create domain email as text check (value ~ '@');
create domain positive as int not null check (value > 0);
create type contact as (mail email, home address);
create table person (id positive primary key, mail email, home address, others address[], contact contact);
-- rows
insert into person values
  (1, 'a@x', row('Main "St", 1', null, '{a,"b c"}'), array[row('x', 'y', null)::address, null], row('b@x', row(null, '', '{}'))),
  (2, null, null, '{}', row(null, null)),
  (3, 'c@x', row(null, null, null), null, null);
-- calls
update person set home.zip = '999', contact.mail = 'z@x' where id = 1;
update person set home = row(null, null, null) where id = 2;
update person set home = null where id = 3;
delete from person where id = 2;
insert into person values (4, 'd@x');
