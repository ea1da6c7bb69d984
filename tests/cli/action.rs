//! The scripts of the action and of a release, as they stand there. What they ask of GitHub, a `gh` of ours answers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use cargo_metadata::MetadataCommand;
use serde_json::Value as Json;

use super::place::{Ended, Place, end, project, start};
use super::stub::Stub;

/// A release of the commit that the action is of, whose archive lies in `release`.
const WITH_A_RELEASE: &str = r#"
echo "$*" >> "$RUNNER_TEMP/asked"
case "$1 $2" in
  "api repos/me/authz-pin/commits/"*) echo 0123abcd ;;
  "release download") cp "$RUNNER_TEMP/release/$7" "$9" ;;
  "attestation verify") test -e "$3" ;;
  *) exit 1 ;;
esac
"#;

/// A pull request with the comments of `$COMMENTS`.
const WITH_COMMENTS: &str = r#"
echo "$*" >> "$RUNNER_TEMP/asked"
case "$*" in
  *--paginate*) printf '%s' "$COMMENTS" ;;
esac
"#;

fn action() -> Json {
    let text = fs::read_to_string(project().join("action.yml")).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

/// The script of the step of this name.
fn script(name: &str) -> String {
    let action = action();
    let mut steps = action["runs"]["steps"].as_array().unwrap().iter();
    let step = steps.find(|step| step["name"] == name).unwrap();
    step["run"].as_str().unwrap().to_owned()
}

fn program(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/usr/bin/env bash\n{script}")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a step as GitHub does: with its files, and with what the step's own environment holds.
fn step(place: &Place, name: &str, environment: &[(&str, &str)]) -> Ended {
    fs::write(place.path("step.sh"), script(name)).unwrap();
    let tool = Path::new(env!("CARGO_BIN_EXE_authz-pin"));
    let path = std::env::var("PATH").unwrap();
    let path = format!(
        "{}:{}:{path}",
        place.path("bin").display(),
        tool.parent().unwrap().display()
    );
    let mut bash = Command::new("bash");
    bash.args(["--noprofile", "--norc", "-eo", "pipefail", "step.sh"])
        .current_dir(place.path(""))
        .env("PATH", path)
        .env("RUNNER_TEMP", place.path(""))
        .env("GITHUB_ACTION_PATH", project());
    for file in ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH"] {
        bash.env(file, place.path(file));
    }
    end(start(bash.envs(environment.iter().copied())))
}

fn text(place: &Place, file: &str) -> String {
    fs::read_to_string(place.path(file)).unwrap_or_default()
}

fn check(place: &Place, suite: &str, url: &str) -> Ended {
    let environment = [
        ("SUITE", suite),
        ("FILTER", "ping\n\n*/nothing\n"),
        ("SHARD", ""),
        ("WAIT", "5"),
        ("AUTHZ_PIN_BASE_URL", url),
    ];
    step(place, "Check", &environment)
}

#[test]
fn the_action_checks_reports_and_leaves_the_exit_code_to_its_last_step() {
    let stub = Stub::start(&[]);
    let place = Place::with("ping");
    let ended = check(&place, "ping", &stub.url());
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.stdout.starts_with("::error file=ping/"), "{ended:#?}");
    let output = text(&place, "GITHUB_OUTPUT");
    assert!(output.starts_with("exit-code=1\nreports=/"), "{output}");
    let summary = text(&place, "GITHUB_STEP_SUMMARY");
    assert!(summary.starts_with("## authz-pin: ping is **not** as pinned"));
    for report in ["report.html", "comment.md", "authz-pin.sarif", "junit.xml"] {
        assert_ne!(text(&place, &format!("authz-pin-reports/{report}")), "");
    }
    assert_eq!(step(&place, "Pass or fail", &[("CODE", "1")]).code, Some(1));
    assert_eq!(step(&place, "Pass or fail", &[("CODE", "0")]).code, Some(0));
}

#[test]
fn a_check_that_could_not_be_made_says_so_instead_of_an_earlier_report() {
    let stub = Stub::start(&[]);
    let place = Place::with("ping");
    check(&place, "ping", &stub.url());
    fs::remove_file(place.path("GITHUB_STEP_SUMMARY")).unwrap();
    let ended = check(&place, "pong", &stub.url());
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(
        text(&place, "GITHUB_STEP_SUMMARY"),
        "## authz-pin: the check could not be made (exit code 2)\n"
    );
}

/// What is asked of GitHub for a check that ended with `code`, where a comment with this id is there already.
fn asked(code: &str, comments: &str) -> String {
    let place = Place::empty().write("reports/comment.md", "what differs\n");
    program(&place.path("bin/gh"), WITH_COMMENTS);
    let reports = place.path("reports");
    let environment = [
        ("REPOSITORY", "me/shop"),
        ("NUMBER", "7"),
        ("REPORTS", reports.to_str().unwrap()),
        ("CODE", code),
        ("MARK", "<!-- authz-pin -->"),
        ("COMMENTS", comments),
    ];
    let ended = step(&place, "Comment on the pull request", &environment);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(
        text(&place, "authz-pin-comment.md"),
        "<!-- authz-pin -->\nwhat differs\n"
    );
    let asked = text(&place, "asked");
    let request = asked.lines().nth(1).unwrap_or_default();
    request.split(" --field").next().unwrap().to_owned()
}

