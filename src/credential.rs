//! A credential as a request carries it.

mod aws;
mod digest;
pub(crate) mod jwt;
mod signer;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded::byte_serialize;

use crate::http::{Pem, Presented, Unsendable, check_cookie, check_header};
use crate::suite::{AwsSpec, Basic, Credential};
use crate::template::{Fields, Scope, TemplateError, Templates, Value};
use signer::{Written, is_of_request};

pub(crate) use digest::Challenge;
pub(crate) use signer::{Outgoing, Signer, names as signed_names};

/// What a program gives that prints one line, and what is sent where nothing else is said.
pub(crate) const TOKEN: &str = "token";

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
    let sendable = |checked: Result<(), Unsendable>, part: &str| {
        let place = &credential.place;
        let made = || {
            let makers = ["login", "oauth2", "command", "jwt"];
            makers.iter().find_map(|maker| place.spot(maker))
        };
        let spot = || place.spot(part).or_else(made);
        checked.map_err(|error| TemplateError::unsendable(error, spot()))
    };
    let mut presented = Presented::default();
    let headers = &mut presented.headers;
    if let Some(bearer) = &credential.bearer {
        let token = templates.render_wire(bearer, scope)?;
        sendable(check_header("authorization", &token), "bearer")?;
        headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    }
    if let Some(basic) = &credential.basic {
        let (name, password) = pair(templates, basic, scope)?;
        let pair = STANDARD.encode(format!("{name}:{password}"));
        headers.push(("authorization".to_owned(), format!("Basic {pair}")));
    }
    let mut cookies = Vec::new();
    for (name, value) in &credential.cookies {
        let value = templates.render_wire(value, scope)?;
        sendable(check_cookie(name, &value), &format!("cookies.{name}"))?;
        cookies.push(format!("{name}={value}"));
    }
    if !cookies.is_empty() {
        headers.push(("cookie".to_owned(), cookies.join("; ")));
    }
    let mut written = Vec::new();
    for (name, value) in &credential.headers {
        if is_of_request(templates, value)? {
            written.push((name.clone(), value.clone()));
        } else {
            let value = templates.render_wire(value, scope)?;
            sendable(check_header(name, &value), &format!("headers.{name}"))?;
            headers.push((name.clone(), value));
        }
    }
    for (name, value) in &credential.query {
        let value = templates.render_wire(value, scope)?;
        presented.query.push((name.clone(), value));
    }
    if let Some(own) = &credential.certificate {
        let certificate = templates.render_wire(&own.certificate, scope)?;
        let key = templates.render_wire(&own.key, scope)?;
        presented.caller.certificate = Some(Arc::new(Pem { certificate, key }));
    }
    if !written.is_empty() {
        let written = Written::new(written, scope)?;
        presented.signers.push(Signer::Headers(written));
    }
    if let Some(aws) = &credential.aws {
        let keys = keys(templates, aws, scope)?;
        presented.signers.push(Signer::Aws(keys));
    }
    if let Some(digest) = &credential.digest {
        let (username, password) = pair(templates, digest, scope)?;
        let login = digest::Login { username, password };
        presented.signers.push(Signer::Digest(login));
    }
    Ok(presented)
}

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
