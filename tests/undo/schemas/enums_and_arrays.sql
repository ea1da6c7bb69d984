create type mood as enum ('low', 'High', 'with space', 'comma,');
create table feeling (id int primary key, mood mood not null, history mood[], tags text[] not null default '{}', grid int[][], shifted int[]);
-- rows
insert into feeling values
  (1, 'low', '{low,High}', '{"a b","c,d","\"q\"","",NULL,"null"}', '{{1,2},{3,4}}', '[0:2]={1,2,3}'),
  (2, 'comma,', null, '{}', '{}', '[-1:0]={7,null}');
-- calls
update feeling set mood = 'with space', history = history || 'comma,'::mood, tags = tags || 'x'::text, shifted = '{1}' where id = 1;
delete from feeling where id = 2;
insert into feeling values (3, 'High');
