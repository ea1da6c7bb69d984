//! Reading a suite's files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use authz_pin_record::text::printable;

use super::exchange::OfAll;
use super::include::{World, shortened};
use super::placing::Placing;
use super::{Endpoint, EndpointFile, Kind, Place, Suite, SuiteFile, TargetsFile, WorldFile, check};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::yaml::Document;

/// The suite's documents as they were read, whether or not they are valid.
pub(super) struct Documents {
    pub(super) suite: Option<Document>,
    pub(super) world: Option<World>,
    pub(super) targets: Option<Document>,
    pub(super) endpoints: Vec<(String, Document)>,
}

impl Suite {
    /// Reads the suite in `folder`, or reports everything that is wrong with it.
    pub fn load(folder: &Path) -> Result<Self, Diagnostics> {
        is_suite(folder)?;
        let mut mistakes = Diagnostics::new();
        let documents = Documents::read(folder, &mut mistakes);
        Self::of(&documents, folder, mistakes)
    }

    /// Reads a suite that is in memory: its texts by their paths within `folder`, which only names it.
    pub fn parse(folder: &Path, texts: &BTreeMap<String, String>) -> Result<Self, Diagnostics> {
        let mut mistakes = Diagnostics::new();
        let documents = Documents::parse(folder, texts, &mut mistakes);
        Self::of(&documents, folder, mistakes)
    }

    /// Whether the suite in `folder` can be swept without a service that is given, as its `suite.yaml` says.
    #[must_use]
    pub fn has_default_service(folder: &Path) -> bool {
        Document::read(&folder.join("suite.yaml"))
            .is_ok_and(|file| file.value().pointer("/service/default").is_some())
    }

    fn of(
        documents: &Documents,
        folder: &Path,
        mut mistakes: Diagnostics,
    ) -> Result<Self, Diagnostics> {
        let found = check::consistency(documents);
        let mut undecoded = Diagnostics::new();
        let suite = documents.decode(folder, &mut undecoded);
        // What does not compile ends the decoding of its file, and was found with all others of its sort.
        let is_found = |one: &Diagnostic| {
            let mut found = found.iter();
            found.any(|other| (&other.file, &other.message) == (&one.file, &one.message))
        };
        mistakes.extend(undecoded.into_iter().filter(|one| !is_found(one)));
        mistakes.extend(found);
        mistakes.into_result()?;
        let (Some(suite), Some(world)) = (suite, &documents.world) else {
            return Err(Diagnostic::new(folder, "the suite is not complete").into());
        };
        check::calls(&suite, &world.own).into_result()?;
        if let Some(file) = &documents.suite {
            check::sweeps(&suite, file).into_result()?;
            let mut unmatched = check::endpoints_of_texts(&suite, file);
            unmatched.extend(check::endpoints_of_values(&suite, file));
            unmatched.into_result()?;
        }
        Ok(suite)
    }
}

impl Documents {
    fn read(folder: &Path, mistakes: &mut Diagnostics) -> Self {
        let mut read = |name: &str| mistakes.absorb(Document::read(&folder.join(name)));
        let [suite, world, targets] = ["suite.yaml", "world.yaml", "targets.yaml"].map(&mut read);
        let text = |file: &Path| fs::read_to_string(file);
        let world = world.and_then(|world| mistakes.absorb(World::of(world, &text)));
        let files = mistakes
            .absorb(endpoint_files(&folder.join("endpoints")))
            .unwrap_or_default();
        let read = |file: PathBuf| Some((stem(&file), mistakes.absorb(Document::read(&file))?));
        let endpoints = files.into_iter().filter_map(read).collect();
        Self {
            suite,
            world,
            targets,
            endpoints,
        }
    }

