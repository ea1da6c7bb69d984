//! Measures sweeps, and says so in numbers that another machine can be compared by.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod bare;
mod synthetic;

use std::time::{Duration, Instant};

use authz_pin::plan::{Filter, plan};
use authz_pin::suite::Suite;
use authz_pin::sweep::{Options, Service, Silent, sweep};
use synthetic::Size;
use url::Url;

#[tokio::main]
async fn main() {
    let args: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|a| a.parse().ok())
        .collect();
    let size = Size {
        actors: args[0],
        targets: args[1],
        actions: args[2],
    };
    let folder = tempfile::tempdir().unwrap();
    synthetic::write(folder.path(), size, false).unwrap();
    let suite = Suite::load(folder.path())
        .map_err(|e| e.to_string())
        .unwrap();
    let plan = plan(&suite, &Filter::new(&[]).unwrap());
    let address = bare::start().await.unwrap();
    let service = Service {
        base_url: Url::parse(&format!("http://{address}")).unwrap(),
        database_url: None,
        settle: Duration::ZERO,
        ephemeral: true,
        variables: Default::default(),
    };
    let start = Instant::now();
    let swept = sweep(&suite, &plan, &service, &Options::default(), &Silent)
        .await
        .unwrap();
    let took = start.elapsed();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .unwrap()
        .to_owned();
    println!(
        "{} cells {:.2} s {:.0}/s {} {}",
        swept.cells,
        took.as_secs_f64(),
        swept.cells as f64 / took.as_secs_f64(),
        peak,
        size.cells()
    );
}
