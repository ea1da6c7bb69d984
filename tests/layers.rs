//! The layers are what DESIGN.md says.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like the tests")]

#[path = "../examples/file_map.rs"]
mod file_map;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand, Package};
use regex::Regex;

/// The packages that the tool consists of, the lowest layer first.
const LAYERS: [&str; 5] = [
    "authz-pin-record",
    "authz-pin-suite",
    "authz-pin-database",
    "authz-pin-sweep",
    "authz-pin",
];

/// How many modules may stand in one cycle of imports.
const CYCLE: usize = 3;

#[test]
fn the_file_map_is_what_the_files_say() {
    let written = fs::read_to_string(root().join("FILES.md")).unwrap();
    assert!(
        written == file_map::map().unwrap(),
        "`cargo run --example file_map > FILES.md` writes it anew"
    );
}

#[test]
fn a_layer_stands_on_lower_ones_alone() {
    let metadata = metadata();
    for (place, name) in LAYERS.iter().enumerate() {
        let package = package(&metadata, name);
        let on = package.dependencies.iter().map(|on| on.name.as_str());
        let on = on.filter_map(|on| LAYERS.iter().position(|layer| *layer == on));
        assert!(on.max().is_none_or(|highest| highest < place), "{name}");
    }
}

#[test]
fn the_tests_of_every_layer_run_without_being_asked_for() {
    let metadata = metadata();
    let default = metadata.workspace_default_packages();
    let default: BTreeSet<&str> = default
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    // What measures and what makes mutants has no part in what the tool does.
    let others = ["authz-pin-bench", "authz-pin-mutants"];
    let all = metadata.workspace_packages();
    let all = all.iter().map(|package| package.name.as_str());
    let missing = all.filter(|name| !default.contains(name) && !others.contains(name));
    assert_eq!(missing.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn no_cycle_of_imports_has_more_than_three_modules() {
    let metadata = metadata();
    for name in LAYERS {
        let imports = imports(&sources(package(&metadata, name)));
        let modules: BTreeSet<&str> = imports.keys().map(String::as_str).collect();
        for module in &modules {
            let reached = reached(&imports, module);
            let cycle = modules.iter().filter(|other| {
                let there = reached.contains(**other);
                there && self::reached(&imports, other).contains(*module)
            });
            let cycle: Vec<_> = cycle.collect();
            assert!(cycle.len() <= CYCLE, "{name}: {cycle:?}");
        }
    }
}

#[test]
fn sql_and_drivers_are_below_the_databases_layer_alone() {
    let metadata = metadata();
    for name in LAYERS
        .into_iter()
        .filter(|name| *name != "authz-pin-database")
    {
        let drivers = package(&metadata, name).dependencies.iter();
        let drivers = drivers.filter(|on| on.kind == cargo_metadata::DependencyKind::Normal);
        let is_driver = |name: &str| {
            name.contains("diesel") || name.contains("postgres") || name.contains("sqlite")
        };
        let drivers: Vec<&str> = drivers
            .map(|on| on.name.as_str())
            .filter(|name| is_driver(name))
            .collect();
        assert_eq!(drivers, [""; 0], "{name}");
    }
}

/// Clippy keeps the macros out; this keeps out what they stand on.
#[test]
fn nothing_but_the_terminal_writes_to_the_streams_of_the_process() {
    let streams = Regex::new(r"\b(stdout|stderr)\(\)").unwrap();
    let owner = root().join("src/terminal");
    let metadata = metadata();
    for name in LAYERS {
        let writing = sources(package(&metadata, name)).into_iter();
        let writing = writing.filter(|(file, code)| {
            !file.with_extension("").starts_with(&owner) && streams.is_match(code)
        });
        let writing: Vec<PathBuf> = writing.map(|(file, _)| file).collect();
        assert_eq!(writing, [""; 0].map(PathBuf::from), "{name}");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps();
    command.exec().unwrap()
}

fn package<'m>(metadata: &'m Metadata, name: &str) -> &'m Package {
    let mut packages = metadata.packages.iter();
    packages
        .find(|package| package.name.as_str() == name)
        .unwrap()
}

/// The code of a package without its tests, by files.
fn sources(package: &Package) -> Vec<(PathBuf, String)> {
    let folder = package.manifest_path.parent().unwrap().join("src");
    let mut sources = Vec::new();
    collect(folder.as_std_path(), &mut sources);
    sources
}

fn collect(folder: &Path, sources: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_of_tests = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() && !is_of_tests {
            collect(&path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !is_of_tests {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let lines = code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            sources.push((path, lines.collect::<Vec<_>>().join("\n")));
        }
    }
}

/// Which modules at the top of a package name which others.
fn imports(sources: &[(PathBuf, String)]) -> BTreeMap<String, BTreeSet<String>> {
    let named = Regex::new(r"\bcrate::([a-z_0-9]+)").unwrap();
    let listed = Regex::new(r"\bcrate::\{([^;]*)\};").unwrap();
    let first = Regex::new(r"(?:^|[{,])\s*([a-z_0-9]+)").unwrap();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, code) in sources {
        let module = imports.entry(module_of(file)).or_default();
        module.extend(named.captures_iter(code).map(|found| found[1].to_owned()));
        for list in listed.captures_iter(code) {
            module.extend(
                first
                    .captures_iter(&list[1])
                    .map(|found| found[1].to_owned()),
            );
        }
    }
    imports
}

/// The module at the top of its package that a file belongs to.
fn module_of(file: &Path) -> String {
    let mut parts = file.iter().map(|part| part.to_str().unwrap()).rev();
    let below: Vec<&str> = parts.by_ref().take_while(|part| *part != "src").collect();
    below.last().unwrap().trim_end_matches(".rs").to_owned()
}

/// The modules that one leads to.
fn reached<'i>(imports: &'i BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<&'i str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = imports
        .get(from)
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(
                imports
                    .get(module)
                    .into_iter()
                    .flatten()
                    .map(String::as_str),
            );
        }
    }
    reached
}
