//! A schema with the journal's name that somebody else has made.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::stage::{ITEMS, Stage, call, sql, suite};

/// A counter that says whether anything of theirs ran: it is not taken back with a transaction.
const COUNTER: &str = "
    create schema theirs; create sequence theirs.ran; grant usage on schema theirs to public;
    grant all on theirs.ran to public; create schema authz_pin;
    create table authz_pin.run (token text primary key, service_schema text not null,
      started timestamptz not null default clock_timestamp(), alone_from bigint, alone_until timestamptz);
    create table authz_pin.identifier (run text, batch text[]);
    create table authz_pin.change (seq bigint generated always as identity primary key, at timestamptz default now(),
      xact xid8 default pg_current_xact_id(), run text, tbl text, relation regclass, op text, old jsonb, new jsonb,
      old_row text, new_row text);";

/// A dead run whose changes somebody is to undo by these functions.
const FUNCTIONS: &str = "
    insert into authz_pin.run values ('apdeadrun', 'public');
    create function authz_pin.claim_dead(which text) returns void language sql as $$ select nextval('theirs.ran') $$;
    create function authz_pin.undo(which text, since bigint) returns table (tbl text, op text, key jsonb) language sql
      as $$ select nextval('theirs.ran')::text, '', '{}'::jsonb $$;
    create function authz_pin.unwatch() returns void language sql as $$ select nextval('theirs.ran') $$;";

const TRIGGER: &str = "
    create function authz_pin.t() returns trigger language plpgsql
      as $$ begin perform nextval('theirs.ran'); return new; end $$;
    create trigger t before insert or delete on authz_pin.run for each row execute function authz_pin.t();
    create trigger u before insert on authz_pin.identifier for each row execute function authz_pin.t();";

/// What a journal of this version says of itself, as one has it whose run was killed.
fn comment() -> String {
    let slow = call(&json!({"sql": "select 'slow'", "pause_ms": 500}));
    let stage = Stage::with(ITEMS, suite(&["alice"], &[("slow", slow)]));
    let mut run = stage.start("check", &[]);
    run.until(Duration::from_mins(1), |_| stage.toy.has_heard("slow"));
    run.signal(Signal::SIGKILL);
    run.end();
    let comment = "select obj_description('authz_pin'::regnamespace, 'pg_namespace') as line";
    stage.base.lines(comment).remove(0)
}

/// Nobody runs anything of such a schema, and everybody is told whose it is.
#[track_caller]
fn is_refused(planted: &str) {
    let comment = comment();
    let call = sql("insert into item values ('{{ cell.tag }}')");
    let mut stage = Stage::with(ITEMS, suite(&["alice"], &[("write", call)]));
    let (name, owner) = (stage.base.name.clone(), stage.base.owner.clone());
    let mallory = format!("mallory_{name}");
    stage.base.root_sql(&format!(
        "create role {mallory} login; grant create on database {name} to {mallory}"
    ));
    let comment = format!("comment on schema authz_pin is '{comment}'");
    let grant = "grant usage on schema authz_pin to public; grant all on all tables in schema authz_pin to public";
    stage
        .base
        .sql_of(&mallory, &format!("{COUNTER}{planted}{comment};{grant}"));
    let before = stage.base.content();
    for role in ["postgres", &owner] {
        stage.as_role(role);
        for ended in [stage.clean(), stage.run("check", &[])] {
            let which = format!("as {role}: {ended:#?}");
            let ran = "select is_called::text as line from theirs.ran";
            assert_eq!(stage.base.lines(ran), ["false"], "{which}");
            assert_eq!(ended.code, Some(3), "{which}");
            assert!(ended.stderr.contains(&mallory), "{which}");
            assert_eq!(stage.base.content(), before, "{which}");
        }
    }
}

#[test]
fn functions_of_a_journal_that_somebody_else_made_are_never_run() {
    is_refused(FUNCTIONS);
}

#[test]
fn triggers_of_a_journal_that_somebody_else_made_are_never_run() {
    is_refused(TRIGGER);
}
