//! How the service is reached: by an address or by a socket, directly or by a proxy, and in which version of HTTP.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::Url;

use authz_pin_suite::urls::shown;

/// How the service is reached, besides where it is.
#[derive(Debug, Clone, Default)]
pub struct Route {
    /// A proxy that all requests go through.
    pub proxy: Option<Url>,
    /// Whether it speaks HTTP/2 without TLS, where nobody can ask it first.
    pub http2: bool,
}

/// One URL of the service. It may hold a password, so it cannot be printed.
#[derive(Clone)]
pub(super) struct Site {
    /// The URL that paths are joined with.
    pub(super) url: Url,
    /// The URL as it was given.
    pub(super) given: Url,
    /// The socket that listens, in place of an address.
    pub(super) socket: Option<Arc<Path>>,
    /// The URL as it was given, without what may be a secret.
    pub(super) shown: String,
}

impl Site {
    /// The site of a URL, which can be `unix:PATH`.
    pub(super) fn of(url: Url) -> Self {
        let socket = (url.scheme() == SOCKET).then(|| socket(&url));
        let shown = shown(&url).trim_end_matches('/').to_owned();
        let local = Url::parse("http://localhost/").ok();
        Self {
            url: local.filter(|_| socket.is_some()).unwrap_or(url.clone()),
            given: url,
            socket,
            shown,
        }
    }

    pub(super) fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }
}

/// The scheme of a socket's URL.
const SOCKET: &str = "unix";

fn socket(url: &Url) -> Arc<Path> {
    let path = percent_decode_str(url.path()).decode_utf8_lossy();
    Arc::from(PathBuf::from(path.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_named_by_its_path() {
        for (text, path) in [
            ("unix:/run/a%20b.sock", "/run/a b.sock"),
            ("unix:///run/c.sock", "/run/c.sock"),
            ("unix:d.sock", "d.sock"),
        ] {
            let site = Site::of(Url::parse(text).unwrap());
            assert_eq!(site.socket.as_deref(), Some(Path::new(path)));
            assert_eq!(site.url.as_str(), "http://localhost/");
        }
        let site = Site::of(Url::parse("https://a:b@c/d/").unwrap());
        assert!(site.socket.is_none() && site.is_secure());
        assert_eq!(site.shown, "https://a:***@c/d");
    }
}
