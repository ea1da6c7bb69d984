//! Undo: after a run every table is row for row what it was, whatever the service's schema is made of.
//!
//! Each file in `schemas/` has a schema, rows that were there before, and what calls do to them. The calls run over a
//! connection of their own, as the service's do, and are undone from the journal; and so they are where the run itself makes
//! them, whose inserts are logged otherwise, and where the tables are compared.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like the tests")]

mod catalog;
mod keyless;
mod others;
mod partitions;
mod runs;
mod service;

use authz_pin::database::Extent;

use others::claim;
use service::{RUN, Service, silent};

/// Undoes the calls of a schema after they were made in a session with these settings.
async fn undone(sql: &str, settings: &str, are_compared: bool) {
    let (schema, rest) = sql.split_once("-- rows\n").unwrap();
    let (rows, calls) = rest.split_once("-- calls\n").unwrap();
    let mut service = Service::with(&format!("{schema};\n{rows}")).await;
    let before = service.content().await;

    let (journal, mut database) = if are_compared {
        service.compared().await
    } else {
        service.watched().await
    };
    service.call(settings).await;
    service.call(calls).await;
    let changed = service.content().await;
    claim(&journal, &mut database).await;
    let leftovers = journal
        .undo(&mut database, Extent::Run, &silent)
        .await
        .unwrap();
    journal.remove(&mut database, &silent).await.unwrap();

    assert_ne!(changed, before, "the calls change nothing");
    assert_eq!(leftovers, []);
    let now = service.content().await;
    let different = now
        .iter()
        .filter(|line| !before.contains(line))
        .collect::<Vec<_>>();
    assert_eq!(now, before, "now different: {different:#?}");
}

/// Where comparing tells too little: a row whose primary key was changed is one that is gone and one that came, of which neither
/// can be undone while the other is in its way. What is left is told.
const NOT_BY_COMPARING: [&str; 1] = ["foreign_keys_that_act"];

/// One test per file, and a test that no file is forgotten.
macro_rules! schemas {
    ($($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                let sql = include_str!(concat!("schemas/", stringify!($name), ".sql"));
                undone(sql, "", false).await;
                undone(sql, &format!("set authz_pin.run = '{RUN}'"), false).await;
                if !NOT_BY_COMPARING.contains(&stringify!($name)) {
                    undone(sql, "", true).await;
                }
            }
        )*

        #[test]
        fn every_schema_has_a_test() {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/undo/schemas");
            let files = std::fs::read_dir(folder).unwrap();
            let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            assert_eq!(names, [$(concat!(stringify!($name), ".sql")),*]);
        }
    };
}

schemas! {
    awkward_names
    bytea_and_numerics
    changed_primary_keys
    composite_and_domain
    dates_ranges_and_network
    enums_and_arrays
    foreign_keys
    foreign_keys_deferred
    foreign_keys_that_act
    foreign_keys_to_itself
    generated_and_identity
    identity_that_is_no_key
    inheritance
    json_and_jsonb
    many_rows
    names_of_the_journal
    no_primary_key
    partitions
    row_security
    settings_of_the_database
    triggers_of_the_service
    truncate
}
