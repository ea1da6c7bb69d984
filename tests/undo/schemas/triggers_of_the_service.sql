-- The service's own triggers insert rows, set `updated_at`, forbid deletes, and change the row that fired them once more.
create table account (id int primary key, name text not null, version int not null default 1, updated_at timestamptz not null default now());
create table audit (id serial primary key, at timestamptz not null default clock_timestamp(), what text);
create function touch() returns trigger language plpgsql as $$ begin new.updated_at := clock_timestamp(); return new; end $$;
create function log() returns trigger language plpgsql as $$ begin insert into audit (what) values (tg_op); return null; end $$;
create function bump() returns trigger language plpgsql as $$ begin
  update account set version = version + 1 where id = new.id and version = new.version; return null; end $$;
create function forbid() returns trigger language plpgsql as $$ begin raise 'audit rows stay'; end $$;
create trigger touch before insert or update on account for each row execute function touch();
create trigger "AAA log" after insert or update or delete on account for each row execute function log();
create trigger aaa_bump after update of name on account for each row execute function bump();
create trigger zzz_log after insert or update or delete on account for each statement execute function log();
create trigger forbid before delete on audit for each row execute function forbid();
create trigger switched_off before insert on account for each row execute function forbid();
alter table account disable trigger switched_off;
alter table account enable always trigger touch;
-- rows
insert into account values (1, 'one'), (2, 'two'), (3, 'three');
-- calls
update account set name = 'new' where id = 1;
delete from account where id = 2;
insert into account (id, name) values (4, 'four');
update account set name = 'newer' where id in (1, 4);
