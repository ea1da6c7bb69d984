//! Every kind of statement on every kind of table.

use crate::service::{MODES, Service, takes_back};

/// Tables with the columns `id`, `a` (unique), `b` and `n`, by what is special about them.
const KINDS: [(&str, &str, &str); 14] = [
    ("a numbered key", "t", "create table t (id integer primary key, a text unique, b, n integer default 5)"),
    (
        "a key that is never given twice",
        "t",
        "create table t (id integer primary key autoincrement, a text unique, b, n integer default 5)",
    ),
    ("no key", "t", "create table t (id, a text unique, b, n integer default 5)"),
    ("a key of text", "t", "create table t (id text primary key, a text unique, b, n integer default 5)"),
    (
        "no numbers of rows",
        "t",
        "create table t (id text primary key, a text unique, b, n integer default 5) without rowid",
    ),
    (
        "a key of two columns that ignores case",
        "t",
        "create table t (n integer default 5, id text collate nocase, a text unique, b, primary key (id, a desc)) without rowid",
    ),
    (
        "strict types",
        "t",
        "create table t (id integer primary key, a text unique, b any, n integer default 5) strict",
    ),
    (
        "computed columns",
        "t",
        "create table t (id integer primary key, a text unique, b, n integer default 5, stored as (n * 2) stored,
           computed as (a || 'x') virtual, other int default 3);
         create unique index computed on t (computed)",
    ),
    (
        "texts without case",
        "t",
        "create table t (id integer primary key, a text collate nocase unique, b, n integer default 5)",
    ),
    (
        "an index of expressions and a partial one",
        "t",
        "create table t (id integer primary key, a text, b, n integer default 5);
         create unique index lowered on t (lower(a), id is null);
         create unique index part on t (n collate binary desc) where b is not null and n > 100",
    ),
    (
        "columns that are called as numbers of rows",
        "t",
        "create table t (rowid text, oid integer, id, a text unique, b, n integer default 5)",
    ),
    (
        "odd names",
        "\"my \"\"odd\"\" t'able [x]\"",
        "create table \"my \"\"odd\"\" t'able [x]\" (id integer primary key, a text unique, b, n integer default 5, \"order \"\"by\"\"\" text)",
    ),
    (
        "triggers of the service",
        "t",
        "create table t (id integer primary key, a text unique, b, n integer default 5);
         create table log (text);
         create table count (id integer primary key, number);
         insert into count values (1, 0);
         create trigger added after insert on t begin
           insert into log values ('added ' || new.a);
           update count set number = number + 1;
           update t set b = coalesce(b, 'set') where id = new.id;
           insert or ignore into t (id, a) values (new.id, new.a);
         end;
         create trigger before_added before insert on t begin insert into log values ('before'); end;
         create trigger removed after delete on t begin
           insert into log values ('removed ' || old.a);
           delete from log where text = 'added ' || old.a;
         end;
         create trigger moved after update of n on t begin insert or replace into count values (1, new.n); end",
    ),
    (
        "conflicts that replace by themselves",
        "t",
        "create table t (id integer primary key on conflict replace, a text unique on conflict replace, b, n integer default 5)",
    ),
];

