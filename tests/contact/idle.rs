//! A service whose session idles in a transaction, as an ORM keeps it after a read.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::base::{Base, lines, runtime};
use crate::run::wait_for;
use crate::stage::{ITEMS, Stage, sql, suite};

const WRITE: &str = "insert into item values ('{{ cell.tag }}', 'new')";

fn stage() -> Stage {
    Stage::with(ITEMS, suite(&["alice", "denied"], &[("write", sql(WRITE))]))
}

/// A session of the service that has read and not ended its transaction, with its process.
fn idle(base: &Base) -> (AsyncPgConnection, String) {
    let mut session = Base::session(&base.url());
    let pid = lines(&mut session, "select pg_backend_pid()::text as line").remove(0);
    let read = session.batch_execute("begin; select count(*) from item");
    runtime().block_on(read).unwrap();
    (session, pid)
}

/// Ends it, which the server notices a moment later.
fn end(base: &Base, session: AsyncPgConnection, pid: &str) {
    drop(session);
    let sessions = format!("select 'there' as line from pg_stat_activity where pid = {pid}");
    wait_for("the session is gone", || base.lines(&sessions).is_empty());
}

#[test]
fn a_session_that_idles_in_a_transaction_keeps_no_run_from_its_result() {
    let stage = stage();
    let before = stage.base.content();
    let (_session, pid) = idle(&stage.base);
    for command in ["record", "check"] {
        let ended = stage.run(command, &[]);
        assert_eq!(ended.code, Some(0), "{command}: {ended:#?}");
        for text in [pid.as_str(), "idle in transaction"] {
            assert!(ended.stderr.contains(text), "`{text}`: {}", ended.stderr);
        }
        assert_eq!(stage.base.content(), before);
        assert!(stage.has_record("write"));
    }
}

#[test]
fn triggers_that_had_to_stay_log_nothing_and_go_with_a_clean() {
    let stage = stage();
    let before = stage.base.content();
    let (session, pid) = idle(&stage.base);
    let ended = stage.run("check", &[]);
    assert_eq!(ended.code, Some(1), "there is no snapshot yet: {ended:#?}");
    assert_ne!(stage.base.traces(), Vec::<String>::new());

    stage
        .base
        .owner_sql("insert into item values ('afterwards', 'x'); update item set name = 'y' where id = 'afterwards'; delete from item where id = 'afterwards'");
    let logs = "select c.oid::regclass::text as line from pg_class c
        where c.relnamespace = to_regnamespace('authz_pin') and c.relkind = 'r'";
    for table in stage.base.lines(logs) {
        let rows = format!("select t::text as line from {table} t");
        let rows = stage.base.lines(&rows).join("\n");
        assert!(!rows.contains("afterwards"), "{table}: {rows}");
    }

    end(&stage.base, session, &pid);
    let ended = stage.clean();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    stage.base.assert_is(&before, "clean");
}

#[test]
fn a_session_that_keeps_a_run_from_watching_a_table_is_named() {
    let stage = stage();
    let before = stage.base.content();
    let (mut session, pid) = idle(&stage.base);
    let write = session.batch_execute("update item set name = 'theirs' where id = 'keep1'");
    runtime().block_on(write).unwrap();
    let ended = stage.run("check", &[]);
    for text in [pid.as_str(), "idle in transaction", "item"] {
        assert!(ended.stderr.contains(text), "`{text}`: {}", ended.stderr);
    }
    end(&stage.base, session, &pid);

    assert_eq!(stage.clean().code, Some(0));
    stage.base.assert_is(&before, "clean");
}

/// A pipe that takes no more, and its other end.
fn full_pipe() -> (OwnedFd, std::io::PipeReader) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = OFlag::from_bits_retain(fcntl(&writer, FcntlArg::F_GETFL).unwrap());
    fcntl(&writer, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK)).unwrap();
    for piece in [4096, 1] {
        while writer.write(&vec![b' '; piece]).is_ok() {}
    }
    fcntl(&writer, FcntlArg::F_SETFL(flags)).unwrap();
    (writer.into(), reader)
}

#[test]
fn the_result_is_shown_before_the_database_is_cleaned_up() {
    let stage = stage();
    let before = stage.base.content();
    let (writer, mut reader) = full_pipe();
    let report = stage.place.path("report.json");
    let arguments = ["--report", "json=report.json"];
    // It stops where it shows the matrix, until somebody reads it.
    let mut run = stage.start_into("check", &arguments, Stdio::from(writer));
    let is_there = run.until(Duration::from_mins(1), |_| report.exists());
    assert!(is_there, "{}", run.stderr());
    sleep(Duration::from_millis(300));
    assert!(!run.is_over(), "it showed no matrix: {}", run.stderr());
    let proposal = stage.place.path("suite/snapshots/write.snap.new");
    assert!(proposal.exists(), "what differs is written by then");
    let traces = stage.base.traces();

    let matrix = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    let ended = run.end();
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let matrix = matrix.join().unwrap();
    assert!(matrix.contains("write POST /do"), "{matrix}");
    stage.base.assert_is(&before, "check");
    assert_ne!(
        traces,
        Vec::<String>::new(),
        "the database was cleaned up first"
    );
}
