//! However a run ends, the database is row for row what it was.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use authz_pin::sweep::Options;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::facts::{count, everything};
use crate::support::{Fixture, root, suite};

/// A check by the binary, in the middle of its sweep: scratch keys are there beside the nine of the world.
async fn under_way(fixture: &Fixture) -> Child {
    let mut check = Command::new(env!("CARGO_BIN_EXE_authz-pin"));
    check
        .args(["check", "--concurrency", "1"])
        .current_dir(root());
    check.env("AUTHZ_PIN_BASE_URL", fixture.url(""));
    check.env("AUTHZ_PIN_DATABASE_URL", &fixture.database_url);
    check.env("AUTHZ_PIN_VAR_MASTER_KEY", &fixture.master_key);
    let child = check
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let keys = "select count(*) from \"LiteLLM_VerificationToken\"";
    while count(&fixture.database_url, keys).await < 20 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_run_undoes_what_a_killed_one_left() {
    let fixture = Fixture::new().await;
    let before = everything(&fixture.database_url).await;
    let mut child = under_way(&fixture).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(everything(&fixture.database_url).await, before);
    let swept = fixture
        .sweep(&suite(), "key-info", &Options::default())
        .await;
    assert_eq!(swept.undone.leftovers, []);
    assert_eq!(everything(&fixture.database_url).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_undoes_what_it_did() {
    stop(Signal::SIGINT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_told_to_end_undoes_what_it_did() {
    stop(Signal::SIGTERM).await;
}

async fn stop(signal: Signal) {
    let fixture = Fixture::new().await;
    let before = everything(&fixture.database_url).await;
    let mut child = under_way(&fixture).await;
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(everything(&fixture.database_url).await, before);
    let schemas = "select count(*) from pg_namespace where nspname = 'authz_pin'";
    assert_eq!(count(&fixture.database_url, schemas).await, 0);
}
