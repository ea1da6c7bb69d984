create table secret (id int primary key, owner text not null, body text);
alter table secret enable row level security;
create policy own on secret using (owner = current_setting('app.who', true));
-- rows
insert into secret values (1, 'a', 'x'), (2, 'b', 'y');
-- calls
set app.who = 'a';
update secret set body = 'changed' where owner = 'a';
delete from secret where owner = 'b';
insert into secret values (3, 'c', 'z');
