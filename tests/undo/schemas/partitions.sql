-- Partitions of two levels, one with its columns in another order; rows move between them. One trigger is the service's.
create table log (id int not null, region text not null, day date not null, note text, primary key (id, region, day)) partition by list (region);
create table log_eu partition of log for values in ('eu') partition by range (day);
create table log_eu_24 partition of log_eu for values from ('2024-01-01') to ('2025-01-01');
create table log_eu_25 (note text, day date not null, id int not null, region text not null);
alter table log_eu attach partition log_eu_25 for values from ('2025-01-01') to ('2026-01-01');
create table log_rest partition of log default;
create function stamp() returns trigger language plpgsql as $$ begin new.note := clock_timestamp()::text; return new; end $$;
create trigger stamp before insert or update on log for each row execute function stamp();
-- rows
insert into log values (1, 'eu', '2024-05-01'), (2, 'eu', '2025-05-01'), (3, 'us', '2024-05-01'), (4, 'eu', '2024-06-01');
-- calls
update log set day = '2025-02-02' where id = 1;
update log set region = 'us' where id = 2;
delete from log where id = 3;
insert into log values (5, 'eu', '2025-07-07'), (6, 'cn', '2025-07-07');
update log set note = 'changed' where id = 4;
update log_eu_25 set note = 'changed' where id = 1;
