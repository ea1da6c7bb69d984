//! No credential of a run is in anything that the tool leaves or prints.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;

use aho_corasick::AhoCorasick;
use authz_pin::embedded::Cluster;
use authz_pin::template::random;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};

use super::gossip::{Gossip, forms};
use super::place::{Ended, PATIENCE, Place, end, start};
use super::stub::Stub;

/// What is not allowed to be anywhere, and everything that was said, by where.
#[derive(Default)]
struct Watch {
    secrets: Vec<String>,
    said: Vec<(String, Vec<u8>)>,
}

impl Watch {
    fn keep(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
    }

    fn hear(&mut self, what: &str, text: impl Into<Vec<u8>>) {
        self.said.push((what.to_owned(), text.into()));
    }

    /// Every secret that was said in any form, by where.
    fn leaks(&self) -> BTreeSet<String> {
        let forms: BTreeSet<String> = self
            .secrets
            .iter()
            .flat_map(|secret| forms(secret))
            .collect();
        let forms: Vec<&str> = forms
            .iter()
            .map(|form| form.trim_end_matches('='))
            .collect();
        let search = AhoCorasick::new(&forms).unwrap();
        let mut leaks = BTreeSet::new();
        for (what, text) in &self.said {
            let found = search.find_overlapping_iter(text);
            let forms = found.filter_map(|found| forms.get(found.pattern().as_usize()));
            leaks.extend(forms.map(|form| format!("`{form}` in {what}")));
        }
        leaks
    }
}

async fn execute(url: &str, sql: &str) {
    let mut connection = AsyncPgConnection::establish(url).await.unwrap();
    connection.batch_execute(sql).await.unwrap();
}

/// A database that its role needs a password for, and a log of every statement.
async fn database(cluster: &Cluster, password: &str) -> (String, String) {
    let admin = cluster.create_database("canary").await.unwrap();
    let tables = "create table account (user_id text primary key, token text not null);
        create table audit (id text primary key, told text not null);";
    let role = format!("create role canary login password '{password}';");
    let owner = "alter database canary owner to canary; alter table account owner to canary;
        alter table audit owner to canary;";
    execute(&admin, &format!("{tables}{role}{owner}")).await;
    let access = cluster.directory().join("data/pg_hba.conf");
    let rules = fs::read_to_string(&access).unwrap();
    fs::write(&access, format!("local all canary scram-sha-256\n{rules}")).unwrap();
    execute(&admin, "alter system set log_statement = 'all'").await;
    execute(&admin, "select pg_reload_conf()").await;
    let url = admin.replace(
        "postgres://postgres@",
        &format!("postgres://canary:{password}@"),
    );
    (admin, url)
}

/// Writes a row as the service does, without the log that is watched here for what the tool says.
fn writer(url: String) -> impl Fn(&str) + Send + Sync + 'static {
    move |text| {
        let sql = format!("insert into audit values ('{}', '{text}')", random(12));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let mut connection = AsyncPgConnection::establish(&url).await.unwrap();
            // By itself, since what is sent together is logged together.
            connection
                .batch_execute("set log_statement = 'none'")
                .await
                .unwrap();
            connection.batch_execute(&sql).await.unwrap();
        });
    }
}

/// A place with the suite, its service and its database, where everything is watched.
struct Scene {
    place: Place,
    gossip: Gossip,
    database_url: String,
    watch: Watch,
    root_key: String,
}

impl Scene {
    fn run(&mut self, arguments: &[&str], code: i32) -> Ended {
        let url = self.gossip.raw.url();
        self.run_with(&[("AUTHZ_PIN_BASE_URL", &url)], arguments, code)
    }

