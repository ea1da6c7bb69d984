//! Tables that come, change or cannot be watched, and the journal itself.

use crate::service::clean;
use serde_json::json;

use authz_pin_database::Extent;
use authz_pin_database::base::Base;
use authz_pin_database::sqlite::File;
use authz_pin_database::{DatabaseError, Temporal, Which};

use crate::service::{MODES, Service, begun, claim_all, nobody, takes_back, undone};

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_table_is_not_watched_nor_what_it_keeps_elsewhere() {
    let service = Service::new(
        "wal",
        "create virtual table found using fts5 (text); create table t (id integer primary key); insert into found values ('x')",
    );
    let mut base = begun(&service, "run1").await;
    assert_eq!(
        base.unwatched().await.unwrap(),
        [
            "`found` (a virtual table)",
            "`found_config` (of a virtual table)",
            "`found_content` (of a virtual table)",
            "`found_data` (of a virtual table)",
            "`found_docsize` (of a virtual table)",
            "`found_idx` (of a virtual table)",
        ]
    );
    // Records name what calls can change, and not where it is kept.
    let mut base: Box<dyn Base> = Box::new(base);
    assert_eq!(base.unobserved().await.unwrap(), ["found"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_only_the_service_can_write_to_is_not_watched_and_stays_usable() {
    let mut service = Service::new("wal", "create table t (id integer primary key, a text)");
    service
        .connection
        .register_collation("of_service", Ord::cmp)
        .unwrap();
    service.execute(
        "create table own (a text collate of_service unique); insert into own values ('x')",
    );
    let mut base = begun(&service, "run1").await;
    assert_eq!(
        base.unwatched().await.unwrap(),
        ["`own` (only the service itself can write to it: no such collation sequence: of_service)"]
    );
    service.execute("insert into own values ('y'); insert into t values (1, 'x')");
    assert_eq!(claim_all(&mut base).await.len(), 1);
    assert_eq!(undone(&mut base).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_table_that_came_during_the_run_are_found_and_the_table_stays() {
    for mode in MODES {
        let mut service = Service::new(mode, "create table t (id integer primary key)");
        let mut base = begun(&service, "run1").await;
        assert_eq!(base.watch_new(&nobody).await.unwrap(), None);
        service.execute("create table fresh (id integer primary key, a text, wide1, wide2, wide3); insert into fresh (a) values ('run1'), ('other')");
        assert_eq!(
            base.watch_new(&nobody).await.unwrap(),
            Some(vec!["fresh".to_owned()])
        );
        assert_eq!(base.watch_new(&nobody).await.unwrap(), None);
        let changes = base.read().await.unwrap();
        assert!(changes.len() == 2 && changes.iter().all(|change| change.is_adopted));
        base.claim(&[changes[0].seq]).await.unwrap();
        service.execute("update fresh set wide3 = 'x'");
        claim_all(&mut base).await;
        // The other row was claimed as well, as a whole run would not.
        assert_eq!(undone(&mut base).await, []);
        assert_eq!(base.remove(&nobody).await.unwrap(), None);
        assert_eq!(service.number("select count(*) as value from fresh"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_renamed_or_gets_columns_is_watched_as_before() {
    let mut service = Service::new(
        "wal",
        "create table t (id integer primary key, a text); insert into t values (1, 'x')",
    );
    let mut base = begun(&service, "run1").await;
    service.execute("update t set a = 'before'; alter table t rename to u; alter table u rename column a to b; alter table u add column c default 'c'");
    service.execute("update u set b = 'between'");
    assert_eq!(base.watch_new(&nobody).await.unwrap(), Some(vec![]));
    service.execute("update u set b = 'after', c = 'changed'; insert into u values (2, 'y', 'z')");
    let changes = base.read().await.unwrap();
    assert!(
        changes.iter().all(|change| change.table == "u"),
        "{changes:#?}"
    );
    let last: Vec<_> = changes.iter().skip(2).map(|change| change.seq).collect();
    base.claim(&last).await.unwrap();
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(
        service.lines("select id || b || c as value from u"),
        ["1betweenc"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_whose_columns_are_gone_stay_and_are_told() {
    let mut service = Service::new(
        "wal",
        "create table t (id integer primary key, a text, b text)",
    );
    let mut base = begun(&service, "run1").await;
    service.execute("insert into t values (1, 'x', 'y')");
    claim_all(&mut base).await;
    assert!(
        service
            .attempt("alter table t drop column b")
            .unwrap_err()
            .contains("authz_pin_1")
    );
    service.execute("alter table t rename column b to c");
    base.watch_new(&nobody).await.unwrap();
    let left = undone(&mut base).await;
    let told: Vec<String> = left.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["insert `t` {\"id\":1}: the columns of the table are not those that the row had"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_lost_its_triggers_for_a_while_is_named() {
    let mut service = Service::new("wal", "create table t (id integer primary key, a text)");
    let mut base = begun(&service, "run1").await;
    service.execute("drop table t; create table t (id integer primary key, a text)");
    assert_eq!(
        base.watch_new(&nobody).await.unwrap(),
        Some(vec!["t".to_owned()])
    );
    service.execute("insert into t values (1, 'x')");
    assert_eq!(claim_all(&mut base).await.len(), 1);
    assert_eq!(undone(&mut base).await, []);
    // What has gone with its table has nothing left to undo.
    service.execute("insert into t values (1, 'x')");
    claim_all(&mut base).await;
    service.execute("drop table t");
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(base.remove(&nobody).await.unwrap(), None);
    service.check_nothing_is_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_the_service_makes_during_the_run_fires_after_the_journals() {
    let mut service = Service::new(
        "wal",
        "create table t (id integer primary key, a text unique); create table u (x); create trigger other after insert on u begin delete from u; end; insert into t values (1, 'x')",
    );
    let before = service.dump();
    let mut base = begun(&service, "run1").await;
    service.execute("create trigger again after insert on t begin insert or ignore into t values (new.id, new.a); end");
    assert_eq!(base.watch_new(&nobody).await.unwrap(), Some(vec![]));
    service.execute("insert into t values (2, 'y'); replace into t values (2, 'x')");
    claim_all(&mut base).await;
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(base.remove(&nobody).await.unwrap(), None);
    assert_eq!(service.dump(), before);
    assert_eq!(
        service.lines("select name as value from sqlite_schema where type = 'trigger'"),
        ["other", "again"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_such_a_trigger_does_before_the_journal_knows_it_is_taken_back_as_well() {
    let schema = "create table t (id integer primary key, a text); insert into t values (1, 'x')";
    let mut service = Service::new("wal", schema);
    let before = service.dump();
    let mut base = begun(&service, "run1").await;
    service.execute(
        "create trigger after_all after insert on t begin update t set a = a || '!' where id = new.id; end;
         insert into t values (2, 'y'), (3, 'z'); update t set a = 'w' where id = 3",
    );
    let changes = claim_all(&mut base).await;
    // It was the last that was made, and so fired first.
    assert_eq!(changes[0].kind(), "update `t`");
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(service.dump(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_another_format_is_never_touched() {
    let mut service = Service::new(
        "wal",
        "create table t (id); create table authz_pin_journal (format text, runs); insert into authz_pin_journal values ('format 9', 1)",
    );
    let mut base = File::connect(&service.path, &Which::default())
        .await
        .unwrap();
    let refused = base.install("run1", &nobody).await.unwrap_err();
    assert!(matches!(refused, DatabaseError::OtherJournal), "{refused}");
    let refused = clean(&service.path, &Which::default(), &nobody)
        .await
        .unwrap_err();
    assert!(matches!(refused, DatabaseError::OtherJournal), "{refused}");
    assert_eq!(
        service.lines("select format as value from authz_pin_journal"),
        ["format 9"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_has_what_rows_are_made_from() {
    let schema = "create table team (id integer primary key autoincrement, name text default 'red');
        create table Member (team int references TEAM, number int default '5', at datetime default current_timestamp, day date,
          free, ok boolean default true, both as (team + 1) stored, primary key (number, team))";
    let service = Service::new("wal", schema);
    let which = Which::all(&["audit".to_owned()]).nth(1).unwrap();
    let mut base = File::connect(&service.path, &which).await.unwrap();
    let catalog = base.catalog().await.unwrap();
    assert_eq!(
        catalog.names().collect::<Vec<_>>(),
        ["audit:Member", "audit:team"]
    );
    let member = catalog.table("audit:Member").unwrap();
    assert_eq!(member.key, ["number", "team"]);
    assert_eq!(member.references["team"], "audit:team");
    assert_eq!(member.temporal["at"], Temporal::Local);
    assert_eq!(member.temporal["day"], Temporal::Date);
    assert_eq!(
        (&member.defaults["number"], &member.defaults["ok"]),
        (&json!(5), &json!(true))
    );
    assert!(!member.defaults.contains_key("at") && member.numbered.is_empty());
    assert_eq!(catalog.numbers("audit:Member", "team"), Some("audit:team"));
    assert_eq!(
        catalog.table("audit:team").unwrap().defaults["name"],
        json!("red")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_odd_names_of_files_lead_to_the_same_journal() {
    let mut service = Service::new("wal", "create table t (id integer primary key)");
    let link = service.path.with_file_name("a link?x=1#%41.db");
    std::os::unix::fs::symlink(&service.path, &link).unwrap();
    let mut base = begun(&service, "run1").await;
    let mut other = File::connect(&link, &Which::default()).await.unwrap();
    assert_eq!(other.install("run2", &nobody).await.unwrap(), []);
    service.execute("insert into t values (1)");
    claim_all(&mut other).await;
    assert_eq!(other.undo(Extent::Run, &nobody).await.unwrap(), []);
    assert_eq!(other.remove(&nobody).await.unwrap(), None);
    assert_eq!(base.remove(&nobody).await.unwrap(), None);
    service.check_nothing_is_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_triggers_do_not_fire_when_its_rows_come_back() {
    let mut service = Service::new(
        "delete",
        "create table t (id integer primary key, a text); insert into t values (1, 'x');
         create trigger never after delete on t begin select raise(abort, 'never'); end;
         create trigger kept before update on t when new.a = 'x' begin select raise(ignore); end",
    );
    let triggers = service.lines("select sql as value from sqlite_schema where type = 'trigger'");
    takes_back(&mut service, |service| {
        service.execute("insert into t values (2, 'y'); update t set a = 'z'");
    })
    .await;
    assert_eq!(
        service.lines("select sql as value from sqlite_schema where type = 'trigger'"),
        triggers
    );
}

const SEARCH: &str = "
    create table note (id integer primary key, title text);
    create virtual table found using fts5 (title, content='note', content_rowid='id');
    create trigger n_i after insert on note begin insert into found (rowid, title) values (new.id, new.title); end;
    create trigger n_d after delete on note begin
      insert into found (found, rowid, title) values ('delete', old.id, old.title); end;
    create trigger n_u after update on note begin
      insert into found (found, rowid, title) values ('delete', old.id, old.title);
      insert into found (rowid, title) values (new.id, new.title); end;
    insert into note values (1, 'zebra')";

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_texts_that_triggers_keep_is_as_its_table_after_undo() {
    let mut service = Service::new("wal", SEARCH);
    let mut base = begun(&service, "run1").await;
    service.execute("update note set title = 'lion run1' where id = 1; insert into note (title) values ('tiger run1'); delete from note where id = 1");
    claim_all(&mut base).await;
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(base.remove(&nobody).await.unwrap(), None);
    let found =
        |word: &str| format!("select count(*) as value from found where found match '{word}'");
    assert_eq!(
        ["zebra", "lion", "tiger"].map(|word| service.number(&found(word))),
        [1, 0, 0]
    );
    service.execute("insert into found (found, rank) values ('integrity-check', 1)");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_whose_names_begin_like_the_journals_are_the_services_own() {
    let table = "create table authz_pin_users (id integer primary key, n text); insert into authz_pin_users values (1, 'a')";
    let mut service = Service::new("wal", table);
    let before = service.dump();
    let mut base = begun(&service, "run1").await;
    service.execute("update authz_pin_users set n = 'run1'");
    assert_eq!(claim_all(&mut base).await.len(), 1);
    assert_eq!(undone(&mut base).await, []);
    assert_eq!(base.remove(&nobody).await.unwrap(), None);
    assert_eq!(service.dump(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_cannot_have_our_triggers_are_named_and_do_not_end_a_run() {
    let columns: Vec<String> = (0..400).map(|number| format!("c{number}")).collect();
    let tables = format!(
        "create table wide ({});
         create table \"old\" (id integer primary key, k text unique);
         create table odd (a text, b text);
         create unique index of_odd on odd (lower(a) desc /* first */, b)",
        columns.join(", ")
    );
    let service = Service::new("wal", &tables);
    let mut base = begun(&service, "run1").await;
    let unwatched = base.unwatched().await.unwrap().join(", ");
    for table in ["`wide` (it has more than", "`old` (in a trigger"] {
        assert!(unwatched.contains(table), "{unwatched}");
    }
    assert_eq!(base.remove(&nobody).await.unwrap(), None);
}
