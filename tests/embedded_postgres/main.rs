//! What the embedded server promises: it starts anywhere, alone or in numbers, and leaves nothing behind.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail like the tests"
)]

mod owner;

use std::fs::{Permissions, read_dir, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use authz_pin::chain::chain;
use authz_pin::embedded::{Cluster, EmbeddedError, Options};
use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use nix::unistd::getpgid;
use tempfile::TempDir;

use owner::{CACHE, DATA, Owner, is_alive, owner_command, server_of};

#[test]
fn four_clusters_start_at_once_and_each_answers() {
    let answers = four_at_once(&Options::default());
    assert_eq!(
        answers,
        ["cluster 0", "cluster 1", "cluster 2", "cluster 3"]
    );
}

#[test]
fn four_cold_clusters_in_one_process_share_one_template() {
    let cache = cold_cache();
    let answers = four_at_once(&Options::default().cache_dir(cache.path()));
    assert_eq!(
        answers,
        ["cluster 0", "cluster 1", "cluster 2", "cluster 3"]
    );
    assert_eq!(templates(cache.path()), 1);
}

#[test]
fn four_cold_processes_share_one_template() {
    let cache = cold_cache();
    let environment = [(CACHE, cache.path().to_str().unwrap())];
    let owners: Vec<_> = scope(|scope| {
        let starts: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| Owner::start(&environment)))
            .collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap())
            .collect()
    });
    for owner in owners {
        assert!(owner.is_running());
    }
    assert_eq!(templates(cache.path()), 1);
}

#[test]
fn a_half_made_template_of_a_killed_process_is_never_used() {
    let cache = cold_cache();
    let half_made = cache.path().join("partial-of-a-killed-process");
    std::fs::create_dir(&half_made).unwrap();
    std::fs::write(half_made.join("PG_VERSION"), "15\n").unwrap();

    Cluster::start_with(&Options::default().cache_dir(cache.path())).unwrap();
    assert!(!half_made.exists());
    assert_eq!(templates(cache.path()), 1);
}

#[tokio::test]
async fn a_database_made_from_a_template_has_its_rows() {
    let cluster = Cluster::start().unwrap();
    let original = cluster.create_database("original").await.unwrap();
    run(
        &original,
        "CREATE TABLE note AS SELECT 'kept'::text AS value",
    )
    .await;

    let copy = cluster
        .create_database_from("a \"copy\"", "original")
        .await
        .unwrap();
    assert_eq!(ask(&copy, "SELECT value FROM note").await, "kept");
}

#[tokio::test]
async fn a_dropped_database_is_gone_although_somebody_is_connected() {
    let cluster = Cluster::start().unwrap();
    let url = cluster.create_database("short_lived").await.unwrap();
    let _connection = AsyncPgConnection::establish(&url).await.unwrap();

    cluster.drop_database("short_lived").await.unwrap();
    assert!(AsyncPgConnection::establish(&url).await.is_err());
}

#[tokio::test]
async fn the_server_is_the_version_it_says() {
    let cluster = Cluster::start().unwrap();
    let version = ask(
        &cluster.url("postgres"),
        "SELECT current_setting('server_version') AS value",
    )
    .await;
    assert_eq!(version.split(' ').next(), Some(cluster.version()));
}

#[test]
fn killing_the_owner_ends_the_server_and_removes_its_directory() {
    let mut owner = Owner::start(&[]);
    assert!(owner.is_running());
    owner.process.kill().unwrap();
    owner.process.wait().unwrap();

    let start = Instant::now();
    while owner.is_running() || owner.directory.exists() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{} is still there",
            owner.directory.display()
        );
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn killing_the_owner_while_it_starts_leaves_nothing() {
    let data = shared_dir();
    let environment = [(DATA, data.path().to_str().unwrap())];
    for delay in (0..80).step_by(8).map(Duration::from_millis) {
        let mut owner = owner_command(&environment).spawn().unwrap();
        sleep(delay);
        owner.kill().unwrap();
        owner.wait().unwrap();
    }

    let start = Instant::now();
    while !entries(data.path(), "").is_empty() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "left: {:?}",
            entries(data.path(), "")
        );
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_terminals_signals_do_not_reach_the_server() {
    let cluster = Cluster::start().unwrap();
    let server = server_of(cluster.directory());
    assert_ne!(getpgid(Some(server)).unwrap(), getpgid(None).unwrap());
}

#[test]
fn dropping_the_cluster_ends_the_server_and_removes_its_directory() {
    let cluster = Cluster::start().unwrap();
    let (directory, server) = (
        cluster.directory().to_owned(),
        server_of(cluster.directory()),
    );
    assert!(is_alive(server));
    drop(cluster);
    assert!(!is_alive(server));
    assert!(!directory.exists());
}

