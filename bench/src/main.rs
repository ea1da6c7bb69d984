//! Measures sweeps, and writes the numbers down: where their time goes, how they grow, and how they compare with a load
//! generator and with another tool on the same service in the same run.
//!
//! ```sh
//! cargo run --profile dist -p authz-pin-bench              # prints the page
//! cargo run --profile dist -p authz-pin-bench -- --out docs/performance.md
//! ```

#![expect(
    clippy::indexing_slicing,
    reason = "of JSON values, which have null where there is nothing"
)]

mod alone;
mod bare;
mod litellm;
mod machine;
mod page;
mod peers;
mod run;
mod synthetic;

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

use clap::{Args, Parser, Subcommand};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Measures sweeps, and writes the numbers down
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    one: Option<One>,
    /// Where to write the page [default: standard output]
    #[arg(long)]
    out: Option<PathBuf>,
    /// A tenth of the cells, to see that it works
    #[arg(long)]
    quick: bool,
}

/// One measurement, in a process of its own, since its peak of memory is one of the numbers.
#[derive(Subcommand)]
enum One {
    /// A synthetic suite on a service that answers at once
    Scale {
        actions: usize,
        #[arg(long)]
        database: bool,
    },
    /// The read matrix on the service that answers at once, beside its peers
    Bare,
    /// The read matrix on the reference gateway, beside its peers
    Gateway { endpoints: usize },
    /// The read matrix on a LiteLLM proxy, beside the load generator
    Proxy(Proxy),
    /// The whole matrix of the LiteLLM suite on the reference gateway
    Suite {
        /// As on a machine's first run: nothing is cached
        #[arg(long)]
        cold: bool,
    },
}

/// A LiteLLM proxy for tests. Where it is named in the environment, the page has a row for it.
#[derive(Args)]
struct Proxy {
    endpoints: usize,
    #[arg(long, env = PROXY_URL)]
    url: String,
    #[arg(long, env = "LITELLM_DATABASE_URL", hide_env_values = true)]
    database_url: SecretString,
    #[arg(long, env = "LITELLM_MASTER_KEY", hide_env_values = true)]
    master_key: SecretString,
}

const PROXY_URL: &str = "LITELLM_URL";

impl Proxy {
    async fn measure(&self) -> Result<Json> {
        let (database, key) = (&self.database_url, &self.master_key);
        let service = litellm::service(&self.url, database.expose_secret(), key.expose_secret())?;
        peers::on_proxy(&service, self.endpoints).await
    }
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match &cli.one {
        Some(one) => {
            let runtime = tokio::runtime::Runtime::new()?;
            let measured = runtime.block_on(measure(one))?;
            write(&format!("{measured}\n"), None)
        }
        None => write(&page::write(&all(cli.quick)?)?, cli.out.as_deref()),
    }
}

#[expect(clippy::print_stdout, reason = "a program's result")]
fn write(text: &str, out: Option<&std::path::Path>) -> Result<()> {
    match out {
        Some(out) => std::fs::write(out, text)?,
        None => print!("{text}"),
    }
    Ok(())
}

async fn measure(one: &One) -> Result<Json> {
    match one {
        One::Scale { actions, database } => synthetic::scale(*actions, *database).await,
        One::Bare => peers::on_bare().await,
        One::Gateway { endpoints } => peers::on_gateway(*endpoints).await,
        One::Proxy(proxy) => proxy.measure().await,
        One::Suite { cold } => litellm::whole(*cold).await,
    }
}

/// What all the measurements say, by name.
fn all(quick: bool) -> Result<Json> {
    let (many, endpoints) = if quick { ("10", "2") } else { ("100", "20") };
    let measurements: [(&str, &[&str]); 10] = [
        ("suite", &["suite"]),
        ("cold suite", &["suite", "--cold"]),
        ("small", &["scale", "1"]),
        ("large", &["scale", many]),
        ("small after", &["scale", "1"]),
        ("small with a database", &["scale", "1", "--database"]),
        ("large with a database", &["scale", many, "--database"]),
        ("small with a database after", &["scale", "1", "--database"]),
        ("bare", &["bare"]),
        ("gateway", &["gateway", endpoints]),
    ];
    let proxy = std::env::var_os(PROXY_URL).map(|_| ("proxy", &["proxy", "2"] as &[&str]));
    let mut all = serde_json::Map::new();
    for (name, arguments) in measurements.into_iter().chain(proxy) {
        all.insert(name.to_owned(), apart(arguments)?);
    }
    Ok(Json::Object(all))
}

/// The best of three runs, since other work on the machine only ever adds to one, with the mean of the three; a long run
/// is made once.
fn apart(arguments: &[&str]) -> Result<Json> {
    let seconds = |measured: &Json| measured["seconds"].as_f64().unwrap_or(f64::MAX);
    let mut runs = vec![once(arguments)?];
    while runs.len() < 3 && runs.iter().map(seconds).sum::<f64>() <= 10.0 {
        runs.push(once(arguments)?);
    }
    let count = f64::from(u32::try_from(runs.len())?);
    let mean = runs.iter().map(seconds).sum::<f64>() / count;
    let best = runs
        .into_iter()
        .min_by(|a, b| seconds(a).total_cmp(&seconds(b)));
    let mut best = best.ok_or("nothing was measured")?;
    best["mean"] = json!(mean);
    Ok(best)
}

fn once(arguments: &[&str]) -> Result<Json> {
    let output = Command::new(std::env::current_exe()?)
        .args(arguments)
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{arguments:?} failed: {said}").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
