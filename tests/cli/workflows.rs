//! What workflows and pages run: valid YAML and shell, with commands that the tool takes.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value as Yaml;

use super::page::blocks;
use super::place::{Place, project};

/// The pages whose YAML is that of workflows, and not that of suites.
const PAGES: [&str; 3] = ["docs/ci.md", "docs/reports.md", "docs/sharding.md"];

/// What ends a command, or stands before one.
const OPERATORS: [&str; 10] = ["|", "||", "&&", "&", ";", ">", ">>", "<", "if", "!"];

static ACTION: LazyLock<Yaml> = LazyLock::new(|| yaml("action.yml"));
static RELEASE: LazyLock<Yaml> = LazyLock::new(|| yaml(".github/workflows/release.yml"));

fn read(file: &str) -> String {
    fs::read_to_string(project().join(file)).unwrap()
}

fn yaml(file: &str) -> Yaml {
    parsed(file, &read(file))
}

fn parsed(file: &str, text: &str) -> Yaml {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}\n{text}"))
}

fn matches<'a>(pattern: &str, text: &'a str) -> BTreeSet<&'a str> {
    let pattern = Regex::new(pattern).unwrap();
    let found = pattern.captures_iter(text);
    found.map(|found| found.get(1).unwrap().as_str()).collect()
}

/// The action and the workflows of this project.
fn workflows() -> Vec<(String, Yaml)> {
    let folder = ".github/workflows";
    let entries = fs::read_dir(project().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files = names.map(|name| format!("{folder}/{name}"));
    files
        .chain(["action.yml".to_owned()])
        .map(|file| (file.clone(), yaml(&file)))
        .collect()
}

/// Those that pages show.
fn shown() -> Vec<(String, Yaml)> {
    let of = |page: &str| {
        let text = read(page);
        let yaml = blocks(&text)
            .into_iter()
            .filter(|block| block.kind == "yaml");
        yaml.map(|block| (page.to_owned(), parsed(page, &block.text)))
            .collect::<Vec<_>>()
    };
    PAGES.into_iter().flat_map(of).collect()
}

/// The values of a key, wherever it stands.
fn values<'a>(key: &str, yaml: &'a Yaml) -> Vec<&'a Yaml> {
    match yaml {
        Yaml::Object(map) => map
            .iter()
            .flat_map(|(name, value)| {
                let own = (name == key).then_some(value);
                own.into_iter().chain(values(key, value))
            })
            .collect(),
        Yaml::Array(list) => list.iter().flat_map(|value| values(key, value)).collect(),
        _ => Vec::new(),
    }
}

/// What is run, in the keys of GitHub and of GitLab.
fn scripts(yaml: &Yaml) -> Vec<String> {
    let lines = |script: &Yaml| match script {
        Yaml::Array(lines) => lines
            .iter()
            .map(|line| line.as_str().unwrap())
            .collect::<Vec<_>>()
            .join("\n"),
        one => one.as_str().unwrap().to_owned(),
    };
    ["run", "script", "before_script"]
        .iter()
        .flat_map(|key| values(key, yaml))
        .map(lines)
        .collect()
}

/// What the documents tell a person to run.
fn told() -> Vec<(String, String)> {
    let pages = fs::read_dir(project().join("docs")).unwrap();
    let pages = pages.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = pages.filter(|name| Path::new(name).extension().is_some_and(|end| end == "md"));
    let pages = pages.map(|name| format!("docs/{name}"));
    let of = |page: String| {
        let text = read(&page);
        let shell = blocks(&text).into_iter().filter(|block| block.kind == "sh");
        shell
            .map(|block| (page.clone(), block.text))
            .collect::<Vec<_>>()
    };
    pages.chain(["README.md".to_owned()]).flat_map(of).collect()
}

/// A script with `1` for what is known only when it runs.
fn filled(script: &str) -> String {
    let unknown = Regex::new(r"\$\{\{.*?\}\}|\$\{[^}]*\}|\$\w+").unwrap();
    unknown
        .replace_all(&script.replace("\\\n", " "), "1")
        .into_owned()
}

/// The arguments of each call of the tool.
fn calls(script: &str) -> Vec<Vec<String>> {
    let script = filled(script);
    let lines = script.lines().filter_map(shlex::split);
    lines.flat_map(|words| of_line(&words)).collect()
}

fn of_line(words: &[String]) -> Vec<Vec<String>> {
    let is_operator = |word: &String| OPERATORS.contains(&word.as_str());
    let commands = words.split(is_operator);
    let commands = commands.map(|command| {
        let mut words = command.iter().skip_while(|word| word.contains('='));
        let is_call = words
            .next()
            .is_some_and(|word| Path::new(word).ends_with("authz-pin"));
        is_call.then(|| words.cloned().collect())
    });
    commands.flatten().collect()
}

/// Whether the tool takes the arguments, the first of which names a command, if there are any: it reads all of them
/// before it gets to the help, which it then prints.
fn is_taken(arguments: &[String]) -> bool {
    let [command, ..] = arguments else {
        return true;
    };
    let arguments = arguments.iter().map(String::as_str).chain(["--help"]);
    let ended = Place::empty().run(&arguments.collect::<Vec<_>>());
    let usage = format!("\nUsage: authz-pin {command} ");
    ended.code == Some(0) && ended.stdout.contains(&usage)
}

