-- Columns that are called as the journal's own columns and variables are.
create table change (
  seq int primary key, run text, batch int, tbl text, relation text, op text, old_row text, new_row text, image text, r int,
  x int, authz_pin_run text);
create table image (r int primary key, change int references change on delete cascade);
-- rows
insert into change (seq, run, batch) values (1, 'one', 1), (2, 'two', 2);
insert into image values (1, 1), (2, 2);
-- calls
update change set run = 'three', batch = 3 where seq = 1;
delete from change where seq = 2;
insert into change (seq, run, batch) values (4, 'four', 4);
insert into image values (4, 4);
