//! What a request's own credential makes of it before it is sent, and of a challenge that it is answered.

use authz_pin_record::fault::Fault;
use chrono::Utc;
use http_body_util::BodyExt;
use reqwest::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use reqwest::{Body, Request};
use url::form_urlencoded;

use super::{Answer, Call, HttpError, reason};
use crate::credential::{Challenge, Outgoing, Signer};

impl Call {
    /// The challenge that an answer holds, where the call's credential can meet one.
    pub(super) fn challenged(
        &self,
        sent: &Result<Answer, Fault>,
    ) -> Result<Option<Challenge>, HttpError> {
        let answer = sent.as_ref().ok().filter(|answer| answer.status == 401);
        let mut signers = self.credential.signers.iter();
        match answer.filter(|_| signers.any(|signer| matches!(signer, Signer::Digest(_)))) {
            Some(answer) => Challenge::of(&answer.headers).map_err(|reason| HttpError::Challenge {
                method: self.method.as_str(),
                path: self.template.clone(),
                reason,
            }),
            None => Ok(None),
        }
    }

    /// The parameters of the credential that the path does not have: a link to the next page can have them.
    pub(super) fn presented_query(&self) -> Vec<(String, String)> {
        let (_, query) = self.path.split_once('?').unwrap_or_default();
        let is_known = |name: &str| {
            let mut known = form_urlencoded::parse(query.as_bytes());
            known.any(|(known, _)| known == name)
        };
        let own = self.credential.query.iter();
        own.filter(|(name, _)| !is_known(name)).cloned().collect()
    }

    /// An answer whose URL has no parameter of the credential.
    pub(super) fn unseen(&self, mut answer: Answer) -> Answer {
        let own = &self.credential.query;
        let Some(url) = answer.url.as_mut().filter(|_| !own.is_empty()) else {
            return answer;
        };
        let pairs = url.query_pairs().into_owned();
        let kept: Vec<_> = pairs
            .filter(|(name, _)| !own.iter().any(|(secret, _)| secret == name))
            .collect();
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
        }
        answer
    }

    /// Adds the headers that are made of the request.
    pub(super) async fn sign(
        &self,
        request: &mut Request,
        challenge: Option<&Challenge>,
    ) -> Result<(), HttpError> {
        if self.credential.signers.is_empty() {
            return Ok(());
        }
        let body = self.whole(request).await?;
        if self.credential.signers.iter().any(Signer::is_strict) {
            strict(request);
        }
        let (method, now) = (request.method().clone(), Utc::now());
        for signer in &self.credential.signers {
            let outgoing = Outgoing {
                method: method.as_str(),
                url: request.url(),
                headers: request.headers(),
                body: &body,
            };
            let headers = signer.headers(&outgoing, now, challenge);
            for (name, value) in headers.map_err(|reason| self.unsendable(reason))? {
                let (name, value) = header(&name, &value)
                    .ok_or_else(|| self.unsendable(format!("`{name}` would be no header")))?;
                request.headers_mut().insert(name, value);
            }
        }
        Ok(())
    }

    /// The bytes of the body. One in parts is a stream, which is read and put back as one piece.
    async fn whole(&self, request: &mut Request) -> Result<Vec<u8>, HttpError> {
        let Some(body) = request.body_mut().take() else {
            return Ok(Vec::new());
        };
        let read = body.collect().await;
        let bytes = read
            .map_err(|error| self.unsendable(reason(&error)))?
            .to_bytes();
        *request.body_mut() = Some(Body::from(bytes.clone()));
        request.headers_mut().remove(CONTENT_LENGTH);
        Ok(bytes.to_vec())
    }
}

/// A space in a query as `%20`: what a `+` stands for is not the same to all who check a signature.
fn strict(request: &mut Request) {
    let query = request.url().query().map(|query| query.replace('+', "%20"));
    request.url_mut().set_query(query.as_deref());
}

fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::try_from(name).ok()?;
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}
