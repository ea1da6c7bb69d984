-- `null` of JSON is not null of SQL, and json keeps its blanks, its order and its doubled keys.
create table document (id int primary key, b jsonb, j json, notes text);
-- rows
insert into document values
  (1, 'null', '{"b" : 1,  "a":2, "b": 3}', 'null'),
  (2, null, null, null),
  (3, '"text"', 'null', ''),
  (4, '{"deep": [1, 1.50, 1e2, {"x": null}], "uni": "\u00e9\"\\"}', '[1.0 , 2]', E'tab\tline\nquote"''\\');
-- calls
update document set b = null, j = '{}' where id = 1;
update document set b = 'null', j = 'null', notes = 'null' where id = 2;
delete from document where id in (3, 4);
insert into document values (5, '{}', '{}', '{}');
