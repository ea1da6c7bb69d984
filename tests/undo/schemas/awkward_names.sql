-- Names that SQL has to quote, and columns and tables called like what undo itself uses.
create table "Odd ""table"" .x" ("Key" int primary key, "a b" text, "select" text, image text, r text, authz_pin_row_ text, ctid_ text);
create table t (t text primary key, x text);
create table image (image text, r text, primary key (image));
create table old (new text primary key, old text);
create table authz_pin_journal (id int primary key, seq int, relation text, op text);
create schema other;
create type other.level as enum ('one', 'two');
create table leveled (id int primary key, level other.level, "Größe" text);
create function is_known(known text) returns boolean language sql as $$ select exists (select from t where t.t = known) or known = 'free' $$;
create table checked (id int primary key, x text check (is_known(x)));
-- rows
insert into "Odd ""table"" .x" values (1, 'a', 'b', 'i', 'r'), (2, null, null, null, null);
insert into t values ('a', 'b'), ('b', 'c');
insert into image values ('a', 'b');
insert into old values ('a', 'b');
insert into authz_pin_journal values (1, 1, 'x', 'insert');
insert into leveled values (1, 'one', 'groß');
insert into checked values (1, 'a');
-- calls
update "Odd ""table"" .x" set "a b" = 'changed', "select" = null where "Key" = 1;
delete from "Odd ""table"" .x" where "Key" = 2;
update t set x = 'z' where t = 'a';
delete from t where t = 'b';
update image set r = 'z', image = 'y';
update old set new = 'q', old = null;
delete from authz_pin_journal;
update leveled set level = 'two', "Größe" = 'klein';
delete from checked;
insert into checked values (2, 'free');
