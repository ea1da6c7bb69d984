-- Tenants, their people and their notes. Who may see and do what is said here, and nowhere else: by grants and by policies
-- on rows.

-- Roles belong to the whole server, so that they may be there from an earlier start.
do $$
declare
  one text;
begin
  foreach one in array array['notes_visitor', 'notes_member', 'notes_admin'] loop
    if not exists (select from pg_roles where rolname = one) then
      execute format('create role %I', one);
    end if;
  end loop;
end
$$;
-- As whom PostGraphile connects, and calls for whoever has no token; it becomes one of the others as the caller's token says.
alter role notes_visitor login noinherit;
grant notes_member, notes_admin to notes_visitor;

create function caller() returns uuid language sql stable
  as $$ select nullif(current_setting('jwt.claims.person', true), '')::uuid $$;
create function caller_tenant() returns uuid language sql stable
  as $$ select nullif(current_setting('jwt.claims.tenant', true), '')::uuid $$;
comment on function caller() is '@behavior -*';
comment on function caller_tenant() is '@behavior -*';

create table tenants (
  id uuid primary key,
  name text not null
);
create table people (
  id uuid primary key,
  tenant_id uuid not null references tenants,
  name text not null,
  email text not null
);
create table notes (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null default caller_tenant() references tenants,
  author_id uuid not null default caller() references people,
  title text not null,
  public boolean not null default false
);
create index on people (tenant_id);
create index on notes (tenant_id);
create index on notes (author_id);

grant select on notes to notes_visitor, notes_member;
grant select on people, tenants to notes_member;
grant insert (title, public), update (title, public), delete on notes to notes_member;
grant select, insert, update, delete on tenants, people, notes to notes_admin;

alter table tenants enable row level security;
alter table people enable row level security;
alter table notes enable row level security;

create policy own_tenant on tenants for select to notes_member using (id = caller_tenant());
create policy own_tenant on people for select to notes_member using (tenant_id = caller_tenant());
create policy published on notes for select to notes_visitor using (public);
create policy own_tenant on notes for select to notes_member using (tenant_id = caller_tenant() or public);
create policy add_own on notes for insert to notes_member
  with check (tenant_id = caller_tenant() and author_id = caller());
create policy change_own on notes for update to notes_member using (author_id = caller());
create policy delete_own on notes for delete to notes_member using (author_id = caller());
create policy everything on tenants to notes_admin using (true);
create policy everything on people to notes_admin using (true);
create policy everything on notes to notes_admin using (true);
