//! `authz-pin serve`: the suite's default service, to try things on.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;

use super::arguments::{ServiceArgs, SuiteArgs};
use super::{Context, Failure};
use crate::exit::Exit;
use crate::service::Started;

/// Arguments of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// The suite's folder [default: this folder, else the only one in `suites`]
    #[arg(value_name = "SUITE")]
    suite: Option<std::path::PathBuf>,
    #[command(flatten)]
    service: ServiceArgs,
    /// The port on the loopback interface; 0 takes a free one
    #[arg(long, default_value_t = 4000)]
    port: u16,
}

/// Starts the suite's default service, says how to reach it, and runs until interrupted.
pub async fn run(args: &ServeArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    if args.service.base_url.is_some() {
        return Err(Failure::new(
            Exit::Usage,
            "`serve` starts a service and takes no --base-url",
        ));
    }
    let suite = SuiteArgs {
        suite: args.suite.clone(),
        filter: Vec::new(),
    }
    .load()?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let given = args.service.resolve(&suite, Some(listen))?;
    let started = Started::new(&suite, &given, context.launchers).await?;
    writeln!(
        context.out,
        "AUTHZ_PIN_BASE_URL={}",
        started.service.base_url
    )?;
    if let Some(url) = &started.service.database_url {
        writeln!(context.out, "AUTHZ_PIN_DATABASE_URL={url}")?;
    }
    for (name, value) in &started.service.variables {
        writeln!(context.out, "AUTHZ_PIN_VAR_{}={value}", name.to_uppercase())?;
    }
    context.out.flush()?;
    tokio::signal::ctrl_c().await?;
    started.stop().await;
    Ok(Exit::AsPinned)
}
