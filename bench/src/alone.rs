//! What a sweep cannot do without, each by itself: the calls of its client, and the rows of its cells.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use authz_pin::database::Extent;
use authz_pin::database::postgres::Database;
use authz_pin::database::postgres::journal::Journal;
use authz_pin::http::{Call, Http, Presented};
use authz_pin::plan::{Filter, PlannedCell, plan};
use authz_pin::suite::{RequestSpec, Suite};
use authz_pin::sweep::Service;
use authz_pin::template::{Scope, Templates};
use authz_pin::world::{Row, Scratch, World};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::task::JoinSet;
use url::Url;

use crate::peers::Reads;
use crate::{Result, run};

/// How many requests the client sends.
const REQUESTS: usize = 20_000;

/// The requests per second of the client that a sweep calls with.
pub(crate) async fn client(reads: &Reads) -> Result<f64> {
    let http = Http::new(Url::parse(&reads.base_url)?, Duration::from_secs(30))?;
    let calls: Arc<[Call]> = calls(reads)?.into();
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let lane = |_| lane(http.clone(), Arc::clone(&calls), Arc::clone(&next));
    let lanes: JoinSet<_> = (0..run::CONCURRENCY).map(lane).collect();
    for lane in lanes.join_all().await {
        lane?;
    }
    let requests = u32::try_from(REQUESTS)?;
    Ok(f64::from(requests) / start.elapsed().as_secs_f64())
}

/// Every actor's call of every thing.
fn calls(reads: &Reads) -> Result<Vec<Call>> {
    let templates = Templates::new();
    let mut calls = Vec::new();
    for (actor, key) in &reads.actors {
        for thing in &reads.resources {
            let path = reads.path.replace("{resource}", thing);
            let request = json!({"method": "GET", "path": path});
            let request: RequestSpec = serde_json::from_value(request)?;
            let headers = vec![("authorization".to_owned(), format!("Bearer {key}"))];
            let credential = Presented::by(actor, headers);
            let scope = Scope::default();
            calls.push(Call::render(&templates, &request, credential, &scope)?);
        }
    }
    Ok(calls)
}

async fn lane(
    http: Http,
    calls: Arc<[Call]>,
    next: Arc<AtomicUsize>,
) -> std::result::Result<(), String> {
    while let place @ 0..REQUESTS = next.fetch_add(1, Ordering::Relaxed) {
        let call = calls.get(place % calls.len()).ok_or("nothing to read")?;
        let sent = http.send(call).await.map_err(|error| error.to_string())?;
        sent.map_err(|fault| format!("{fault:?}"))?;
    }
    Ok(())
}

/// How many parts of an endpoint the rows are inserted and undone for.
const PARTS: usize = 20;

/// How many seconds the database takes for the rows of a cell of a suite's first endpoint: to insert them, to journal them
/// and to undo them.
pub(crate) async fn rows(folder: &Path, service: &Service) -> Result<f64> {
    let suite = Suite::load(folder).map_err(|error| error.to_string())?;
    let templates = Templates::new();
    let world = World::draw(&suite, &templates, &service.variables)?;
    let url = service.database_url.as_ref().ok_or("no database")?;
    let mut database = Database::connect(url.expose_secret(), "public").await?;
    let (mut journal, _) = Journal::install(&mut database, &world.run, &silent).await?;
    let catalog = database.catalog().await?;
    database
        .insert(&world.rows(&suite, &templates)?, &catalog)
        .await?;
    let plan = plan(&suite, &Filter::new(&[])?);
    let cells = &plan.first().ok_or("no endpoint")?.cells;
    // Half of them, as a sweep takes an endpoint of that size.
    let cells: Vec<_> = cells.iter().step_by(2).copied().collect();
    let mut spent = Duration::ZERO;
    for _ in 0..PARTS {
        let rows = rows_of(&suite, &templates, &world, &cells)?;
        let start = Instant::now();
        journal.begin_batch(&mut database).await?;
        journal.remember(&mut database, &[], None).await?;
        database.insert(&rows, &catalog).await?;
        journal.undo(&mut database, Extent::Batch, &silent).await?;
        journal.end_batch(&mut database).await?;
        spent += start.elapsed();
        journal.vacuum(&mut database).await?;
    }
    journal.undo(&mut database, Extent::Run, &silent).await?;
    journal.remove(&mut database, &silent).await?;
    let swept = u32::try_from(PARTS * cells.len())?;
    Ok(spent.as_secs_f64() / f64::from(swept))
}

fn rows_of(
    suite: &Suite,
    templates: &Templates,
    world: &World,
    cells: &[PlannedCell<'_>],
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for cell in cells {
        let target = suite.targets.get(cell.target).ok_or("no target")?;
        let target = (cell.target.as_str(), target);
        rows.extend(Scratch::make(suite, templates, world, None, target, cell.actor)?.rows);
    }
    Ok(rows)
}

fn silent(_: &str) {}