/// What a service does.
const WORK: [&str; 33] = [
    "insert into {t} (id, a, b) values (10, 'ten', 'x')",
    "insert into {t} (id, a, n) values (11, 'eleven', 1000), (12, 'twelve', 2000), (13, 'thirteen', 3000)",
    "insert into {t} (a, id) select a || 'y', id + 20 from {t}",
    "insert into {t} (a, id) values ('numbered', 77) returning id",
    "update {t} set b = 'changed' where id = 1",
    "update {t} set b = 'changed', n = n + 1",
    "update {t} set id = id + 100",
    "update {t} set a = a || 'z'",
    "update {t} set n = n where id = 1",
    "delete from {t} where id = 2",
    "delete from {t}",
    "replace into {t} (id, a, b) values (1, 'uno', 'x')",
    "replace into {t} (id, a, b) values (50, 'two', 'x')",
    "replace into {t} (id, a, b) values (1, 'two', 'x')",
    "replace into {t} (id, a, b) values (1, 'one', 'first')",
    "replace into {t} (id, a, b, n) values (60, 'ONE', 'x', 101), (61, 'Two', 'y', 101), (1, 'three', 'z', 102)",
    "insert or replace into {t} (id, a, b, n) select id + 1, a, 'r', n from {t}",
    "insert into {t} (id, a, b) values (1, 'one', 'up'), (70, 'seventy', 'x') on conflict do nothing",
    "insert or ignore into {t} (id, a, b) values (1, 'other', 'up'), (71, 'two', 'x'), (72, 'new', 'z')",
    "update or replace {t} set a = 'two' where id = 1",
    "update or replace {t} set id = 2 where a = 'one'",
    "update or replace {t} set a = 'same'",
    "update or ignore {t} set a = 'same'",
    "insert or fail into {t} (id, a, b) values (80, 'eighty', 'x'), (81, 'two', 'x')",
    "insert or abort into {t} (id, a, b) values (80, 'eighty', 'x'), (81, 'two', 'x')",
    "begin; insert into {t} (id, a) values (90, 'ninety'); update {t} set b = 'in'; delete from {t} where id = 90; commit",
    "begin; insert into {t} (id, a) values (90, 'ninety'); update {t} set b = 'in'; replace into {t} (id, a) values (1, 'two'); rollback",
    "begin; insert into {t} (id, a) values (90, 'ninety'); savepoint s; replace into {t} (id, a) values (1, 'two');
     insert or ignore into {t} (id, a) values (2, 'two'); rollback to s; release s;
     update {t} set n = 7 where id = 90; commit",
    "delete from {t} where id = 1; insert into {t} (id, a, b) values (1, 'one', 'again'); update {t} set b = 'more' where id = 1",
    "begin; delete from {t} where id = 1; insert into {t} (id, a, n) values (1, 'two2', 5); update {t} set a = 'three3' where id = 3;
     update {t} set a = 'three' where id = 1; commit",
    "insert or ignore into {t} (id, a) values (1, 'one'); replace into {t} (id, a) values (1, 'two'); delete from {t} where id = 1",
    "insert or rollback into {t} (id, a, b) values (80, 'eighty', 'x'), (81, 'two', 'x')",
    "pragma recursive_triggers = on; replace into {t} (id, a, b) values (1, 'two', 'x'); replace into {t} (id, a) values (1, 'uno')",
];

fn schema(schema: &str, table: &str) -> String {
    format!(
        "{schema};
         insert into {table} (id, a, b, n) values (1, 'one', 'first', 5), (2, 'two', x'00ff', 101), (3, 'three', null, 7),
           (7, 'gone', 1.5, 8), (9, 'nine', 'ninth', 200);
         delete from {table} where id = 7"
    )
}

async fn each(work: impl Fn(&str) -> bool) {
    for (kind, table, made) in KINDS {
        for (number, sql) in WORK.iter().enumerate().filter(|(_, sql)| work(sql)) {
            let mode = MODES[number % 2];
            let mut service = Service::new(mode, &schema(made, table));
            let sql = sql.replace("{t}", table);
            println!("{kind}: {sql}");
            takes_back(&mut service, |service| {
                // Some of it fails, as in a service.
                let _ = service.attempt(&sql);
                let _ = service.attempt("rollback");
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_replaced_in_any_kind_of_table_comes_back() {
    each(|sql| sql.contains("replace")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_in_any_kind_of_table_is_taken_back() {
    each(|sql| !sql.contains("replace")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_one_after_the_other_is_taken_back() {
    for (kind, table, made) in KINDS {
        for mode in MODES {
            println!("{kind} in {mode}");
            let mut service = Service::new(mode, &schema(made, table));
            takes_back(&mut service, |service| {
                for sql in WORK {
                    let _ = service.attempt(&sql.replace("{t}", table));
                    let _ = service.attempt("rollback");
                }
            })
            .await;
        }
    }
}
