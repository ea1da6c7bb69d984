//! `POST /key/service-account/generate`: a key that belongs to a team and to nobody in it.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::Value;

use super::generate::{OWN_FIELDS, make_for};
use crate::{
    call::Call,
    caller::Caller,
    denial::{Answer, Denial, Voice},
    fields::{Fields, KEY_FIELDS},
    gates::{keys, team},
    server::Gate,
    store::Team,
};

pub(crate) async fn handle(
    State(gate): State<Arc<Gate>>,
    call: Call,
) -> Result<Json<Value>, Answer> {
    let known = [KEY_FIELDS, OWN_FIELDS].concat();
    let fields = Fields::read(call.body, &known)?;
    generate(&gate, &call.caller, fields)
        .await
        .map(Json)
        .map_err(|denial| denial.spoken_by(Voice::Plain))
}

async fn generate(gate: &Gate, caller: &Caller, mut fields: Fields) -> Result<Value, Denial> {
    keys::sets_no_routes(caller, &fields)?;
    let team = required_team(gate, fields.text("team_id")).await?;
    let (action, owner) = (team::Action::GenerateServiceAccount, fields.text("user_id"));
    team::may_generate(action, caller, owner, &team, &gate.settings)?;
    // A user may be named, and decides the gate above, but does not get the key.
    fields.set("user_id", Value::Null);
    make_for(gate, caller, fields, Some(&team)).await
}

/// The team that the key is for, which not even a proxy admin may leave out.
async fn required_team(gate: &Gate, id: Option<&str>) -> Result<Team, Denial> {
    let refusal = |reason: &str| {
        let message = format!("{reason} in the request body.");
        Denial::text(400, message)
    };
    let missing = "team_id is required for service account keys. Please specify `team_id`";
    let id = id.ok_or_else(|| refusal(missing))?;
    let unknown = "team_id does not exist in the database. Please specify a valid `team_id`";
    gate.store.team(id).await?.ok_or_else(|| refusal(unknown))
}
