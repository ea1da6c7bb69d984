-- Settings of the database that change how texts are read.
create table setting (id int primary key, tags text[], page xml, at timestamptz);
do $$ begin
  execute format('alter database %I set array_nulls = off', current_database());
  execute format('alter database %I set xmloption = document', current_database());
  execute format('alter database %I set datestyle = ''SQL, DMY''', current_database());
end $$;
-- rows
insert into setting values (1, array['a', null, 'NULL'], xmlparse(content 'no <b>document</b>'), '2026-02-03 04:05:06+00');
-- calls
update setting set tags = array['b'], page = null;
delete from setting;
