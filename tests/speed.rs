//! What a sweep costs, as ratios of processor time in one run: machines differ, and so do their moments.
//!
//! This is a test binary of its own with one test, so that all the processor time of the process is the test's.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like the tests")]

#[path = "cli/raw.rs"]
#[expect(dead_code, reason = "the tests of the command line use all of it")]
mod raw;

use std::fs;
use std::time::Duration;

use authz_pin::http::{Route, Tls};
use authz_pin::plan::{Filter, plan};
use authz_pin::suite::Suite;
use authz_pin::sweep::{Options, Service, Silent, sweep};
use futures::stream::{self, StreamExt};
use nix::sys::resource::{UsageWho, getrusage};
use raw::{JSON, Raw, respond};
use url::Url;

/// How often everything is measured for one number.
const ROUNDS: usize = 7;

/// How many such numbers may be too large before it is no accident.
const TRIES: usize = 3;

/// How many actors and targets there are.
const SIDE: usize = 20;

const SUITE: &str = "name: speed
snapshots: snapshots
service: { ready: /health, settle_ms: 0 }
refusal: { message: $.error }
";

fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let of = |time: nix::sys::time::TimeVal| {
        Duration::new(
            time.tv_sec().try_into().unwrap(),
            u32::try_from(time.tv_usec()).unwrap() * 1000,
        )
    };
    of(usage.user_time()) + of(usage.system_time())
}

fn suite(endpoints: usize) -> Suite {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: String| fs::write(folder.path().join(file), text).unwrap();
    fs::create_dir(folder.path().join("endpoints")).unwrap();
    write("suite.yaml", SUITE.to_owned());
    let kinds = "kinds:\n  actor: { secrets: { key: \"{{ random(20) }}\" } }\n  thing: { symbols: { id: \"{{ random(20) }}\" } }\n";
    let actor = |number| {
        format!("  a{number}: {{ kind: actor, auth: {{ bearer: \"{{{{ actor.key }}}}\" }} }}\n")
    };
    let actors: String = (0..SIDE).map(actor).collect();
    write(
        "world.yaml",
        format!("{kinds}entities: {{}}\nactors:\n{actors}"),
    );
    let target = |number| format!("  t{number}: {{ kind: thing }}\n");
    let targets: String = (0..SIDE).map(target).collect();
    write("targets.yaml", format!("targets:\n{targets}"));
    let names: Vec<String> = (0..SIDE).map(|number| format!("t{number}")).collect();
    let request = "request: { method: GET, path: \"/things/{{ target.id }}\" }";
    for number in 0..endpoints {
        let file = format!("endpoints/e{number}.yaml");
        write(
            &file,
            format!("{request}\ntargets: [{}]\n", names.join(", ")),
        );
    }
    Suite::load(folder.path()).unwrap()
}

/// The processor time of one cell in a sweep of that many endpoints.
async fn of_a_cell(service: &Raw, endpoints: usize) -> Duration {
    let suite = suite(endpoints);
    let plan = plan(&suite, &Filter::new(&[]).unwrap());
    let service = Service {
        base_url: Url::parse(&service.url()).unwrap(),
        urls: [].into(),
        tls: Tls::default(),
        route: Route::default(),
        database_url: None,
        databases: [].into(),
        settle: Duration::ZERO,
        ephemeral: true,
        variables: [].into(),
    };
    let before = processor_time();
    let swept = sweep(&suite, &plan, &service, &Options::default(), &Silent)
        .await
        .unwrap();
    assert_eq!(swept.cells, SIDE * SIDE * endpoints);
    processor_time().checked_sub(before).unwrap() / u32::try_from(swept.cells).unwrap()
}

/// The processor time of one request without any sweep, service included.
async fn of_a_request(service: &Raw) -> Duration {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let count = u32::try_from(10 * SIDE * SIDE).unwrap();
    let send = |_| async {
        let url = format!(
            "{}/things/{}",
            service.url(),
            authz_pin::template::random(20)
        );
        let answer = client.get(url).bearer_auth("a key").send().await.unwrap();
        serde_json::from_slice::<serde_json::Value>(&answer.bytes().await.unwrap()).unwrap()
    };
    let concurrency = Options::default().concurrency;
    let before = processor_time();
    let answers = stream::iter(0..count).map(send).buffered(concurrency);
    assert_eq!(answers.count().await, 10 * SIDE * SIDE);
    processor_time().checked_sub(before).unwrap() / count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_costs_some_requests_and_no_more_in_a_large_suite() {
    let body = r#"{"id": "a thing", "owner": "somebody", "tags": ["a", "b"], "size": 17}"#;
    let service = Raw::start(move |_, stream| respond(stream, 200, JSON, body));
    // What is done once, such as the trust store, is no part of it.
    of_a_cell(&service, 1).await;
    // A neighbour on the same cores can add to all times of one measurement, and hardly to those of three.
    let mut costs = Vec::new();
    for _ in 0..TRIES {
        let cost = measured(&service).await;
        println!("{cost:?}");
        if cost.in_large < 1.3 && cost.to_request < 3.0 {
            return;
        }
        costs.push(cost);
    }
    panic!("{costs:?}");
}

/// What a cell in a large suite costs.
#[derive(Debug)]
struct Cost {
    /// Beside one in a small suite.
    in_large: f64,
    /// Beside a request without any sweep.
    to_request: f64,
}

/// Each time is compared with those beside it, and the middle of the ratios counts: what else the machine does adds to some.
async fn measured(service: &Raw) -> Cost {
    let (mut in_large, mut to_request) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let request = of_a_request(service).await;
        let small = of_a_cell(service, 2).await;
        let large = of_a_cell(service, 10).await;
        in_large.push(large.div_duration_f64(small));
        to_request.push(large.div_duration_f64(request));
    }
    Cost {
        in_large: middle(in_large),
        to_request: middle(to_request),
    }
}

/// The middle one of several numbers.
fn middle(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.swap_remove(numbers.len() / 2)
}
