//! What the tool does with the rights that its role has.

use std::process::Command;
use std::sync::Mutex;

use authz_pin::plan::PlannedCell;
use authz_pin::sweep::{Options, Progress, Service, Sweep, sweep};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};

use crate::facts::{count, everything};
use crate::support::{Fixture, planned, root, suite};

/// Some that read, delete and change.
const SOME: &str = "key-{delete,info,update-models}";

/// What the tool says during a run.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn swept(&self, _: &PlannedCell<'_>) {}

    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// A role without any right but those that `rights` gives to `ROLE`, and the address of the database for it.
async fn role(fixture: &Fixture, name: &str, rights: &str) -> String {
    let url = &fixture.database_url;
    let database = url.rsplit('/').next().unwrap();
    // Roles are the server's, which all tests share.
    let name = format!("{name}_{database}");
    let rights = rights.replace("ROLE", &name).replace("DATABASE", database);
    let mut connection = AsyncPgConnection::establish(url).await.unwrap();
    let sql = format!("create role {name} login; {rights}");
    connection.batch_execute(&sql).await.unwrap();
    url.replace("postgres://postgres@", &format!("postgres://{name}@"))
}

/// Makes the role own every table of the service.
const OWNS: &str = r"
    do $$ declare t text; begin
      for t in select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = 'public' loop
        execute format('alter table %s owner to ROLE', t);
      end loop;
    end $$;";

async fn swept(fixture: &Fixture, url: &str, pattern: &str, notes: &Notes) -> Sweep {
    let service = Service {
        database_url: Some(url.into()),
        ..fixture.service()
    };
    let suite = suite();
    let plan = planned(&suite, pattern);
    sweep(&suite, &plan, &service, &Options::default(), notes)
        .await
        .unwrap()
}

fn text(sweep: &Sweep) -> String {
    let records = sweep.records.values();
    records.map(|record| record.to_yaml().unwrap()).collect()
}

/// Whether any effect was observed, and whether each cell says that none could be.
fn observed(sweep: &Sweep) -> bool {
    text(sweep).contains("effects: [")
}

fn says_not_observed(sweep: &Sweep) -> bool {
    let cells = sweep.records.values().flat_map(|record| &record.cells);
    let mut cells = cells.flat_map(|(_, row)| row.values());
    cells.all(|cell| !cell.effects.is_observed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_owns_the_tables_gets_the_records_of_a_superuser() {
    let fixture = Fixture::new().await;
    let before = everything(&fixture.database_url).await;
    let expected = text(&swept(&fixture, &fixture.database_url, SOME, &Notes::default()).await);
    let rights = format!("grant create on database DATABASE to ROLE; {OWNS}");
    let url = role(&fixture, "owner", &rights).await;
    let superusers = "select count(*) from pg_roles where rolname = current_user and rolsuper";
    assert_eq!(count(&url, superusers).await, 0);
    let notes = Notes::default();
    let sweep = swept(&fixture, &url, SOME, &notes).await;
    assert_eq!(text(&sweep), expected);
    assert!(observed(&sweep));
    assert_eq!(sweep.undone.leftovers, []);
    // The gateway has none of the tables that LiteLLM writes by itself.
    let notes = std::mem::take(&mut *notes.0.lock().unwrap());
    assert!(
        matches!(notes.as_slice(), [note] if note.starts_with("background.tables: the service has no table ")),
        "{notes:?}"
    );
    assert_eq!(everything(&fixture.database_url).await, before);
    let schemas = "select count(*) from pg_namespace where nspname = 'authz_pin'";
    assert_eq!(count(&fixture.database_url, schemas).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_owns_no_table_gets_the_same_records_by_comparing_the_tables() {
    let fixture = Fixture::new().await;
    let before = everything(&fixture.database_url).await;
    let expected = text(&swept(&fixture, &fixture.database_url, SOME, &Notes::default()).await);
    let rights = "grant create on database DATABASE to ROLE; \
                  grant select, insert, update, delete on all tables in schema public to ROLE";
    let url = role(&fixture, "guest", rights).await;
    let notes = Notes::default();
    let sweep = swept(&fixture, &url, SOME, &notes).await;
    assert_eq!(text(&sweep), expected);
    assert!(observed(&sweep));
    assert_eq!(sweep.undone.leftovers, []);
    let notes = std::mem::take(&mut *notes.0.lock().unwrap());
    assert!(notes[0].contains("are compared"), "{notes:?}");
    assert_eq!(everything(&fixture.database_url).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_make_no_schema_compares_the_tables() {
    let fixture = Fixture::new().await;
    let url = role(&fixture, "tenant", OWNS).await;
    let before = everything(&fixture.database_url).await;
    let sweep = swept(&fixture, &url, SOME, &Notes::default()).await;
    assert!(observed(&sweep));
    assert_eq!(everything(&fixture.database_url).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_make_no_temporary_table_sweeps_without_effects_and_deletes_what_it_inserted()
 {
    let fixture = Fixture::new().await;
    let rights = "revoke temporary on database DATABASE from public; \
                  grant select, insert, update, delete on all tables in schema public to ROLE";
    let url = role(&fixture, "guest", rights).await;
    // Where the tool inserts rows. Copies of deleted keys are made by the service, and stay.
    let where_it_inserts = |rows: Vec<String>| -> Vec<String> {
        let rows = rows.into_iter();
        rows.filter(|row| !row.contains("DeletedVerificationToken"))
            .collect()
    };
    let before = everything(&fixture.database_url).await;
    let notes = Notes::default();
    let sweep = swept(&fixture, &url, SOME, &notes).await;
    assert!(says_not_observed(&sweep) && !observed(&sweep));
    assert!(text(&sweep).contains("effects: not observed"));
    let notes = std::mem::take(&mut *notes.0.lock().unwrap());
    assert!(
        matches!(notes.as_slice(), [note] if note.contains("effects are not observed")),
        "{notes:?}"
    );
    let after = everything(&fixture.database_url).await;
    assert_eq!(where_it_inserts(after), where_it_inserts(before));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_insert_nothing_is_told_so_and_has_changed_nothing() {
    let fixture = Fixture::new().await;
    let rights = "grant select on all tables in schema public to ROLE";
    let url = role(&fixture, "reader", rights).await;
    let before = everything(&fixture.database_url).await;
    let mut check = Command::new(env!("CARGO_BIN_EXE_authz-pin"));
    check.args(["check", "--filter", "key-info"]);
    check.current_dir(root());
    check.env("AUTHZ_PIN_BASE_URL", fixture.url(""));
    check.env("AUTHZ_PIN_DATABASE_URL", &url);
    check.env("AUTHZ_PIN_VAR_MASTER_KEY", &fixture.master_key);
    let output = check.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    let expected = "error: the database refused to insert into `LiteLLM_BudgetTable`: permission denied for table";
    assert!(said.contains(expected), "{said}");
    assert!(output.stdout.is_empty());
    assert_eq!(everything(&fixture.database_url).await, before);
}
