//! Certificates of a suite.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use authz_pin_suite::suite::TlsSpec;
use authz_pin_suite::template::{Scope, TemplateError, Templates};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_platform_verifier::Verifier;

use super::anyone::Anyone;

/// How the service is trusted, and how it trusts the tool. It holds a private key, so it cannot be printed.
#[derive(Clone, Default)]
pub struct Tls {
    /// The suite's folder, which files are relative to.
    folder: PathBuf,
    authorities: Vec<CertificateDer<'static>>,
    identity: Option<Identity>,
    /// Whether every certificate is trusted.
    pub insecure: bool,
}

/// A certificate with its private key.
pub(super) type Identity = Arc<CertifiedKey>;

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
            folder: folder.to_owned(),
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

    /// Reads whom the system trusts, once for all clients.
    pub(super) fn trust(&self) -> Result<Trust, rustls::Error> {
        let provider = Arc::new(default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = if self.insecure {
            Arc::new(Anyone)
        } else {
            let authorities = self.authorities.iter().cloned();
            let provider = Arc::clone(&provider);
            Arc::new(Verifier::new_with_extra_roots(authorities, provider)?)
        };
        Ok(Trust {
            provider,
            verifier,
            folder: self.folder.clone(),
            identity: self.identity.clone(),
        })
    }
}

/// What all clients of a run have in common.
pub(super) struct Trust {
    folder: PathBuf,
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
    identity: Option<Identity>,
}

impl Trust {
    /// The certificate of a caller, of files or of texts that are PEM themselves.
    pub(super) fn identity(&self, own: &Pem) -> Result<Identity, String> {
        let certificate = self.pem(&own.certificate)?;
        let key = self.pem(&own.key)?;
        let expected =
            "`auth.certificate` holds no certificate as PEM that goes with its private key";
        certified(&certificate, &key).ok_or_else(|| expected.to_owned())
    }

    fn pem(&self, text: &str) -> Result<Vec<u8>, String> {
        if text.contains(BEGINNING) {
            return Ok(text.as_bytes().to_vec());
        }
        let read = fs::read(self.folder.join(text));
        // What is no file can be a key in another form.
        let shown = if text.lines().count() > 1 {
            "a text of several lines"
        } else {
            text
        };
        read.map_err(|error| {
            format!("cannot read `{shown}`, which an `auth.certificate` names: {error}")
        })
    }

    /// How a client does TLS that may take up these sessions again, and presents this certificate in place of the suite's.
    pub(super) fn config(
        &self,
        sessions: Resumption,
        own: Option<&Identity>,
    ) -> Result<ClientConfig, rustls::Error> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&self.verifier));
        let mut config = match own.or(self.identity.as_ref()) {
            Some(identity) => {
                let own = SingleCertAndKey::from(Arc::clone(identity));
                builder.with_client_cert_resolver(Arc::new(own))
            }
            None => builder.with_no_client_auth(),
        };
        config.resumption = sessions;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// A certificate and its private key: PEM, or the names of files that hold it. It cannot be printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Pem {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// How PEM begins.
const BEGINNING: &str = "-----BEGIN ";

fn authorities(path: PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = certificates(&read(&path)?);
    if certificates.is_empty() {
        let expected = "certificate as PEM";
        return Err(TlsError::Other { path, expected });
    }
    Ok(certificates)
}

fn certificates(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    let all = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>();
    all.unwrap_or_default()
}

fn identity(path: PathBuf, key: &Path) -> Result<Identity, TlsError> {
    let (certificate, key) = (read(&path)?, read(key)?);
    certified(&certificate, &key).ok_or(TlsError::Other {
        path,
        expected: "certificate as PEM that goes with the private key",
    })
}

/// A certificate with the private key that goes with it.
fn certified(certificate: &[u8], key: &[u8]) -> Option<Identity> {
    let key = PrivateKeyDer::from_pem_slice(key).ok()?;
    let chain = certificates(certificate);
    let certified = CertifiedKey::from_der(chain, key, &default_provider());
    certified.ok().map(Arc::new)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    })
}
