//! A credential as a request carries it.

mod aws;
mod digest;
pub(crate) mod jwt;
mod signer;

use authz_pin_suite::sendable::{Unsendable, check_cookie, check_header, check_username};
use authz_pin_suite::suite::TOKEN;
use std::sync::Arc;

use authz_pin_suite::suite::{AwsSpec, Basic, Credential};
use authz_pin_suite::template::{Fields, Scope, TemplateError, Templates, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;

use crate::http::{Caller, Pem, Presented};
use signer::{Written, is_of_request};

pub(crate) use digest::Challenge;
pub(crate) use signer::{Outgoing, Signer, host};

/// What a request with a credential presents. `issued` is what a login or a program gave or what was signed for it before;
/// what was not is signed now.
pub(crate) fn present(
    templates: &Templates,
    credential: Option<&Credential>,
    scope: &Scope,
    issued: &Fields,
) -> Result<Presented, TemplateError> {
    let Some(credential) = credential else {
        return Ok(Presented::default());
    };
    if !credential.is_issued() {
        return on_the_wire(templates, credential, scope);
    }
    let mut scope = scope.clone();
    scope.extend(issued.clone());
    if let Some(spec) = credential
        .jwt
        .as_ref()
        .filter(|_| !issued.contains_key("jwt"))
    {
        scope.insert("jwt", Value::from(jwt::sign(templates, spec, &scope)?));
    }
    if !credential.is_bare() {
        return on_the_wire(templates, credential, &scope);
    }
    let bearer = Credential {
        bearer: Some(token(credential)),
        certificate: credential.certificate.clone(),
        place: credential.place.clone(),
        ..Credential::default()
    };
    on_the_wire(templates, &bearer, &scope)
}

/// The one thing that is given for a credential that says nothing of what is sent. The suite was checked for it: such a
/// login captures one value.
fn token(credential: &Credential) -> String {
    let login = credential.login.iter();
    let mut captured = login.flat_map(|login| login.capture.keys());
    match (captured.next(), &credential.command) {
        (Some(name), _) => format!("{{{{ login.{name} }}}}"),
        (None, Some(_)) => format!("{{{{ command.{TOKEN} }}}}"),
        (None, None) => "{{ jwt }}".to_owned(),
    }
}

fn on_the_wire(
    templates: &Templates,
    credential: &Credential,
    scope: &Scope,
) -> Result<Presented, TemplateError> {
    let wire = Wire {
        templates,
        credential,
        scope,
    };
    let mut headers = wire.known_headers()?;
    let (own, of_request) = wire.own_headers()?;
    headers.extend(own);
    Ok(Presented {
        caller: wire.caller()?,
        headers,
        query: wire.query()?,
        signers: wire.signers(of_request)?,
    })
}

/// A credential as it is written.
struct Wire<'c> {
    templates: &'c Templates,
    credential: &'c Credential,
    scope: &'c Scope,
}

/// Names with their values.
type Pairs = Vec<(String, String)>;

impl Wire<'_> {
    fn render(&self, text: &str) -> Result<String, TemplateError> {
        self.templates.render_wire(text, self.scope)
    }

    /// Says where a part stands that cannot be sent, or where stands what gave it.
    fn sendable(&self, checked: Result<(), Unsendable>, part: &str) -> Result<(), TemplateError> {
        let place = &self.credential.place;
        let made = || {
            let makers = ["login", "oauth2", "command", "jwt"];
            makers.iter().find_map(|maker| place.spot(maker))
        };
        let spot = || place.spot(part).or_else(made);
        checked.map_err(|error| TemplateError::unsendable(error, spot()))
    }

    /// The headers that credentials of a known kind have.
    fn known_headers(&self) -> Result<Pairs, TemplateError> {
        let mut headers = Vec::new();
        if let Some(bearer) = &self.credential.bearer {
            let token = self.render(bearer)?;
            self.sendable(check_header(AUTHORIZATION, &token), "bearer")?;
            headers.push((AUTHORIZATION.to_owned(), format!("Bearer {token}")));
        }
        if let Some(basic) = &self.credential.basic {
            let (name, password) = pair(self.templates, basic, self.scope)?;
            self.sendable(check_username("", &name), "basic.username")?;
            let pair = STANDARD.encode(format!("{name}:{password}"));
            headers.push((AUTHORIZATION.to_owned(), format!("Basic {pair}")));
        }
        let mut cookies = Vec::new();
        for (name, value) in &self.credential.cookies {
            let value = self.render(value)?;
            self.sendable(check_cookie(name, &value), &format!("cookies.{name}"))?;
            cookies.push(format!("{name}={value}"));
        }
        if !cookies.is_empty() {
            headers.push(("cookie".to_owned(), cookies.join("; ")));
        }
        Ok(headers)
    }

    /// The headers that the suite names itself, and those of them that can only be rendered with the request.
    fn own_headers(&self) -> Result<(Pairs, Pairs), TemplateError> {
        let (mut headers, mut of_request) = (Vec::new(), Vec::new());
        for (name, value) in &self.credential.headers {
            if is_of_request(self.templates, value)? {
                of_request.push((name.clone(), value.clone()));
                continue;
            }
            let value = self.render(value)?;
            self.sendable(check_header(name, &value), &format!("headers.{name}"))?;
            headers.push((name.clone(), value));
        }
        Ok((headers, of_request))
    }

    fn query(&self) -> Result<Pairs, TemplateError> {
        let query = self.credential.query.iter();
        query
            .map(|(name, value)| Ok((name.clone(), self.render(value)?)))
            .collect()
    }

    fn caller(&self) -> Result<Caller, TemplateError> {
        let certificate = self.credential.certificate.as_ref().map(|own| {
            let certificate = self.render(&own.certificate)?;
            let key = self.render(&own.key)?;
            Ok(Arc::new(Pem { certificate, key }))
        });
        Ok(Caller {
            actor: None,
            certificate: certificate.transpose()?,
        })
    }

    fn signers(&self, of_request: Pairs) -> Result<Vec<Signer>, TemplateError> {
        let mut signers = Vec::new();
        if !of_request.is_empty() {
            signers.push(Signer::Headers(Written::new(
                of_request,
                self.scope,
                &self.credential.place,
            )?));
        }
        if let Some(aws) = &self.credential.aws {
            signers.push(Signer::Aws(keys(self.templates, aws, self.scope)?));
        }
        if let Some(digest) = &self.credential.digest {
            let (username, password) = pair(self.templates, digest, self.scope)?;
            self.sendable(check_header(AUTHORIZATION, &username), "digest.username")?;
            signers.push(Signer::Digest(digest::Login { username, password }));
        }
        Ok(signers)
    }
}

const AUTHORIZATION: &str = "authorization";

/// A name and a password.
fn pair(
    templates: &Templates,
    basic: &Basic,
    scope: &Scope,
) -> Result<(String, String), TemplateError> {
    let name = templates.render_wire(&basic.username, scope)?;
    let password = templates.render_wire(&basic.password, scope)?;
    if basic.form_encoded {
        let encoded = |text: String| byte_serialize(text.as_bytes()).collect();
        return Ok((encoded(name), encoded(password)));
    }
    Ok((name, password))
}

fn keys(templates: &Templates, spec: &AwsSpec, scope: &Scope) -> Result<aws::Keys, TemplateError> {
    let render = |text: &String| templates.render_wire(text, scope);
    Ok(aws::Keys {
        access_key: render(&spec.access_key)?,
        secret_key: render(&spec.secret_key)?,
        session_token: spec.session_token.as_ref().map(render).transpose()?,
        region: render(&spec.region)?,
        service: render(&spec.service)?,
    })
}
