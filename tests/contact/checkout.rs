//! A suite on a file system that nobody can write to, as a container has it.

use std::path::Path;
use std::process::Command;

use crate::place::Ended;
use crate::run::Running;
use crate::stage::{ITEMS, Stage, sql, suite};

const READ_ONLY: &str = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" || exit 99\n\
                         touch \"$1/x\" 2>/dev/null && exit 98\nshift\nexec \"$@\"";

/// The same command where the folder is read-only, for itself alone.
fn beside_read_only(folder: &Path, command: &Command) -> Command {
    let mut wrapped = Command::new("unshare");
    wrapped
        .args(["--mount", "sh", "-c", READ_ONLY, "sh"])
        .arg(folder);
    wrapped.arg(command.get_program()).args(command.get_args());
    wrapped
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap());
    let set = command.get_envs();
    wrapped.envs(set.filter_map(|(name, value)| Some((name, value?))));
    wrapped.current_dir(command.get_current_dir().unwrap());
    wrapped
}

fn read_only(stage: &Stage, command: &str) -> Ended {
    let command = stage.command_in(&stage.place, command, &[]);
    Running::start(&mut beside_read_only(&stage.place.path("suite"), &command)).end()
}

#[test]
#[ignore = "takes the right to mount: .ci/long checkout"]
fn a_green_check_needs_no_right_to_write() {
    let write = |name: &str| {
        sql(&format!(
            "insert into item values ('{{{{ cell.tag }}}}', '{name}')"
        ))
    };
    let stage = Stage::with(
        ITEMS,
        suite(&["alice", "denied"], &[("write", write("new"))]),
    );
    let before = stage.content();
    stage.records_and_checks(&[]);
    let ended = read_only(&stage, "check");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    // What differs is told all the same, and so is that it cannot be kept.
    let file = stage.place.path("suite/endpoints/write.yaml");
    std::fs::write(&file, write("other").to_string()).unwrap();
    let ended = read_only(&stage, "check");
    assert!(!matches!(ended.code, Some(0 | 98 | 99)), "{ended:#?}");
    assert!(ended.stderr.contains("Read-only file system"), "{ended:#?}");
    assert!(ended.stderr.contains("write.snap.new"), "{ended:#?}");
    stage.assert_is(&before, "from a read-only folder");
}