#[test]
fn only_the_servers_user_can_get_at_its_directory() {
    let cluster = Cluster::start().unwrap();
    let mode = cluster.directory().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_hostile_environment_changes_nothing() {
    let hostile = [
        ("PGHOST", "/nowhere"),
        ("PGPORT", "1"),
        ("PGDATA", "/nowhere"),
        ("PGUSER", "nobody-at-all"),
        ("PGDATABASE", "nothing"),
        ("PGOPTIONS", "-c enable_seqscan=off"),
        ("PGTZ", "Asia/Kathmandu"),
        ("TZ", "Asia/Kathmandu"),
        ("LANG", "xx_XX.nonsense"),
        ("LC_ALL", "xx_XX.nonsense"),
        ("DATABASE_URL", "postgres://nowhere/nothing"),
    ];
    let cache = cold_cache();
    let cold = [(CACHE, cache.path().to_str().unwrap())];
    let usual = Owner::start(&[]);
    let steered = Owner::start(&[&hostile[..], &cold[..]].concat());
    assert_eq!(steered.settings, usual.settings);
    assert_eq!(usual.settings["TimeZone"], "UTC");
    assert_eq!(usual.settings["lc_collate"], "C");
    assert_eq!(usual.settings["server_encoding"], "UTF8");
}

#[test]
fn missing_binaries_are_an_error_that_names_the_ways_out() {
    let empty = tempfile::tempdir().unwrap();
    let error =
        Cluster::start_with(&Options::default().bin_dirs([empty.path().to_owned()])).unwrap_err();

    assert_eq!(
        error.to_string(),
        format!("no PostgreSQL server found in `{}`", empty.path().display())
    );
    let help = error.help().unwrap();
    for way_out in [
        "apt install postgresql",
        "brew install postgresql",
        "PG_BIN_DIR",
        "--database-url",
    ] {
        assert!(help.contains(way_out), "{help}");
    }
}

#[test]
fn binaries_that_the_servers_user_cannot_run_are_named_in_the_error() {
    let dir = cold_cache();
    for program in ["initdb", "postgres"] {
        std::fs::write(dir.path().join(program), "").unwrap();
    }
    let options = Options::default().bin_dirs([dir.path().to_owned()]);
    let error = Cluster::start_with(&options).unwrap_err();
    assert!(
        matches!(&error, EmbeddedError::OutOfReach { path, .. } if *path == dir.path().canonicalize().unwrap()),
        "{error}"
    );
}

#[test]
fn a_program_that_cannot_be_run_is_told_with_the_systems_reason() {
    let dir = cold_cache();
    for program in ["initdb", "postgres"] {
        let path = dir.path().join(program);
        std::fs::write(&path, "#!/no/such/interpreter\n").unwrap();
        set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }
    let options = Options::default().bin_dirs([dir.path().to_owned()]);
    let error = Cluster::start_with(&options).unwrap_err();
    let program = dir.path().canonicalize().unwrap().join("postgres");
    assert_eq!(
        chain(&error),
        format!(
            "cannot run `{}`: No such file or directory (os error 2)",
            program.display()
        )
    );
    assert!(error.help().unwrap().contains("PG_BIN_DIR"));
}

#[test]
fn a_cache_directory_that_others_can_write_to_is_refused() {
    let cache = cold_cache();
    set_permissions(cache.path(), Permissions::from_mode(0o777)).unwrap();
    let error = Cluster::start_with(&Options::default().cache_dir(cache.path())).unwrap_err();
    assert!(matches!(error, EmbeddedError::NotOurs { .. }), "{error}");
}

#[test]
fn a_cache_directory_behind_somebody_elses_link_is_refused() {
    let cache = cold_cache();
    let link = cache.path().join("link");
    std::os::unix::fs::symlink(std::env::temp_dir(), &link).unwrap();
    let error = Cluster::start_with(&Options::default().cache_dir(&link)).unwrap_err();
    assert!(matches!(error, EmbeddedError::NotOurs { .. }), "{error}");
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let cache = cold_cache();
    let options = Options::default().cache_dir(cache.path());
    drop(Cluster::start_with(&options).unwrap());
    let template = entries(cache.path(), "template-").pop().unwrap();
    std::fs::remove_file(template.join("global/pg_control")).unwrap();

    let error = Cluster::start_with(&options).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("could not find the database system"),
        "{error}"
    );
}

#[test]
#[ignore = "measures; run it alone: cargo test --test embedded_postgres -- --ignored --nocapture warm_start"]
fn warm_start_takes_a_tenth_of_a_second() {
    drop(Cluster::start().unwrap());
    let mut times: Vec<_> = (0..20)
        .map(|_| {
            let start = Instant::now();
            let cluster = Cluster::start().unwrap();
            let time = start.elapsed();
            drop(cluster);
            time
        })
        .collect();
    times.sort();
    println!(
        "warm start: min {:?}, median {:?}, max {:?}",
        times[0], times[10], times[19]
    );
    assert!(times[10] < Duration::from_millis(250));
}

fn four_at_once(options: &Options) -> Vec<String> {
    scope(|scope| {
        let starts: Vec<_> = (0..4)
            .map(|number| scope.spawn(move || start_and_ask(options, number)))
            .collect();
        starts
            .into_iter()
            .map(|start| start.join().unwrap())
            .collect()
    })
}

#[tokio::main(flavor = "current_thread")]
async fn start_and_ask(options: &Options, number: usize) -> String {
    let cluster = Cluster::start_with(options).unwrap();
    ask(
        &cluster.url("postgres"),
        &format!("SELECT 'cluster {number}' AS value"),
    )
    .await
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text)]
    value: String,
}

async fn ask(url: &str, query: &str) -> String {
    let mut connection = AsyncPgConnection::establish(url).await.unwrap();
    let answer: Answer = sql_query(query).get_result(&mut connection).await.unwrap();
    answer.value
}

async fn run(url: &str, sql: &str) {
    AsyncPgConnection::establish(url)
        .await
        .unwrap()
        .batch_execute(sql)
        .await
        .unwrap();
}

/// A data directory that the server's user can write to, like any temp directory.
fn shared_dir() -> TempDir {
    let data = tempfile::tempdir().unwrap();
    set_permissions(data.path(), Permissions::from_mode(0o1777)).unwrap();
    data
}

/// A cache directory that the server's user can reach, whoever that is.
fn cold_cache() -> TempDir {
    let cache = tempfile::tempdir().unwrap();
    set_permissions(cache.path(), Permissions::from_mode(0o755)).unwrap();
    cache
}

fn templates(cache: &Path) -> usize {
    entries(cache, "template-").len()
}

fn entries(cache: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = read_dir(cache).unwrap().map(|entry| entry.unwrap());
    let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    named.map(|entry| entry.path()).collect()
}
