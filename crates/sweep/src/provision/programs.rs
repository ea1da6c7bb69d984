//! What programs give: credentials of actors, and what steps capture.

use std::collections::BTreeMap;
use std::time::Duration;

use authz_pin_record::text::plain;
use authz_pin_suite::suite::TOKEN;
use authz_pin_suite::suite::{CommandSpec, Credential, StepSpec};
use authz_pin_suite::template::{Scope, TemplateError, random};
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{Client, Given, Printed, Provision, Reply};
use crate::http::Body;

/// The member of what a program prints that says for how many seconds it can be used.
const LIFETIME: &str = "expires_in";

impl<C: Client> Provision<'_, '_, C> {
    /// Runs the program of an actor's credential.
    pub(super) async fn run_for(
        &self,
        actor: &str,
        auth: &Credential,
        command: &CommandSpec,
        scope: &Scope,
    ) -> Result<Given, C::Failure> {
        let mut environment = self.environment(command, scope)?;
        environment.push(("ACTOR".to_owned(), actor.to_owned()));
        let printed = self.client.run(Some(actor), command, environment).await?;
        Ok(match printed {
            Printed::Answer(answer) => given(&answer.body),
            Printed::MadeUp => Given {
                captured: auth.of_command().map(made_up).collect(),
                lifetime: None,
            },
        })
    }

    /// Runs the program of a step.
    pub(super) async fn run_step(
        &self,
        step: &StepSpec,
        scope: &Scope,
    ) -> Result<Option<Reply<C::Failure>>, C::Failure> {
        let Some(command) = &step.command else {
            return Ok(None);
        };
        let environment = self.environment(command, scope)?;
        let printed = self.client.run(None, command, environment).await?;
        let captured: BTreeMap<String, String> = match &printed {
            Printed::Answer(answer) => {
                let found = step.capture.iter();
                let found = found.map(|(name, source)| Some((name.clone(), answer.value(source)?)));
                found.flatten().collect()
            }
            Printed::MadeUp => step.capture.keys().cloned().map(made_up).collect(),
        };
        let mut wanted = step.capture.iter();
        let outcome = match wanted.find(|(name, _)| !captured.contains_key(*name)) {
            Some((name, source)) => Err(self.client.lacks(command, name, source)),
            None => Ok(()),
        };
        Ok(Some(Reply { captured, outcome }))
    }

    fn environment(
        &self,
        command: &CommandSpec,
        scope: &Scope,
    ) -> Result<Vec<(String, String)>, TemplateError> {
        let variables = command.environment.iter();
        let rendered = variables
            .map(|(name, text)| Ok((name.clone(), self.templates.render_wire(text, scope)?)));
        rendered.collect()
    }
}

fn made_up(name: String) -> (String, String) {
    (name, random(24))
}

/// The members of an object, or one line as a token.
fn given(body: &Body) -> Given {
    let members = match body {
        Body::Json(Json::Object(members)) => members,
        other => {
            let text = match other {
                Body::Json(json) => plain(json),
                Body::Text(text) => text.trim().to_owned(),
                Body::Document(document) => document.text.trim().to_owned(),
            };
            let captured = IndexMap::from([(TOKEN.to_owned(), text)]);
            return Given {
                captured,
                lifetime: None,
            };
        }
    };
    let words = members.iter().filter(|(_, value)| !value.is_null());
    let seconds = members.get(LIFETIME).and_then(Json::as_f64);
    Given {
        captured: words
            .filter(|(name, _)| *name != LIFETIME)
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        lifetime: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    }
}
