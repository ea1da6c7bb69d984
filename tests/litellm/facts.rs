//! What must be true of the gateway, the world and the sweep for the records to mean anything.

use authz_pin::database::postgres::Database;
use authz_pin::digest::sha256_hex;
use authz_pin::suite::JsonPath;
use authz_pin::sweep::Options;
use authz_pin::template::Templates;
use authz_pin::world::World;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use serde_json::{Value as Json, json};

use crate::support::{Fixture, suite};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn at(path: &str) -> JsonPath {
    path.to_owned().try_into().unwrap()
}

/// Every row of every table of the service as one text.
pub(crate) async fn everything(database_url: &str) -> Vec<String> {
    let mut connection = AsyncPgConnection::establish(database_url).await.unwrap();
    let tables = "select format('%I.%I', schemaname, tablename) as line from pg_tables where schemaname = 'public' order by 1";
    let tables: Vec<Line> = diesel::sql_query(tables)
        .load(&mut connection)
        .await
        .unwrap();
    let mut rows = Vec::new();
    for Line { line: table } in tables {
        let query = format!(
            "select '{}' || to_jsonb(t)::text as line from {table} t order by 1",
            table.replace('\'', "")
        );
        let lines: Vec<Line> = diesel::sql_query(query)
            .load(&mut connection)
            .await
            .unwrap();
        rows.extend(lines.into_iter().map(|row| row.line));
    }
    rows
}

pub(crate) async fn count(database_url: &str, query: &str) -> i64 {
    let mut connection = AsyncPgConnection::establish(database_url).await.unwrap();
    let count: Count = diesel::sql_query(query)
        .get_result(&mut connection)
        .await
        .unwrap();
    count.count
}

/// A client that needs no other test to have run before.
fn client() -> reqwest::Client {
    // Fails only when a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn get(url: String, key: Option<&str>) -> (u16, Json) {
    let mut request = client().get(url);
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let response = request.send().await.unwrap();
    (
        response.status().as_u16(),
        response.json().await.unwrap_or_default(),
    )
}

#[tokio::test]
async fn the_service_is_alive() {
    let fixture = Fixture::new().await;
    let (status, body) = get(fixture.url("/health/liveliness"), None).await;
    assert_eq!((status, body), (200, json!("I'm alive!")));
}

#[tokio::test]
async fn a_generated_key_is_stored_hashed_and_its_cleartext_is_nowhere_in_the_database() {
    let fixture = Fixture::new().await;
    let request = client()
        .post(fixture.url("/key/generate"))
        .bearer_auth(&fixture.master_key)
        .json(&json!({}));
    let body: Json = request.send().await.unwrap().json().await.unwrap();
    let key = at("$.key").text_in(&body).unwrap();
    let rows = everything(&fixture.database_url).await;
    assert!(
        rows.iter().any(|row| row.contains(&sha256_hex(&key))),
        "the hash is not stored"
    );
    assert!(
        !rows.iter().any(|row| row.contains(&key)),
        "the cleartext is stored"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_actors_credential_authenticates_as_that_actor() {
    let (fixture, suite, templates) = (Fixture::new().await, suite(), Templates::new());
    let world = World::draw(&suite, &templates, &fixture.service().variables).unwrap();
    let mut database = Database::connect(&fixture.database_url, "public")
        .await
        .unwrap();
    let catalog = database.catalog().await.unwrap();
    let rows = world.rows(&suite, &templates).unwrap();
    database.insert(&rows, &catalog).await.unwrap();
    let mut authenticated = Vec::new();
    for (actor, instance) in &world.entities {
        let (Some(key), Some(user)) = (instance.fields.get("key"), instance.fields.get("user_id"))
        else {
            continue;
        };
        let (status, body) = get(fixture.url("/key/info"), Some(&key.value)).await;
        assert_eq!(
            (status, at("$.info.user_id").text_in(&body).as_ref()),
            (200, Some(&user.value)),
            "{actor}"
        );
        authenticated.push(actor.as_str());
    }
    assert_eq!(authenticated.len(), 17, "{authenticated:?}");
    for stranger in [
        None,
        Some(world.entities["unknown_key"].fields["key"].value.as_str()),
    ] {
        assert_eq!(get(fixture.url("/key/info"), stranger).await.0, 401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scratch_rows_land_and_are_gone_after_the_sweep() {
    let fixture = Fixture::new().await;
    let before = everything(&fixture.database_url).await;
    let swept = fixture
        .sweep(&suite(), "key-[dgru]*", &Options::default())
        .await;
    // A key that could be deleted was there: the scratch row had landed.
    let deleted = swept.records["key-delete"]
        .cell_at("owner's key", "proxy_admin")
        .unwrap();
    assert_eq!(
        (deleted.status(), deleted.effects.is_empty()),
        (Some(200), false)
    );
    assert_eq!(swept.undone.leftovers, []);
    assert_eq!(everything(&fixture.database_url).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_is_gone_after_the_sweep() {
    let fixture = Fixture::new().await;
    fixture
        .sweep(&suite(), "key-info", &Options::default())
        .await;
    let schemas = "select count(*) from pg_namespace where nspname = 'authz_pin'";
    let triggers = "select count(*) from pg_trigger where tgname like 'authz%'";
    assert_eq!(
        count(&fixture.database_url, schemas).await + count(&fixture.database_url, triggers).await,
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_endpoints_are_walked_to_the_last_page() {
    let fixture = Fixture::new().await;
    let swept = fixture
        .sweep(&suite(), "key-list", &Options::default())
        .await;
    let record = &swept.records["key-list"];
    let seen = |view| &record.cell_at(view, "proxy_admin").unwrap().discloses;
    // 23 keys at two a page: what a single large page holds is found on twelve small ones.
    assert_eq!(seen("small pages"), seen("default view"));
    assert_eq!(
        seen("small pages")
            .iter()
            .filter(|symbol| symbol.contains(".token"))
            .count(),
        23
    );
    assert!(swept.requests > swept.cells);
}
