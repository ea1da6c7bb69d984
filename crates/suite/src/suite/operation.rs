//! The name of one operation.

use serde::Deserialize;

use super::{CompileError, Method};
use crate::diagnostic::quoted;

/// One operation of the service, as `METHOD /path`, with `{name}` for what varies in the path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OperationName {
    /// The method.
    pub method: Method,
    /// The path template.
    pub path: String,
}

const HELP: &str = "write a method and a path, such as `GET /teams/{team_id}/ui`";

impl TryFrom<String> for OperationName {
    type Error = CompileError;

    fn try_from(text: String) -> Result<Self, CompileError> {
        let read = text.trim().split_once(char::is_whitespace);
        let read = read.and_then(|(method, path)| {
            let (method, path) = (Method::try_from(method.to_owned()).ok()?, path.trim_start());
            let is_path = path.starts_with('/') && !path.contains(['?', '#', ' ']);
            (is_path && !text.contains('*')).then(|| Self {
                method,
                path: path.to_owned(),
            })
        });
        read.ok_or_else(|| CompileError {
            message: format!("{} is not the name of one operation", quoted(&text)),
            help: Some(HELP),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_operation_is_one_method_and_one_path() {
        let read = |text: &str| OperationName::try_from(text.to_owned());
        let name = read(" PROPFIND  /files/{path} ").unwrap();
        assert_eq!(name.method.as_str(), "PROPFIND");
        assert_eq!(name.path, "/files/{path}");
        let others = [
            "",
            "GET",
            "/a",
            "get /a",
            "GET a",
            "GET /a*",
            "* /a",
            "GET /a?b=1",
        ];
        assert!(others.into_iter().all(|text| read(text).is_err()));
    }
}
