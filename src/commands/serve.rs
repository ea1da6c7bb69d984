//! `authz-pin serve`: the suite's default service, to try things on.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};

use authz_pin_sweep::service::{Given, Started};
use authz_pin_sweep::stop;
use clap::Args;
use secrecy::ExposeSecret;

use super::arguments::{OwnServiceArgs, SuiteArgs};
use super::{Context, Failure, written};
use crate::exit::Exit;

/// What the help of `serve` ends with.
pub const EXAMPLES: &str = "\
It prints NAME=VALUE lines: in the environment of another `authz-pin`, they are all that it needs to reach the service.

Examples:
  Serve until Ctrl-C:
    authz-pin serve --port 4000
  Serve with a gate removed, to see what a check says of it:
    authz-pin serve --setting 'holes=[\"key-info\"]'";

/// Arguments of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// The suite's folder [default: this folder, else the one in `suites`, of several the one with a default service]
    #[arg(value_name = "SUITE")]
    suite: Option<std::path::PathBuf>,
    /// The port on the loopback interface; 0 takes a free one
    #[arg(long, default_value_t = 4000)]
    port: u16,
    #[command(flatten)]
    service: OwnServiceArgs,
}

/// Starts the suite's default service, says how to reach it, and runs until interrupted.
pub async fn run(args: &ServeArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let suite = SuiteArgs {
        suite: args.suite.clone(),
        ..SuiteArgs::default()
    }
    .load()?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let given = Given {
        listen: Some(listen),
        ..args.service.resolve(&suite)?
    };
    let started = Started::new(&suite, &given, context.launchers).await?;
    // From the first printed line on, whoever reads it may end us.
    let asked = stop::asked();
    written(reach(context.out, &started))?;
    asked.await;
    started.stop().await;
    Ok(Exit::AsPinned)
}

/// How to reach the service, in the environment of another run.
fn reach(out: &mut dyn Write, started: &Started) -> io::Result<()> {
    let service = &started.service;
    writeln!(out, "AUTHZ_PIN_BASE_URL={}", service.base_url)?;
    if let Some(url) = &service.database_url {
        writeln!(out, "AUTHZ_PIN_DATABASE_URL={}", url.expose_secret())?;
    }
    for (prefix, values) in [
        ("AUTHZ_PIN_DATABASE_URL_", &service.databases),
        ("AUTHZ_PIN_VAR_", &service.variables),
    ] {
        for (name, value) in values {
            let (name, value) = (name.to_uppercase(), value.expose_secret());
            writeln!(out, "{prefix}{name}={value}")?;
        }
    }
    out.flush()
}