    fn run_with(&mut self, more: &[(&str, &str)], arguments: &[&str], code: i32) -> Ended {
        let temporary = self.place.path("tmp");
        fs::create_dir_all(&temporary).unwrap();
        let environment = [
            ("TMPDIR", temporary.to_str().unwrap()),
            ("AUTHZ_PIN_DATABASE_URL", &self.database_url),
            ("AUTHZ_PIN_VAR_ROOT_KEY", &self.root_key),
        ];
        let environment = [&environment, more].concat();
        let ended = self.place.run_with(&environment, arguments);
        self.watch.hear(
            &format!("the output of {arguments:?}"),
            ended.stdout.clone(),
        );
        self.watch.hear(
            &format!("the errors of {arguments:?}"),
            ended.stderr.clone(),
        );
        for (file, content) in self.place.files() {
            self.watch
                .hear(&format!("{} after {arguments:?}", file.display()), content);
        }
        assert_eq!(ended.code, Some(code), "{arguments:?}: {ended:#?}");
        ended
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_in_anything_that_the_tool_leaves_or_prints() {
    let cluster = Cluster::start().unwrap();
    let stub = Stub::start(&[]);
    let [password, root_key, other] =
        ["pw", "rk", "ot"].map(|kind| format!("{kind}{}", random(20)));
    let (admin, database_url) = database(&cluster, &password).await;
    let mut scene = Scene {
        place: Place::with("canary"),
        gossip: Gossip::start(&database_url, writer(admin.clone())),
        database_url: database_url.clone(),
        watch: Watch::default(),
        root_key: root_key.clone(),
    };
    for secret in [&password, &root_key, &other] {
        scene.watch.keep(secret);
    }

    scene.run(&["check", "canary"], 1);
    scene.run(&["check", "canary", "--format", "json"], 1);
    scene.run(&["record", "canary", "--reason", "it gossips"], 0);
    scene.run(&["check", "canary", "--concurrency", "1"], 0);
    scene.gossip.switches.is_open.store(true, Ordering::SeqCst);
    let drifted = scene.run(&["check", "canary"], 1);
    assert!(drifted.stdout.contains("\nwidened echo"), "{drifted:#?}");
    let reports = [
        "--report",
        "html=report.html",
        "--report",
        "json=report.json",
    ];
    let arguments = [&["check", "canary", "--format", "json"], &reports[..]].concat();
    scene.run(&arguments, 1);
    let snapshots = ["echo.snap", "echo.snap.new"].map(|name| format!("canary/snapshots/{name}"));
    scene.run(&["diff", &snapshots[0], &snapshots[1]], 1);
    scene.run(&["list", "canary"], 0);
    scene.run(&["clean"], 0);

    let wrong = database_url.replace(&password, &other);
    scene.run_with(
        &[
            ("AUTHZ_PIN_DATABASE_URL", &wrong),
            ("AUTHZ_PIN_BASE_URL", &scene.gossip.raw.url()),
        ],
        &["check", "canary"],
        3,
    );
    let nowhere = format!("http://me:{other}@127.0.0.1:1");
    scene.run(
        &["check", "canary", "--base-url", &nowhere, "--wait", "0"],
        3,
    );
    scene.run(
        &[
            "check",
            "canary",
            "--base-url",
            &format!("ftp://me:{other}@localhost"),
        ],
        2,
    );
    scene.run(&["check", "canary", "--var", &other], 2);
    scene.gossip.switches.dies.store(true, Ordering::SeqCst);
    let died = scene.run(&["check", "canary"], 3);
    assert!(
        died.stderr.contains("the service is no longer ready")
            || died.stderr.contains("no answer from POST"),
        "{died:#?}"
    );

    let log = fs::read(cluster.directory().join("log")).unwrap();
    assert!(
        String::from_utf8_lossy(&log)
            .to_lowercase()
            .contains("insert into"),
        "the log has no statements"
    );
    scene.watch.hear("the database's log", log);
    for heard in scene.gossip.heard() {
        scene.watch.keep(&heard);
    }
    assert!(scene.watch.secrets.len() > 100, "the service heard nothing");
    let recorded = fs::read_to_string(scene.place.path("canary/snapshots/echo.snap")).unwrap();
    for name in [
        "<target.key>",
        "<actor.key>",
        "<root_key>",
        "new.key",
        "<url>",
    ] {
        assert!(recorded.contains(name), "{name} is not in\n{recorded}");
    }
    assert_eq!(scene.watch.leaks(), BTreeSet::new());
    nothing_is_left(&admin).await;

    scene.gossip.switches.dies.store(false, Ordering::SeqCst);
    execute(&admin, REFUSAL).await;
    let refused = scene.run(&["check", "canary", "--base-url", &stub.url()], 3);
    let named = "error: the database refused to insert into `account`: no row for <admin.token>";
    assert!(refused.stderr.contains(named), "{refused:#?}");
}

/// A database that repeats a value in its error.
const REFUSAL: &str = "create function refuse() returns trigger language plpgsql as
    $$ begin raise 'no row for %', new.token; end $$;
    create trigger refuse before insert on account for each row execute function refuse()";

/// Neither the journal nor a row, also after the runs that failed.
async fn nothing_is_left(admin: &str) {
    let check = "do $$ begin
        if to_regnamespace('authz_pin') is not null then raise 'the journal is there'; end if;
        if exists (select from account) or exists (select from audit) then raise 'rows are there'; end if;
        end $$";
    execute(admin, check).await;
}

#[test]
fn a_leak_in_any_form_would_be_found() {
    let mut watch = Watch::default();
    watch.keep("sk-1234567890abcdef");
    watch.hear("nothing", "sk-1234 and <owner.key>");
    assert_eq!(watch.leaks(), BTreeSet::new());
    for form in forms("sk-1234567890abcdef") {
        watch.said.clear();
        watch.hear("a text", format!("a text with {form} in it"));
        assert!(!watch.leaks().is_empty(), "{form}");
    }
}

/// The processes that the tool starts are seen by everybody on the machine.
#[cfg(target_os = "linux")]
#[test]
fn no_process_that_the_tool_starts_is_given_a_credential() {
    let key = format!("sk-{}", random(32));
    let place = Place::with_litellm();
    let arguments = ["check", "--filter", "key-info/*/owner", "--format", "json"];
    let mut command = place.command(&arguments);
    command.env("AUTHZ_PIN_VAR_MASTER_KEY", &key);
    let child = start(&mut command);
    let mut watch = Watch::default();
    watch.keep(&key);
    let mut seen = 0;
    let begun = std::time::Instant::now();
    while begun.elapsed() < PATIENCE && !is_over(child.id()) {
        let own = program(child.id());
        // Between its fork and its start a child still is the tool, with the tool's environment.
        let started = |process: &u32| program(*process) != own;
        for process in descendants(child.id()).into_iter().filter(started) {
            seen += 1;
            for part in ["cmdline", "environ"] {
                let text = fs::read(format!("/proc/{process}/{part}")).unwrap_or_default();
                watch.hear(part, text);
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let ended = end(child);
    assert!(matches!(ended.code, Some(0 | 1)), "{ended:#?}");
    watch.hear("the output", ended.stdout);
    watch.hear("the errors", ended.stderr);
    assert!(seen > 0, "no process was seen");
    assert_eq!(watch.leaks(), BTreeSet::new());
}

#[cfg(target_os = "linux")]
fn program(process: u32) -> Option<std::path::PathBuf> {
    fs::read_link(format!("/proc/{process}/exe")).ok()
}

#[cfg(target_os = "linux")]
fn is_over(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status.is_empty() || status.contains(") Z ")
}

#[cfg(target_os = "linux")]
fn descendants(process: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        let status = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = status
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(1))
            .and_then(|id| id.parse().ok());
        if parent == Some(process) {
            found.push(id);
            found.extend(descendants(id));
        }
    }
    found
}
