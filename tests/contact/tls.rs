//! A database that lets in whoever speaks TLS, and nobody else.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::base::{Base, runtime};
use crate::place::{Ended, Place};
use crate::run::{Running, wait_for};
use crate::stage::{ITEMS, sql, suite};
use crate::toy::Toy;

/// A server of its own, since a server has one certificate for all of its databases.
struct Server {
    folder: TempDir,
    process: Child,
    base: Base,
    port: u16,
}

/// Who may come in which way; what begins with `hostssl` takes TLS, and the last ones a certificate as well.
const ADMITTED: &str = "host all postgres 127.0.0.1/32 trust
hostssl all tool 127.0.0.1/32 trust
hostssl all vouched 127.0.0.1/32 trust clientcert=verify-ca
host all bound 127.0.0.1/32 scram-sha-256
host all unbound 127.0.0.1/32 md5
";

impl Server {
    fn start() -> Self {
        let known = Base::with("");
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let binaries = known.lines("select setting as line from pg_config where name = 'BINDIR'");
        let binaries = PathBuf::from(&binaries[0]);
        let data = known.lines("select current_setting('data_directory') as line");
        let owner = fs::metadata(&data[0]).unwrap();
        let as_owner = |program: &str| {
            let mut command = Command::new(binaries.join(program));
            command.uid(owner.uid()).gid(owner.gid()).current_dir("/");
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        chown(&data, Some(owner.uid()), Some(owner.gid())).unwrap();
        let made = as_owner("initdb")
            .args([
                "-A",
                "trust",
                "-U",
                "postgres",
                "--no-sync",
                "-E",
                "UTF8",
                "-D",
            ])
            .arg(&data)
            .status();
        assert!(made.unwrap().success());
        fs::write(data.join("pg_hba.conf"), ADMITTED).unwrap();
        certificates(folder.path());
        let key = folder.path().join("server.key");
        chown(&key, Some(owner.uid()), Some(owner.gid())).unwrap();
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        let port = free_port();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let settings = [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            "fsync=off".to_owned(),
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", file("server.pem")),
            format!("ssl_key_file={}", file("server.key")),
            format!("ssl_ca_file={}", file("ca.pem")),
        ];
        let settings = settings.iter();
        let settings = settings.flat_map(|setting| ["-c", setting.as_str()]);
        let mut server = as_owner("postgres");
        let process = server.arg("-D").arg(&data).args(settings).spawn().unwrap();
        let root = format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
        wait_for("the server is ready", || {
            runtime()
                .block_on(AsyncPgConnection::establish(&root))
                .is_ok()
        });
        let [name, owner] = ["postgres", "tool"].map(str::to_owned);
        let base = Base { name, owner, root };
        base.root_sql("create role tool login; create role vouched login in role tool; create role bound login password 'between-us' in role tool; set password_encryption = md5; create role unbound login password 'between-us' in role tool; comment on database postgres is 'authz-pin: test database'; alter database postgres owner to tool; alter schema public owner to tool");
        base.root_sql(&format!("set role tool; {ITEMS}"));
        Self {
            folder,
            process,
            base,
            port,
        }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn url(&self, role: &str, host: &str, query: &str) -> String {
        format!("postgres://{role}@{host}:{}/postgres?{query}", self.port)
    }

    /// Runs `clean` as somebody who comes to that host in that way.
    fn clean(&self, (role, host, query): (&str, &str, &str)) -> Ended {
        let url = &self.url(role, host, query);
        let place = Place::empty();
        let mut command = place.command(&["clean", "--database-url", url]);
        let ended = Running::start(&mut command).end();
        assert!(!ended.stderr.contains("sslrootcert="), "{ended:#?}");
        ended
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let process = Pid::from_raw(self.process.id().cast_signed());
        // Ends its sessions, and then itself.
        kill(process, Signal::SIGINT).unwrap();
        self.process.wait().unwrap();
    }
}

fn pem(what: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {what}-----\n{text}\n-----END {what}-----\n")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// An authority, what it signed for `localhost` and for a client, and another authority.
fn certificates(folder: &Path) {
    let authority = || {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ours, other) = (authority(), authority());
    let put = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
    put("ca.pem", pem("CERTIFICATE", ours.der()));
    put("other.pem", pem("CERTIFICATE", other.der()));
    for name in ["server", "client"] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        // One that is called as its authority would be taken for its own.
        params.distinguished_name.push(DnType::CommonName, name);
        let signed = params.signed_by(&key, &ours).unwrap();
        put(&format!("{name}.pem"), pem("CERTIFICATE", signed.der()));
        put(
            &format!("{name}.key"),
            pem("PRIVATE KEY", &key.serialize_der()),
        );
    }
}

#[test]
fn a_server_is_known_by_its_authority_and_its_name() {
    let server = Server::start();
    let [ca, other] = ["ca.pem", "other.pem"].map(|name| server.file(name));
    let code = |host: &str, query: &str| server.clean(("tool", host, query)).code;
    let verified = |mode: &str, ca: &str| format!("sslmode={mode}&sslrootcert={ca}");
    for mode in ["prefer", "require", "no-verify"] {
        assert_eq!(
            code("127.0.0.1", &format!("sslmode={mode}")),
            Some(0),
            "{mode}"
        );
    }
    assert_eq!(code("127.0.0.1", ""), Some(0));
    assert_eq!(code("localhost", &verified("verify-full", &ca)), Some(0));
    assert_eq!(code("127.0.0.1", &verified("verify-ca", &ca)), Some(0));
    assert_eq!(code("127.0.0.1", &verified("require", &ca)), Some(0));
    let refused = [
        ("127.0.0.1", "sslmode=disable".to_owned(), "pg_hba.conf"),
        (
            "127.0.0.1",
            verified("verify-full", &ca),
            "not valid for name",
        ),
        (
            "localhost",
            verified("verify-full", &other),
            "invalid peer certificate",
        ),
        (
            "localhost",
            verified("verify-ca", &other),
            "invalid peer certificate",
        ),
        (
            "localhost",
            "sslmode=verify-full".to_owned(),
            "invalid peer certificate",
        ),
        (
            "localhost",
            "sslmode=verify-ca".to_owned(),
            "needs `sslrootcert`",
        ),
    ];
    for (host, query, why) in refused {
        let ended = server.clean(("tool", host, &query));
        assert_eq!(ended.code, Some(3), "{query}");
        assert!(ended.stderr.contains(why), "{query}: {}", ended.stderr);
    }
    let [own, key] = ["client.pem", "client.key"].map(|name| server.file(name));
    let vouched = |query: &str| server.clean(("vouched", "localhost", query));
    let ended = vouched(&format!("sslmode=require&sslcert={own}&sslkey={key}"));
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(vouched("sslmode=require").code, Some(3));

    // A whole run, whose effects are seen.
    let toy = Toy::start(&server.base.root, &server.base.root);
    let write = sql("insert into item values ('{{ cell.tag }}', 'new')");
    let place = suite(&["alice", "denied"], &[("write", write)]);
    let query = format!(
        "schema=public&connection_limit=5&{}",
        verified("verify-full", &ca)
    );
    let (url, service) = (server.url("tool", "localhost", &query), toy.url());
    for command in ["record", "check"] {
        let arguments = [
            command,
            "suite",
            "--base-url",
            &service,
            "--database-url",
            &url,
        ];
        let reason: &[&str] = if command == "record" {
            &["--reason", "it does so"]
        } else {
            &[]
        };
        let ended = Running::start(&mut place.command(&[&arguments[..], reason].concat())).end();
        assert_eq!(ended.code, Some(0), "{command}: {ended:#?}");
    }
    let record = fs::read_to_string(place.path("suite/snapshots/write.snap")).unwrap();
    assert!(record.contains("insert"), "{record}");
}

#[test]
fn a_password_can_be_bound_to_the_channel() {
    let server = Server::start();
    let ended = |role: &str, query: &str| {
        let ended = server.clean((&format!("{role}:between-us"), "127.0.0.1", query));
        assert!(!ended.stderr.contains("between-us"), "{ended:#?}");
        ended
    };
    let bound = "sslmode=require&channel_binding=require";
    for query in [
        bound,
        "sslmode=disable",
        "sslmode=require&channel_binding=disable",
    ] {
        assert_eq!(ended("bound", query).code, Some(0), "{query}");
    }
    assert_eq!(ended("unbound", "sslmode=require").code, Some(0));
    // Without TLS there is no channel to bind to, and with an older way to log in no binding.
    let refused = [
        ("bound", "sslmode=disable&channel_binding=require"),
        ("unbound", bound),
    ];
    for (role, query) in refused {
        let ended = ended(role, query);
        assert_eq!(ended.code, Some(3), "{query}");
        assert!(ended.stderr.contains("channel binding"), "{ended:#?}");
    }
}
