//! A document that a user names: the bytes of a file, or of what a URL leads to.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use authz_pin_suite::diagnostic::quoted;
use authz_pin_suite::urls::shown;
use authz_pin_sweep::http::{Http, HttpError};
use authz_pin_sweep::service::ServiceError;
use url::Url;

use super::Failure;
use crate::exit::Exit;

/// A service may take its time to put a long document together.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// A document that was read.
pub(super) struct Document {
    /// The file, or the URL without its query.
    pub(super) name: String,
    /// What it holds: at most one byte more than there may be, so that a longer one is noticed.
    pub(super) bytes: Vec<u8>,
    /// How the tool ends where the document is not what it should be.
    pub(super) exit: Exit,
}

pub(super) fn is_url(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}

/// Reads a file.
pub(super) fn from_file(file: &Path, limit: usize) -> Result<Document, Failure> {
    let fail = Failure::file("read", file);
    let mut bytes = Vec::new();
    // One byte more than there may be, so that a longer file is noticed without being read.
    let limit = limit as u64 + 1;
    let opened = File::open(file).map_err(fail)?;
    opened.take(limit).read_to_end(&mut bytes).map_err(fail)?;
    Ok(Document {
        name: file.to_string_lossy().into_owned(),
        bytes,
        exit: Exit::Usage,
    })
}

/// Gets what a URL leads to.
pub(super) async fn from_url(
    text: &str,
    limit: usize,
    timeout: Duration,
    help: &str,
) -> Result<Document, Failure> {
    let (base, path) = parts(text)?;
    let http = Http::new(base, timeout).map_err(ServiceError::from)?;
    from_http(&http, &path, limit, help).await
}

/// The service of a URL, and the path with its query.
pub(super) fn parts(text: &str) -> Result<(Url, String), Failure> {
    let url = Url::parse(text).map_err(|error| {
        Failure::because(Exit::Usage, format!("{} is not a URL", quoted(text)), error)
    })?;
    let mut base = url.clone();
    base.set_path("");
    base.set_query(None);
    base.set_fragment(None);
    let query = url.query().map(|query| format!("?{query}"));
    let path = format!("{}{}", url.path(), query.unwrap_or_default());
    Ok((base, path))
}

/// Gets what a service has at a path; `help` says how to name another one.
pub(super) async fn from_http(
    http: &Http,
    path: &str,
    limit: usize,
    help: &str,
) -> Result<Document, Failure> {
    let name = shown(&http.url(path).map_err(ServiceError::from)?);
    let got = http.get_bytes(path, limit).await;
    let (status, bytes) = got.map_err(unreachable)?;
    if !(200..300).contains(&status) {
        let failure = Failure::new(Exit::Unreachable, format!("{status} from GET {name}"));
        return Err(failure.help(help));
    }
    Ok(Document {
        name,
        bytes,
        exit: Exit::Unreachable,
    })
}

fn unreachable(error: HttpError) -> Failure {
    Failure::from(ServiceError::from(error))
}
