//! Certificates of a suite.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder, Identity};

use crate::suite::TlsSpec;
use crate::template::{Scope, TemplateError, Templates};

/// How the service is trusted, and how it trusts the tool. It holds a private key, so it cannot be printed.
#[derive(Clone, Default)]
pub struct Tls {
    authorities: Vec<Certificate>,
    identity: Option<Identity>,
    /// Whether every certificate is trusted.
    pub insecure: bool,
}

/// Certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read `{path}`, which `service.tls` of suite.yaml names")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{path}`, which `service.tls` of suite.yaml names, holds no {expected}")]
    Other {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// A path cannot be rendered.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl Tls {
    /// Reads the files that a suite in `folder` names.
    pub fn read(
        folder: &Path,
        spec: &TlsSpec,
        templates: &Templates,
        scope: &Scope,
    ) -> Result<Self, TlsError> {
        let path = |template: &String| -> Result<PathBuf, TlsError> {
            Ok(folder.join(templates.render_text(template, scope)?))
        };
        let mut tls = Self {
            insecure: spec.insecure,
            ..Self::default()
        };
        if let Some(ca) = &spec.ca {
            tls.authorities = authorities(path(ca)?)?;
        }
        if let (Some(certificate), Some(key)) = (&spec.certificate, &spec.key) {
            tls.identity = Some(identity(path(certificate)?, &path(key)?)?);
        }
        Ok(tls)
    }

    pub(super) fn apply(&self, builder: ClientBuilder) -> ClientBuilder {
        let mut builder = builder;
        if !self.authorities.is_empty() {
            builder = builder.tls_certs_merge(self.authorities.clone());
        }
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        builder.tls_danger_accept_invalid_certs(self.insecure)
    }
}

fn authorities(path: PathBuf) -> Result<Vec<Certificate>, TlsError> {
    let certificates = Certificate::from_pem_bundle(&read(&path)?).unwrap_or_default();
    if certificates.is_empty() {
        let expected = "certificate as PEM";
        return Err(TlsError::Other { path, expected });
    }
    Ok(certificates)
}

fn identity(certificate: PathBuf, key: &Path) -> Result<Identity, TlsError> {
    let pem = [read(&certificate)?, read(key)?].join(&b'\n');
    Identity::from_pem(&pem).map_err(|_| TlsError::Other {
        path: certificate,
        expected: "certificate as PEM that goes with the private key",
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    })
}
