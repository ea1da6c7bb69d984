//! A credential as headers of a request.

pub(crate) mod jwt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::http::{Unsendable, check_cookie, check_header};
use crate::suite::Credential;
use crate::template::{Fields, Scope, TemplateError, Templates, Value};

/// The headers of a credential. `issued` is what a login gave or what was signed for it before; what was not is signed
/// now.
pub(crate) fn headers(
    templates: &Templates,
    credential: Option<&Credential>,
    scope: &Scope,
    issued: &Fields,
) -> Result<Vec<(String, String)>, TemplateError> {
    let Some(credential) = credential else {
        return Ok(Vec::new());
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
    // The suite was checked for it: a login whose credential says nothing captures one value.
    let mut captured = credential
        .login
        .iter()
        .flat_map(|login| login.capture.keys());
    let token = captured.next().map_or_else(
        || "{{ jwt }}".to_owned(),
        |name| format!("{{{{ login.{name} }}}}"),
    );
    let bearer = Credential {
        bearer: Some(token),
        place: credential.place.clone(),
        ..Credential::default()
    };
    on_the_wire(templates, &bearer, &scope)
}

fn on_the_wire(
    templates: &Templates,
    credential: &Credential,
    scope: &Scope,
) -> Result<Vec<(String, String)>, TemplateError> {
    let sendable = |checked: Result<(), Unsendable>, part: &str| {
        let place = &credential.place;
        let made = || place.spot("login").or_else(|| place.spot("jwt"));
        let spot = || place.spot(part).or_else(made);
        checked.map_err(|error| TemplateError::unsendable(error, spot()))
    };
    let mut headers = Vec::new();
    if let Some(bearer) = &credential.bearer {
        let token = templates.render_wire(bearer, scope)?;
        sendable(check_header("authorization", &token), "bearer")?;
        headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    }
    if let Some(basic) = &credential.basic {
        let name = templates.render_wire(&basic.username, scope)?;
        let password = templates.render_wire(&basic.password, scope)?;
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
    for (name, value) in &credential.headers {
        let value = templates.render_wire(value, scope)?;
        sendable(check_header(name, &value), &format!("headers.{name}"))?;
        headers.push((name.clone(), value));
    }
    Ok(headers)
}
