//! A pooler before the database: one that lends connections for a transaction is refused before anything is said to it, and one
//! that lends them for a session is like the server.

use std::collections::VecDeque;
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::spawn;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::base::Base;
use crate::place::Ended;
use crate::run::{Running, wait_for};
use crate::stage::{ITEMS, Stage, sql, suite};

const REFUSED: &str = "is a pooler that lends connections for a transaction or a statement only";

/// Which of the server's connections is lent next.
#[derive(Clone, Copy)]
enum Order {
    LastBack,
    LongestBack,
}

/// What a pooler in transaction mode is to somebody who sends one statement after the other.
struct Lender {
    port: u16,
    said: Arc<Mutex<Vec<String>>>,
}

impl Lender {
    fn start(base: &Base, connections: usize, order: Order) -> Self {
        let [folder, port] = server(base);
        let socket = format!("{folder}/.s.PGSQL.{port}");
        let (mut greeting, mut free) = (Vec::new(), VecDeque::new());
        for _ in 0..connections {
            let mut stream = UnixStream::connect(&socket).unwrap();
            let words = ["user", &base.owner, "database", &base.name, "", ""].join("\0");
            let words = [&196_608_u32.to_be_bytes(), words.as_bytes()].concat();
            let length = u32::try_from(words.len() + 4).unwrap();
            stream.write_all(&length.to_be_bytes()).unwrap();
            stream.write_all(&words).unwrap();
            greeting = until_ready(&mut stream);
            free.push_back(stream);
        }
        let (free, said) = (Arc::new(Mutex::new(free)), Arc::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::clone(&said);
        spawn(move || {
            for client in listener.incoming() {
                let (free, heard, greeting) =
                    (Arc::clone(&free), Arc::clone(&heard), greeting.clone());
                spawn(move || serve(client.unwrap(), &greeting, &free, order, &heard));
            }
        });
        Self { port, said }
    }
}

/// The folder of the server's socket, and its port.
fn server(base: &Base) -> [String; 2] {
    ["unix_socket_directories", "port"].map(|name| setting(base, name))
}

fn setting(base: &Base, name: &str) -> String {
    base.lines(&format!("select current_setting('{name}') as line"))
        .remove(0)
}

/// A message with its kind; none where the other side has gone.
fn message(stream: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes(head[1..].try_into().unwrap());
    let mut body = vec![0; length as usize - 4];
    stream.read_exact(&mut body).ok()?;
    Some((head[0], [&head[..], &body].concat()))
}

/// What the server says until it waits for the next statement.
fn until_ready(server: &mut UnixStream) -> Vec<u8> {
    let mut said = Vec::new();
    loop {
        let (kind, message) = message(server).unwrap();
        said.extend(message);
        if kind == b'Z' {
            return said;
        }
    }
}

fn serve(
    mut client: TcpStream,
    greeting: &[u8],
    free: &Mutex<VecDeque<UnixStream>>,
    order: Order,
    said: &Mutex<Vec<String>>,
) {
    client.set_nodelay(true).unwrap();
    // Who asks for TLS is told that there is none, and begins again.
    while begins_with_tls(&mut client) {
        client.write_all(b"N").unwrap();
    }
    client.write_all(greeting).unwrap();
    while let Some((kind, statement)) = message(&mut client) {
        if kind != b'Q' {
            return;
        }
        let text = String::from_utf8_lossy(&statement[5..statement.len() - 1]);
        said.lock().unwrap().push(text.into_owned());
        let mut free = free.lock().unwrap();
        let mut server = free.pop_front().unwrap();
        server.write_all(&statement).unwrap();
        let answer = until_ready(&mut server);
        match order {
            Order::LastBack => free.push_front(server),
            Order::LongestBack => free.push_back(server),
        }
        drop(free);
        client.write_all(&answer).unwrap();
    }
}

fn begins_with_tls(client: &mut TcpStream) -> bool {
    let mut length = [0; 4];
    client.read_exact(&mut length).unwrap();
    let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut rest).unwrap();
    rest == 80_877_103_u32.to_be_bytes()
}

fn through(base: &Base, port: u16) -> String {
    format!("postgres://{}@127.0.0.1:{port}/{}", base.owner, base.name)
}

fn stage() -> Stage {
    let write = sql("insert into item values ('{{ cell.tag }}', 'new')");
    Stage::with(ITEMS, suite(&["alice", "denied"], &[("write", write)]))
}

fn run(stage: &Stage, arguments: &[&str]) -> Ended {
    Running::start(&mut stage.place.command(arguments)).end()
}