#[test]
fn there_is_one_comment_which_later_runs_change_also_when_nothing_differs_any_more() {
    let comments = "repos/me/shop/issues/7/comments";
    assert_eq!(asked("1", ""), format!("api --method POST {comments}"));
    assert_eq!(asked("0", ""), "");
    let change = "api --method PATCH repos/me/shop/issues/comments/11";
    assert_eq!(asked("1", "11\n12\n"), change);
    assert_eq!(asked("0", "11\n"), change);
}

#[test]
fn a_comment_that_may_not_be_written_is_a_warning() {
    let place = Place::empty().write("reports/comment.md", "what differs\n");
    program(&place.path("bin/gh"), "exit 1\n");
    let reports = place.path("reports");
    let environment = [("REPORTS", reports.to_str().unwrap()), ("CODE", "1")];
    let ended = step(&place, "Comment on the pull request", &environment);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(ended.stdout.starts_with("::warning::"), "{ended:#?}");
}

/// Packs a binary for a target, and gives the name of the archive. A script stands for the binary under test, which is
/// too large to be packed in each test.
fn package(target: &str, folder: &Path) -> String {
    let binary = folder.join("build");
    let tool = env!("CARGO_BIN_EXE_authz-pin");
    program(&binary, &format!("exec '{tool}' \"$@\"\n"));
    let packed = Command::new(project().join(".ci/package"))
        .args([&binary, Path::new(target), folder])
        .output()
        .unwrap();
    let packed = Ended::from(packed).result();
    let archive = Path::new(packed.trim_end());
    archive.file_name().unwrap().to_str().unwrap().to_owned()
}

/// A template of `package.metadata.binstall`, for a target.
fn binstall(key: &str, target: &str) -> String {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let own = metadata.root_package().unwrap();
    let template = own.metadata["binstall"][key].as_str().unwrap();
    [
        ("{ name }", own.name.as_str()),
        ("{ version }", &own.version.to_string()),
        ("{ target }", target),
        ("{ bin }", "authz-pin"),
        ("{ binary-ext }", ""),
    ]
    .iter()
    .fold(template.to_owned(), |text, (from, to)| {
        text.replace(from, to)
    })
}

#[test]
fn an_archive_has_the_name_and_the_place_of_the_binary_that_binstall_is_told() {
    let place = Place::empty();
    let target = "x86_64-unknown-linux-gnu";
    let archive = package(target, &place.path(""));
    let url = binstall("pkg-url", target);
    assert_eq!(url.rsplit('/').next(), Some(archive.as_str()));
    let listed = Command::new("tar")
        .arg("-tzf")
        .arg(place.path(&archive))
        .output()
        .unwrap();
    let listed = Ended::from(listed).result();
    let folder = archive.strip_suffix(".tar.gz").unwrap();
    assert!(
        listed
            .lines()
            .any(|file| file == binstall("bin-dir", target)),
        "{listed}"
    );
    for file in [
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "README.md",
        "man/man1/authz-pin-check.1",
        "completions/_authz-pin",
        "completions/authz-pin.bash",
        "completions/authz-pin.fish",
    ] {
        let file = format!("{folder}/{file}");
        assert!(listed.lines().any(|listed| listed == file), "{file}");
    }
}

fn install(place: &Place, gh: &str, reference: &str) -> Ended {
    program(&place.path("bin/gh"), gh);
    let environment = [
        ("REPOSITORY", "me/authz-pin"),
        ("REF", reference),
        ("RUNNER_OS", "Linux"),
        ("RUNNER_ARCH", "ARM64"),
    ];
    step(place, "Install authz-pin", &environment)
}

#[test]
fn the_action_installs_the_release_of_its_commit_once_it_is_verified() {
    let place = Place::empty();
    package("aarch64-unknown-linux-gnu", &place.path("release"));
    let ended = install(&place, WITH_A_RELEASE, "v0");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let folder = text(&place, "GITHUB_PATH");
    let installed = Path::new(folder.trim_end()).join("authz-pin");
    let version = Command::new(installed).arg("--version").output().unwrap();
    let expected = concat!("authz-pin ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(Ended::from(version).result(), expected);
    assert!(text(&place, "asked").contains("attestation verify"));
}

#[test]
fn an_archive_that_cannot_be_verified_is_not_installed() {
    let place = Place::empty();
    package("aarch64-unknown-linux-gnu", &place.path("release"));
    let gh = WITH_A_RELEASE.replace("test -e \"$3\"", "exit 1");
    let ended = install(&place, &gh, "v0");
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(!place.path("authz-pin/bin/authz-pin").exists());
}

#[test]
fn without_a_release_of_its_commit_the_action_is_built_from_its_own_source() {
    for (gh, reference) in [("exit 1\n", "v0"), (WITH_A_RELEASE, "")] {
        let place = Place::empty();
        program(&place.path("bin/cargo"), "echo \"cargo $*\"\n");
        let ended = install(&place, gh, reference);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        let built = format!("cargo install --locked --path {}", project().display());
        assert!(ended.stdout.contains(&built), "{ended:#?}");
    }
}
