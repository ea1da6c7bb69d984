//! How a connection is protected, and what else the URL of a database says beside what its driver reads.
//!
//! The modes are those of libpq: up to `require` nobody asks who the server is, `verify-ca` asks for an authority that is trusted,
//! and `verify-full` for a certificate of the host's name as well.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::pooler::Line;

/// Parameters that object mappers and poolers take of a URL, and that say nothing of how to connect.
const OTHERS: [&str; 13] = [
    "connection_limit",
    "max_conns",
    "pgbouncer",
    "pool",
    "pool_max_conn_lifetime",
    "pool_max_conns",
    "pool_min_conns",
    "pool_size",
    "pool_timeout",
    "prepared_statement_cache_size",
    "schema",
    "socket_timeout",
    "statement_cache_size",
];

/// The authorities that the system trusts, as libpq calls them.
const SYSTEM: &str = "system";

/// What a connection needs.
pub(super) struct Wanted {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Wanted {
    /// What a URL says, or why it cannot be read.
    pub(super) fn of(url: &str) -> Result<Self, String> {
        let (driver, protection) = split(url)?;
        let mut config: Config = driver
            .parse()
            .map_err(|error| authz_pin_record::chain::chain(&error))?;
        if let Some(mode) = protection.mode {
            config.ssl_mode(mode.of_driver());
        }
        let tls = MakeRustlsConnect::new(protection.client()?);
        Ok(Self { config, tls })
    }

    /// One more connection.
    pub(super) async fn connect(&self) -> Result<(Client, Line), tokio_postgres::Error> {
        self.config.connect(self.tls.clone()).await
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    const KNOWN: [(&'static str, Self); 9] = [
        ("disable", Self::Disable),
        ("allow", Self::Prefer),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        // As drivers of Node.js and others have it.
        ("no-verify", Self::Require),
        ("true", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
        ("strict", Self::VerifyFull),
    ];

    fn read(name: &str, value: &str) -> Result<Self, String> {
        let mut known = Self::KNOWN.iter();
        let mode = known.find(|(known, _)| *known == value);
        mode.map(|(_, mode)| *mode).ok_or_else(|| {
            format!("`{name}` of the URL is one of `disable`, `prefer`, `require`, `verify-ca`, `verify-full`")
        })
    }

    fn of_driver(self) -> SslMode {
        match self {
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            Self::Require | Self::VerifyCa | Self::VerifyFull => SslMode::Require,
        }
    }
}

/// What a URL says of TLS.
#[derive(Default)]
struct Protection {
    mode: Option<Mode>,
    authorities: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// The part that the driver reads, and what it does not know. What is no URL is the driver's as a whole.
fn split(url: &str) -> Result<(String, Protection), String> {
    let mut protection = Protection::default();
    let Some((head, query)) = url.split_once('?').filter(|(head, _)| head.contains("://")) else {
        return Ok((url.to_owned(), protection));
    };
    let mut driver = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        match name {
            "sslmode" | "ssl" | "sslaccept" => protection.mode = Some(Mode::read(name, &value)?),
            "sslrootcert" => protection.authorities = Some(value.into()),
            "sslcert" => protection.certificate = Some(value.into()),
            "sslkey" => protection.key = Some(value.into()),
            name if OTHERS.contains(&name) => {}
            _ => driver.push(pair),
        }
    }
    Ok((format!("{head}?{}", driver.join("&")), protection))
}

impl Protection {
    fn client(&self) -> Result<ClientConfig, String> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| error.to_string())?;
        let builder = match (self.mode, self.trusted()?) {
            (Some(Mode::VerifyFull), Some(roots)) => builder.with_root_certificates(roots),
            (Some(Mode::VerifyFull), None) => builder
                .with_platform_verifier()
                .map_err(|error| error.to_string())?,
            (_, roots) => {
                let anyone = Anyone::of(self.mode, roots, provider)?;
                let builder = builder.dangerous();
                builder.with_custom_certificate_verifier(Arc::new(anyone))
            }
        };
        let Some(certificate) = &self.certificate else {
            return Ok(builder.with_no_client_auth());
        };
        let key = self.key.as_ref();
        let key = key.ok_or("`sslcert` of the URL needs `sslkey`")?;
        let key_of = PrivateKeyDer::from_pem_file(key);
        let key = key_of.map_err(|error| unreadable("sslkey", key, &error))?;
        let own = builder.with_client_auth_cert(certificates("sslcert", certificate)?, key);
        own.map_err(|error| error.to_string())
    }

    /// The authorities of a file; none where those of the system count.
    fn trusted(&self) -> Result<Option<RootCertStore>, String> {
        let named = self.authorities.as_ref();
        let Some(file) = named.filter(|file| *file != Path::new(SYSTEM)) else {
            return Ok(None);
        };
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(certificates("sslrootcert", file)?);
        if added == 0 {
            return Err(format!("`{}` holds no certificate as PEM", file.display()));
        }
        Ok(Some(roots))
    }
}

fn certificates(name: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let all = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    all.map_err(|error| unreadable(name, file, &error))
}

fn unreadable(name: &str, file: &Path, error: &dyn std::error::Error) -> String {
    let file = file.display();
    format!("`{file}`, which `{name}` of the URL names, cannot be read: {error}")
}

/// A server of any name: of an authority that is trusted, or of any.
#[derive(Debug)]
struct Anyone {
    trusted: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Anyone {
    /// Where authorities are named, `require` asks for one of them as well, as libpq does.
    fn of(
        mode: Option<Mode>,
        roots: Option<RootCertStore>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        if mode == Some(Mode::VerifyCa) && roots.is_none() {
            return Err("`sslmode=verify-ca` of the URL needs `sslrootcert`".to_owned());
        }
        let verifier = |roots: RootCertStore| {
            let own = Arc::clone(&provider);
            let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), own);
            builder.build().map_err(|error| error.to_string())
        };
        let trusted = roots.map(verifier).transpose()?;
        Ok(Self { trusted, provider })
    }
}

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(trusted) = &self.trusted else {
            return Ok(ServerCertVerified::assertion());
        };
        match trusted.verify_server_cert(own, between, name, ocsp, now) {
            // The name is looked at last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = &self.provider.signature_verification_algorithms;
        known.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn driver(query: &str) -> String {
        split(&format!("postgres://me@host/db?{query}")).unwrap().0
    }

    #[test]
    fn what_other_tools_add_to_a_url_is_left_out() {
        let query =
            "schema=public&connection_limit=5&application_name=x&pgbouncer=true&sslmode=require";
        assert_eq!(driver(query), "postgres://me@host/db?application_name=x");
        let words = "host=/run/x dbname=db sslmode=prefer";
        assert_eq!(split(words).unwrap().0, words);
    }

    #[test]
    fn a_parameter_that_nobody_knows_is_named() {
        let fails = |query: &str| Wanted::of(&format!("postgres://me@host/db?{query}")).err();
        assert!(fails("speed=high").unwrap().contains("`speed`"));
        assert!(fails("sslmode=maybe").unwrap().contains("`verify-full`"));
        assert!(fails("sslmode=verify-ca").unwrap().contains("sslrootcert"));
        let missing = fails("sslmode=verify-full&sslrootcert=/nowhere/ca.pem").unwrap();
        assert!(missing.contains("`/nowhere/ca.pem`"), "{missing}");
        assert_eq!(fails("sslmode=verify-full"), None);
    }
}