    fn parse(folder: &Path, texts: &BTreeMap<String, String>, mistakes: &mut Diagnostics) -> Self {
        let mut read = |name: &str| {
            let text = texts.get(name).cloned().unwrap_or_default();
            mistakes.absorb(Document::parse(&folder.join(name), text))
        };
        let [suite, world, targets] = ["suite.yaml", "world.yaml", "targets.yaml"].map(&mut read);
        let names = texts.keys().filter(|name| name.starts_with("endpoints/"));
        let endpoints = names.filter_map(|name| Some((stem(Path::new(name)), read(name)?)));
        let endpoints = endpoints.collect();
        let text = |file: &Path| {
            let name = shortened(file.strip_prefix(folder).unwrap_or(file));
            let text = name.to_str().and_then(|name| texts.get(name)).cloned();
            text.ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        let world = world.and_then(|world| mistakes.absorb(World::of(world, &text)));
        Self {
            suite,
            world,
            targets,
            endpoints,
        }
    }

    fn decode(&self, folder: &Path, mistakes: &mut Diagnostics) -> Option<Suite> {
        let file: Option<SuiteFile> = self
            .suite
            .as_ref()
            .and_then(|document| mistakes.absorb(document.decode()));
        let targets: Option<TargetsFile> = self
            .targets
            .as_ref()
            .and_then(|document| mistakes.absorb(document.decode()));
        let of_all = self.of_all(file.as_ref());
        let file = self.suite.as_ref().zip(file).map(|(document, mut file)| {
            Placing::new(document, &of_all).suite(&mut file);
            file
        });
        let world = self.world(&of_all, mistakes);
        let endpoint = |(name, document): &(String, Document)| {
            let mut spec: EndpointFile = mistakes.absorb(document.decode())?;
            Placing::new(document, &of_all).endpoint(&mut spec);
            Some(Endpoint {
                name: name.clone(),
                setup: setup_of(&spec),
                spec,
                place: Place::of(document),
            })
        };
        let endpoints = self.endpoints.iter().filter_map(endpoint).collect();
        let included = self.world.iter().flat_map(|world| &world.included);
        let included = included.map(|document| document.file().to_owned());
        Some(Suite {
            folder: folder.to_owned(),
            included: included.collect(),
            file: file?,
            world: world?,
            targets: targets?.targets,
            endpoints,
        })
    }

    /// The world of all its files.
    fn world(&self, of_all: &Arc<OfAll>, mistakes: &mut Diagnostics) -> Option<WorldFile> {
        let mut all = WorldFile::default();
        let mut is_whole = true;
        for document in self.world.as_ref()?.documents() {
            let world: Option<WorldFile> = mistakes.absorb(document.decode());
            is_whole &= world.is_some();
            if let Some(mut world) = world {
                world.expand();
                Placing::new(document, of_all).world(&mut world);
                all.extend(world);
            }
        }
        is_whole.then_some(all)
    }

    /// What each request of the suite carries.
    fn of_all(&self, file: Option<&SuiteFile>) -> Arc<OfAll> {
        let both = self.suite.as_ref().zip(file);
        let of_all = both.map(|(document, file)| OfAll::read(&file.service, document));
        of_all.unwrap_or_default().into()
    }
}

/// An endpoint's own setup makes one entity, whose symbols are all captured.
fn setup_of(spec: &EndpointFile) -> Kind {
    let captured = spec.setup.iter().flat_map(|step| step.capture.keys());
    Kind {
        symbols: captured.map(|name| (name.clone(), None)).collect(),
        setup: spec.setup.clone(),
        teardown: spec.teardown.clone(),
        ..Kind::default()
    }
}

/// A mistyped path or command is one mistake, not one for each file that is not there.
fn is_suite(folder: &Path) -> Result<(), Diagnostics> {
    if !folder.is_dir() {
        return Err(Diagnostic::new(folder, "there is no such folder")
            .help("name a suite's folder, or a command: `authz-pin --help` lists them")
            .into());
    }
    if !folder.join("suite.yaml").exists() {
        return Err(Diagnostic::new(folder, "the folder has no `suite.yaml`")
            .help("a suite is suite.yaml, world.yaml, targets.yaml and endpoints/NAME.yaml")
            .into());
    }
    Ok(())
}

/// The endpoint files in the order of their names.
fn endpoint_files(folder: &Path) -> Result<Vec<PathBuf>, Diagnostics> {
    let unreadable = |error| {
        Diagnostic::new(
            folder,
            format!("cannot read the folder of endpoints: {error}"),
        )
    };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut files = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml")
    });
    if let Some(name) = files
        .iter()
        .map(|file| stem(file))
        .find(|name| printable(name) != *name)
    {
        let message = format!(
            "the name of an endpoint cannot be shown: {}",
            quoted(&printable(&name))
        );
        let help =
            "name the file without control characters and those that turn the direction of a text";
        return Err(Diagnostic::new(folder, message).help(help).into());
    }
    files.sort_by_key(|file| stem(file));
    if files.is_empty() {
        return Err(Diagnostic::new(folder, "the suite has no endpoint")
            .help("add endpoints/NAME.yaml")
            .into());
    }
    Ok(files)
}

fn stem(file: &Path) -> String {
    file.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
