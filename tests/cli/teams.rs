//! A service for the teams of two tenants, which describes itself.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use super::raw::{After, JSON, Raw, Request, respond};

/// The teams by id, each with its tenant.
type Teams = Arc<Mutex<BTreeMap<String, String>>>;

pub(crate) struct Served {
    raw: Raw,
    teams: Teams,
}

impl Served {
    pub(crate) fn start() -> Self {
        let teams = Teams::default();
        let own = Arc::clone(&teams);
        Self {
            raw: Raw::start(move |request, stream| answer(&own, request, stream)),
            teams,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.raw.url()
    }

    /// How many teams there are.
    pub(crate) fn teams(&self) -> usize {
        self.teams.lock().unwrap().len()
    }
}

fn document() -> Json {
    let team =
        json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}});
    let made =
        json!({"type": "object", "properties": {"team_id": {"type": "string", "format": "uuid"}}});
    let json = |schema: Json| json!({"content": {"application/json": {"schema": schema}}});
    let parameter = json!({"name": "team_id", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}});
    let error = json(json!({"type": "object", "properties": {"detail": {"type": "string"}}}));
    json!({
        "openapi": "3.1.0", "info": {"title": "Teams", "version": "1"},
        "paths": {
            "/teams": {"post": {"operationId": "createTeam", "requestBody": json(team), "responses": {"201": json(made), "403": error}}},
            "/teams/{team_id}": {
                "parameters": [parameter],
                "get": {"operationId": "getTeam", "responses": {"200": {}}},
                "delete": {"operationId": "deleteTeam", "responses": {"204": {}}},
            },
        },
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    })
}

fn answer(teams: &Teams, request: &Request, stream: &mut TcpStream) -> io::Result<After> {
    let (status, body) = reply(teams, request);
    respond(stream, status, JSON, body.to_string())
}

fn reply(teams: &Teams, request: &Request) -> (u16, Json) {
    let refusal = |status, detail: &str| (status, json!({"detail": detail}));
    if request.path() == "/openapi.json" {
        return (200, document());
    }
    let tenant = match request.header("authorization") {
        Some("Bearer of-admin" | "Bearer of-member") => "a",
        Some("Bearer of-outsider") => "b",
        _ => return refusal(401, "who are you"),
    };
    let mut teams = teams.lock().unwrap();
    let method = request.line.split(' ').next().unwrap();
    let Some(id) = request.path().strip_prefix("/teams/") else {
        let id = format!(
            "00000000-0000-4000-8000-{}",
            authz_pin::template::random(12)
        );
        teams.insert(id.clone(), tenant.to_owned());
        return (201, json!({"team_id": id}));
    };
    match teams.get(id) {
        None => refusal(404, "there is no such team"),
        Some(of) if of != tenant => refusal(403, "the team is not yours"),
        Some(_) if method == "DELETE" => {
            teams.remove(id);
            (200, json!({}))
        }
        Some(_) => (200, json!({"team_id": id})),
    }
}
