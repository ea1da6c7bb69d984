//! What the tool must not know, and what must not leak.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::MetadataCommand;

use crate::support::root;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn no_snapshot_holds_anything_that_looks_like_a_key() {
    for file in files(&root().join("snapshots")) {
        let text = fs::read_to_string(&file).unwrap();
        for (at, _) in text.match_indices("sk-") {
            let word = text[at + 3..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c))
                .count();
            assert!(word < 16, "{} holds a key at byte {at}", file.display());
        }
    }
}

#[test]
fn the_tool_never_imports_the_gateways_code() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let package = |name: &str| {
        metadata
            .packages
            .iter()
            .find(|package| package.name.as_str() == name)
            .unwrap()
    };
    let (tool, gateway) = (package("authz-pin"), package("authz-pin-gateway"));
    let on_gateway = tool
        .dependencies
        .iter()
        .filter(|dependency| dependency.name == "authz-pin-gateway");
    let on_gateway: Vec<_> = on_gateway
        .filter(|dependency| dependency.kind == cargo_metadata::DependencyKind::Normal)
        .collect();
    assert!(
        on_gateway.iter().all(|dependency| dependency.optional),
        "the library would depend on the gateway"
    );
    let features: Vec<&String> = tool
        .features
        .iter()
        .filter(|(_, on)| on.iter().any(|on| on == "dep:authz-pin-gateway"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        features,
        ["gateway"],
        "a feature other than the binary's brings the gateway in"
    );
    assert!(
        gateway
            .dependencies
            .iter()
            .all(|dependency| dependency.name != "authz-pin"),
        "the gateway depends on the tool"
    );
    // The binary alone names the gateway: `main.rs` and its module `gateway.rs` are no part of the library.
    let is_binary =
        |file: &PathBuf| [root().join("src/main.rs"), root().join("src/gateway.rs")].contains(file);
    for file in files(&root().join("src"))
        .into_iter()
        .filter(|file| !is_binary(file))
    {
        assert!(
            !fs::read_to_string(&file)
                .unwrap()
                .contains("authz_pin_gateway"),
            "{} names the gateway",
            file.display()
        );
    }
}

#[test]
fn the_tools_source_knows_no_service() {
    for file in files(&root().join("src")) {
        let text = fs::read_to_string(&file).unwrap().to_lowercase();
        assert!(
            !text.contains("litellm"),
            "{} knows LiteLLM",
            file.display()
        );
    }
}

#[test]
fn the_ambient_environment_changes_nothing_in_an_embedded_run() {
    let hostile = [
        (
            "DATABASE_URL",
            "postgres://nobody:secret@127.0.0.1:1/nothing",
        ),
        ("LITELLM_MASTER_KEY", "sk-somebody-elses"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("http_proxy", "http://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", "1"),
        ("PGOPTIONS", "-c search_path=nowhere"),
        ("TZ", "Pacific/Kiritimati"),
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "tr_TR.UTF-8"),
    ];
    let mut check = Command::new(env!("CARGO_BIN_EXE_authz-pin"));
    check
        .args(["check", "--filter", "key-delete"])
        .current_dir(root())
        .envs(hostile);
    let output = check.output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
}