/// `check`, `record` and `clean` over that database.
fn all(stage: &Stage, url: &str) -> [Ended; 3] {
    let service = stage.toy.url();
    let sweep = ["suite", "--base-url", &service, "--database-url", url];
    let record = [&["record"], &sweep[..], &["--reason", "it does so"]].concat();
    let check = [&["check"], &sweep[..]].concat();
    let clean = ["clean", "--database-url", url];
    [&record[..], &check, &clean].map(|arguments| run(stage, arguments))
}

#[test]
fn a_pooler_that_lends_by_transaction_is_refused_before_anything_is_set() {
    let stage = stage();
    let pools = [
        (1, Order::LastBack),
        (2, Order::LastBack),
        (2, Order::LongestBack),
        (3, Order::LongestBack),
    ];
    for (connections, order) in pools {
        let lender = Lender::start(&stage.base, connections, order);
        for ended in all(&stage, &through(&stage.base, lender.port)) {
            assert_eq!(ended.code, Some(3), "{ended:#?}");
            assert!(ended.stderr.contains(REFUSED), "{ended:#?}");
            assert!(ended.stderr.contains("pool_mode = session"), "{ended:#?}");
        }
        let said = lender.said.lock().unwrap();
        assert_eq!(said.len(), 12, "{said:#?}");
        assert!(
            said.iter().all(|text| text == "select pg_backend_pid()"),
            "{said:#?}"
        );
    }
}

#[test]
fn a_server_that_takes_one_connection_only_is_told_as_such() {
    let stage = stage();
    let owner = &stage.base.owner;
    stage
        .base
        .root_sql(&format!("alter role {owner} connection limit 1"));
    // The service has sessions of its own only while it is called.
    let ended = run(&stage, &["clean", "--database-url", &stage.base.url()]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    assert!(ended.stderr.contains("a second connection: "), "{ended:#?}");
}

/// The program of Debian's package `pgbouncer`, as somebody who is not root.
struct PgBouncer {
    _folder: tempfile::TempDir,
    process: Child,
    port: u16,
}

impl PgBouncer {
    fn start(base: &Base, pool_mode: &str, size: usize, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let [socket, server] = server(base);
        let settings = format!(
            "[databases]\n* = host={socket} port={server}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\n\
             unix_socket_dir=\nauth_type=trust\nauth_file=users.txt\npool_mode={pool_mode}\ndefault_pool_size={size}\n{more}\n"
        );
        fs::write(folder.path().join("pgbouncer.ini"), settings).unwrap();
        let users = format!("\"{}\" \"\"\n", base.owner);
        fs::write(folder.path().join("users.txt"), users).unwrap();
        let mut command = Command::new("pgbouncer");
        command.arg("pgbouncer.ini").current_dir(folder.path());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        // As root it refuses to run; the server's user reaches the server.
        let owner = fs::metadata(setting(base, "data_directory")).unwrap();
        command.uid(owner.uid()).gid(owner.gid());
        let process = command.spawn().unwrap();
        wait_for("the pooler is ready", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self {
            _folder: folder,
            process,
            port,
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let process = Pid::from_raw(self.process.id().cast_signed());
        kill(process, Signal::SIGKILL).unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
#[ignore = "takes pgbouncer: .ci/long poolers"]
fn pgbouncer_is_refused_where_it_lends_by_transaction() {
    let stage = stage();
    for (mode, size, more) in [
        ("transaction", 1, ""),
        ("transaction", 5, ""),
        ("transaction", 5, "server_round_robin=1\nmin_pool_size=5"),
        ("statement", 5, ""),
    ] {
        let pooler = PgBouncer::start(&stage.base, mode, size, more);
        for ended in all(&stage, &through(&stage.base, pooler.port)) {
            assert_eq!(ended.code, Some(3), "{mode} {size} {more}: {ended:#?}");
            assert!(
                ended.stderr.contains(REFUSED),
                "{mode} {size} {more}: {ended:#?}"
            );
        }
    }
}

#[test]
#[ignore = "takes pgbouncer: .ci/long poolers"]
fn pgbouncer_is_like_the_server_where_it_lends_by_session() {
    let stage = stage();
    let before = stage.base.content();
    let pooler = PgBouncer::start(&stage.base, "session", 5, "");
    for ended in all(&stage, &through(&stage.base, pooler.port)) {
        assert_eq!(ended.code, Some(0), "{ended:#?}");
    }
    let record = fs::read_to_string(stage.place.path("suite/snapshots/write.snap")).unwrap();
    assert!(record.contains("insert"), "{record}");
    stage
        .base
        .assert_is(&before, "through a pool in session mode");
}