#[test]
fn the_commands_of_workflows_and_pages_are_taken_by_the_tool() {
    let workflows = workflows().into_iter().chain(shown());
    let workflows = workflows.flat_map(|(file, yaml)| {
        let scripts = scripts(&yaml).into_iter();
        scripts.map(move |script| (file.clone(), script))
    });
    let mut files = BTreeSet::new();
    for (file, script) in workflows.chain(told()) {
        for call in calls(&script) {
            assert!(is_taken(&call), "{file}: {call:?}");
            files.insert(file.clone());
        }
    }
    for file in ["action.yml", "README.md", "docs/tutorial.md"]
        .iter()
        .chain(&PAGES)
    {
        assert!(files.contains(*file), "no command of {file} was found");
    }
}

#[test]
fn a_command_is_found_with_its_arguments_and_refused_if_the_tool_does_not_know_one() {
    let script = "KEY=x authz-pin check --shard ${{ a.b }}/4 \\\n  --wait \"$WAIT\" || code=$?\necho authz-pin is\n";
    assert_eq!(calls(script), [["check", "--shard", "1/4", "--wait", "1"]]);
    for wrong in [
        "check --colour",
        "check --shard 5/4",
        "chekc",
        "check --report pdf=a",
    ] {
        let words: Vec<String> = wrong.split(' ').map(str::to_owned).collect();
        assert!(!is_taken(&words), "{wrong}");
    }
}

#[test]
fn the_scripts_of_workflows_are_valid_shell() {
    for (file, yaml) in workflows().into_iter().chain(shown()) {
        for script in scripts(&yaml) {
            let mut bash = Command::new("bash")
                .arg("-n")
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = bash.stdin.take().unwrap();
            stdin.write_all(filled(&script).as_bytes()).unwrap();
            drop(stdin);
            assert!(bash.wait().unwrap().success(), "{file}:\n{script}");
        }
    }
}

/// What an expression holds would be read as shell; a variable's value is not.
#[test]
fn no_script_of_this_project_holds_an_expression_of_github() {
    for (file, yaml) in workflows() {
        for script in scripts(&yaml) {
            assert!(!script.contains("${{"), "{file}:\n{script}");
        }
    }
}

#[test]
fn what_workflows_use_is_pinned_to_a_commit() {
    let pinned = Regex::new("^[A-Za-z-]+/[a-z-]+@[0-9a-f]{40}$").unwrap();
    for (file, yaml) in workflows() {
        for used in values("uses", &yaml) {
            let used = used.as_str().unwrap();
            assert!(pinned.is_match(used), "{used} in {file}");
            let is_foreign = file == "action.yml" && !used.starts_with("actions/");
            assert!(!is_foreign, "{used} in {file}");
        }
    }
}

#[test]
fn every_input_of_the_action_is_used_and_explained_on_the_page() {
    let declared: BTreeSet<&str> = ACTION["inputs"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let text = read("action.yml");
    assert_eq!(matches(r"inputs\.([a-z-]+)", &text), declared);
    let page = read("docs/ci.md");
    let outputs = ACTION["outputs"].as_object().unwrap();
    for name in declared
        .iter()
        .copied()
        .chain(outputs.keys().map(String::as_str))
    {
        assert!(page.contains(&format!("\n| `{name}` | ")), "{name}");
    }
    for (file, yaml) in shown() {
        for step in values("steps", &yaml)
            .into_iter()
            .flat_map(|steps| steps.as_array().unwrap())
        {
            let is_ours = step["uses"]
                .as_str()
                .is_some_and(|used| used.starts_with("OWNER/"));
            for name in step["with"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name)
            {
                assert!(
                    !is_ours || declared.contains(name.as_str()),
                    "{name} in {file}"
                );
            }
        }
    }
}

#[test]
fn the_pages_show_the_version_that_is_released() {
    let page = read("docs/ci.md");
    let shown = matches(
        r"(?:OWNER/authz-pin@|releases/download/|authz-pin-)v([0-9.]+[0-9])",
        &page,
    );
    assert_eq!(shown, [env!("CARGO_PKG_VERSION")].into());
}

#[test]
fn the_action_knows_every_target_that_is_released() {
    let targets = values("target", &RELEASE["jobs"]["build"]["strategy"]);
    let targets: BTreeSet<&str> = targets
        .into_iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    assert_eq!(targets.len(), 4);
    let text = read("action.yml");
    assert_eq!(matches("target=([a-z0-9_-]+) ;;", &text), targets);
}

#[test]
fn what_is_packed_is_what_the_profile_of_archives_has_built() {
    let text = read(".github/workflows/release.yml");
    let built = matches(r"auditable build --profile ([a-z]+)", &text);
    assert_eq!(built, ["dist"].into());
    let packed = matches(r"target/\$TARGET/([a-z]+)/authz-pin", &text);
    assert_eq!(packed, built);
    assert!(read("Cargo.toml").contains("\n[profile.dist]\n"));
}
