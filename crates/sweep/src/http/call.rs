//! A request as it is sent.

use authz_pin_record::text::plain;
use authz_pin_suite::secrets;
use authz_pin_suite::sendable::{check_beginning, check_header, check_path};
use authz_pin_suite::suite::{Method, RequestSpec, Texts};
use authz_pin_suite::template::{Scope, TemplateError, Templates};
use serde_json::Value as Json;

use super::presented::Caller;
use super::{HttpError, Origin, Payload, Presented, Purpose};
use crate::credential::Signer;

/// A rendered request. It may hold credentials, so it cannot be printed.
pub struct Call {
    pub(crate) method: Method,
    /// Which other URL of the service it is sent to.
    pub(crate) url: Option<String>,
    /// The path as the suite has it: the rendered one may hold a credential.
    pub(super) template: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(super) credential: Presented,
    pub(super) headers: Vec<(String, String)>,
    pub(crate) body: Payload,
    /// What it is for, where somebody wants to know.
    pub(crate) origin: Option<Origin>,
}

impl Call {
    /// Renders a request with the credential's headers.
    pub fn render(
        templates: &Templates,
        spec: &RequestSpec,
        credential: Presented,
        scope: &Scope,
    ) -> Result<Self, TemplateError> {
        let headers = headers(templates, spec, &credential.headers, scope)?;
        let query = pairs(&templates.render_query(&spec.query, scope)?);
        Ok(Self {
            method: spec.method,
            url: spec.url.clone(),
            template: spec.path.clone(),
            path: path(templates, spec, scope)?,
            credential: if says_who(&headers, &query) {
                credential.of_nobody()
            } else {
                credential
            },
            query,
            headers,
            body: Payload::render(templates, spec, scope)?,
            origin: None,
        })
    }

    /// A call of nobody, which only reads.
    pub(super) fn get(path: &str) -> Self {
        Self {
            method: Method::Get,
            url: None,
            template: path.to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            credential: Presented::default(),
            headers: Vec::new(),
            body: Payload::Nothing,
            origin: None,
        }
    }

    /// The same call, with what it is for: with the number of a cell, if it is for one.
    #[must_use]
    pub(crate) fn of(mut self, purpose: Purpose, cell: Option<usize>) -> Self {
        self.origin = Some(Origin { purpose, cell });
        self
    }

    /// That it makes no request of HTTP, for this reason.
    pub(super) fn unsendable(&self, reason: String) -> HttpError {
        HttpError::Request {
            method: self.method.as_str(),
            path: self.template.clone(),
            reason,
        }
    }

    /// Whose connections it uses.
    pub(super) fn caller(&self) -> &Caller {
        &self.credential.caller
    }

    /// The credential's parameters of the query.
    pub(crate) fn own_query(&self) -> &[(String, String)] {
        &self.credential.query
    }

    /// The names of the headers that are made of the request when it is sent.
    pub(crate) fn signed_names(&self) -> impl Iterator<Item = &str> {
        self.credential.signers.iter().flat_map(Signer::names)
    }

    /// Whether any header is made of the request when it is sent.
    pub(super) fn is_signed(&self) -> bool {
        !self.credential.signers.is_empty()
    }

    /// Whether a header of that name is the credential's.
    pub(crate) fn is_credential(&self, name: &str) -> bool {
        self.credential.headers.iter().any(|(own, _)| own == name)
    }

    /// All headers, the credential's first.
    pub(crate) fn all_headers(&self) -> impl Iterator<Item = &(String, String)> {
        self.credential.headers.iter().chain(&self.headers)
    }

    /// The same call with one more query parameter.
    #[must_use]
    pub fn with_query(&self, name: &str, value: &str) -> Self {
        let mut query = self.query.clone();
        query.push((name.to_owned(), value.to_owned()));
        Self {
            query,
            path: self.path.clone(),
            ..self.again()
        }
    }

    /// The same call of another path, with the query that this one has.
    #[must_use]
    pub(super) fn of_path(&self, path: String) -> Self {
        Self {
            path,
            query: Vec::new(),
            ..self.again()
        }
    }

    /// The same call.
    pub(crate) fn again(&self) -> Self {
        Self {
            method: self.method,
            url: self.url.clone(),
            template: self.template.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            credential: self.credential.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            origin: self.origin,
        }
    }
}

/// The path of a request with these values.
fn path(templates: &Templates, spec: &RequestSpec, scope: &Scope) -> Result<String, TemplateError> {
    if spec.path.is_empty() {
        // A URL of the suite that is not joined with anything.
        return Ok(String::new());
    }
    let path = templates.render_path(&spec.path, scope)?;
    let checked = check_path(&path).and_then(|()| check_beginning(&path, spec.method.is_options()));
    checked.map_err(|error| TemplateError::unsendable(error, spec.place.spot("path")))?;
    Ok(path)
}

/// The headers of a request besides the credential's: those of each request of the suite first, but for what the request or
/// the credential itself has.
fn headers(
    templates: &Templates,
    spec: &RequestSpec,
    credential: &[(String, String)],
    scope: &Scope,
) -> Result<Vec<(String, String)>, TemplateError> {
    let is_given = |name: &str| {
        let own = spec.headers.keys();
        let mut given = own.chain(credential.iter().map(|(name, _)| name));
        given.any(|given| given.eq_ignore_ascii_case(name))
    };
    let of_all = &*spec.of_all;
    let common = of_all.headers.iter().filter(|(name, _)| !is_given(name));
    let common = common.map(|header| (&of_all.place, header));
    let own = spec.headers.iter().map(|header| (&spec.place, header));
    let mut headers = Vec::new();
    for (place, (name, values)) in common.chain(own) {
        for template in values.iter().flat_map(Texts::all) {
            let Some(value) = templates.render_unless_null(template, scope)? else {
                continue;
            };
            let spot = || place.spot(&format!("headers.{name}"));
            let checked = check_header(name, &value);
            checked.map_err(|error| TemplateError::unsendable(error, spot()))?;
            headers.push((name.clone(), value));
        }
    }
    Ok(headers)
}

/// Whether a request itself has what looks like a credential. What a service binds to a connection can be another's then.
fn says_who(headers: &[(String, String)], query: &[(String, String)]) -> bool {
    headers.iter().any(|(name, _)| secrets::is_header(name))
        || query.iter().any(|(name, _)| secrets::is_named(name))
}

/// A mapping as query parameters; a list repeats its parameter, null leaves it out.
pub(super) fn pairs(query: &Json) -> Vec<(String, String)> {
    let entries = query.as_object().into_iter().flatten();
    let items = entries.flat_map(|(name, value)| match value {
        Json::Array(items) => items.iter().map(|item| (name, item)).collect(),
        other => vec![(name, other)],
    });
    items
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), plain(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_is_a_mapping_whose_nulls_are_left_out() {
        let query = pairs(&json!({"page": 1, "team_id": null, "sort": ["a", "b"], "all": true}));
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(query, ["page=1", "sort=a", "sort=b", "all=true"]);
    }
}
