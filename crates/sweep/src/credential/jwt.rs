//! JSON Web Tokens (RFC 7519) that a run signs with a key of the suite: the compact form of RFC 7515 over `ring`.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use ring::{error::KeyRejected, hmac};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Map, Value as Json, json};

use authz_pin_suite::suite::{Algorithm, JwtSpec};
use authz_pin_suite::template::{Scope, TemplateError, Templates};

/// Renders and signs a token.
pub(crate) fn sign(
    templates: &Templates,
    spec: &JwtSpec,
    scope: &Scope,
) -> Result<String, TemplateError> {
    let algorithm = match spec.algorithm {
        Algorithm::Hs256 => "HS256",
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
    };
    let mut header = Map::from_iter([
        ("alg".to_owned(), json!(algorithm)),
        ("typ".to_owned(), json!("JWT")),
    ]);
    for (name, value) in &spec.header {
        header.insert(name.clone(), templates.render(value, scope)?);
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    let mut claims = Map::from_iter([
        ("iat".to_owned(), json!(now)),
        ("exp".to_owned(), json!(now.saturating_add(spec.lifetime_s))),
    ]);
    for (name, value) in &spec.claims {
        claims.insert(name.clone(), templates.render(value, scope)?);
    }
    claims.retain(|_, value| !value.is_null());
    let text = format!("{}.{}", encoded(header), encoded(claims));
    let key = templates.render_text(&spec.key, scope)?;
    let signature = signature(spec.algorithm, &key, text.as_bytes());
    let signature = signature.map_err(|reason| {
        let reason = format!("what it gives is no key for {algorithm}: {reason}");
        TemplateError::because(&spec.key, reason)
    })?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn encoded(members: Map<String, Json>) -> String {
    URL_SAFE_NO_PAD.encode(Json::Object(members).to_string())
}

/// The signature, or why the key is none. The key itself is in no error.
fn signature(algorithm: Algorithm, key: &str, text: &[u8]) -> Result<Vec<u8>, String> {
    match algorithm {
        Algorithm::Hs256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
            Ok(hmac::sign(&key, text).as_ref().to_vec())
        }
        Algorithm::Rs256 => rsa(&private_key(key)?, text),
        Algorithm::Es256 => ecdsa(&private_key(key)?, text),
    }
}

fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, String> {
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes());
    key.map_err(|_| "it is not a private key as PEM".to_owned())
}

fn rsa(key: &PrivateKeyDer<'_>, text: &[u8]) -> Result<Vec<u8>, String> {
    let pair = match key {
        PrivateKeyDer::Pkcs1(_) => RsaKeyPair::from_der(key.secret_der()),
        _ => RsaKeyPair::from_pkcs8(key.secret_der()),
    };
    let pair = pair.map_err(rejected)?;
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text,
        &mut signature,
    )
    .map_err(|_| "it cannot sign".to_owned())?;
    Ok(signature)
}

fn ecdsa(key: &PrivateKeyDer<'_>, text: &[u8]) -> Result<Vec<u8>, String> {
    if matches!(key, PrivateKeyDer::Sec1(_)) {
        let how = "give it as PKCS #8: `openssl pkcs8 -topk8 -nocrypt`";
        return Err(how.to_owned());
    }
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, key.secret_der(), &random);
    let signature = pair.map_err(rejected)?.sign(&random, text);
    let signature = signature.map_err(|_| "it cannot sign".to_owned())?;
    Ok(signature.as_ref().to_vec())
}

fn rejected(error: KeyRejected) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use authz_pin_suite::template::Value;

    fn token(spec: Json) -> Result<String, TemplateError> {
        let spec: JwtSpec = serde_json::from_value(spec).unwrap();
        let scope = Scope::from([
            ("secret", Value::from("s3cret")),
            ("who", Value::from("u-1")),
        ]);
        sign(&Templates::new(), &spec, &scope)
    }

    fn part(token: &str, index: usize) -> Json {
        let part = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_token_has_the_claims_and_the_header_of_the_suite_and_a_time() {
        let token = token(json!({
            "algorithm": "HS256", "key": "{{ secret }}", "lifetime_s": 60,
            "claims": {"sub": "{{ who }}", "roles": ["a"], "iat": null}, "header": {"kid": "k1"},
        }))
        .unwrap();
        assert_eq!(
            part(&token, 0),
            json!({"alg": "HS256", "typ": "JWT", "kid": "k1"})
        );
        let claims = part(&token, 1);
        assert_eq!(
            (&claims["sub"], &claims["roles"]),
            (&json!("u-1"), &json!(["a"]))
        );
        assert!(
            claims["exp"].is_u64() && claims.get("iat").is_none(),
            "{claims}"
        );
    }

    #[test]
    fn a_key_that_is_none_is_told_without_it() {
        for algorithm in ["RS256", "ES256"] {
            let spec = json!({"algorithm": algorithm, "key": "{{ secret }}"});
            assert_eq!(
                token(spec).unwrap_err().to_string(),
                format!(
                    "template `{{{{ secret }}}}`: what it gives is no key for {algorithm}: it is not a private key as PEM"
                )
            );
        }
    }
}
