//! What a run does, as lines on standard error, for whoever asks for them.

use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::time::Instant;

use authz_pin_record::text::printable;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, ParseError, filter_fn};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::util::SubscriberInitExt;

use super::{Color, FAINT, beside_the_bar, stderr, styled};

/// The variable of the environment that says what is logged, as a filter of `tracing-subscriber`.
pub const LOG: &str = "AUTHZ_PIN_LOG";

/// Logs what was done, and with a `verbosity` of 2 each request too; without any, what the filter says. What other libraries
/// log is never shown: a client that logs its requests would show credentials.
pub fn log(color: Color, verbosity: u8, filter: Option<&str>) -> Result<(), ParseError> {
    let filter = match (verbosity, filter) {
        (0, None | Some("")) => return Ok(()),
        (0, Some(filter)) => filter,
        (1, _) => "authz_pin=info",
        _ => "authz_pin=debug",
    };
    let filter = EnvFilter::builder().parse(filter)?;
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Lines(Instant::now()))
        .with_writer(Beside(color))
        .with_filter(filter_fn(is_own));
    // Fails only where the program that this is a library of logs by itself.
    let _ = tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .try_init();
    Ok(())
}

fn is_own(metadata: &Metadata<'_>) -> bool {
    // The tool's crates have names of their own behind that.
    let own = metadata.target().strip_prefix("authz_pin");
    own.is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rest.starts_with('_'))
}

/// A line for each event: the time since the start, what it is about, and what happened.
struct Lines(Instant);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = String::new();
        let spans = context.event_scope().into_iter();
        for span in spans.flat_map(Scope::from_root) {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                let _ = write!(text, "{fields}: ");
            }
        }
        context.format_fields(Writer::new(&mut text), event)?;
        let time = format!("{:9.3}", self.0.elapsed().as_secs_f64());
        writeln!(out, "{} {}", styled(FAINT, &time), printable(&text))
    }
}

/// Standard error, where a bar may be in the way.
struct Beside(Color);

impl<'a> MakeWriter<'a> for Beside {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self(self.0)
    }
}

impl Write for Beside {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        beside_the_bar(|| stderr(self.0).write_all(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// What is logged by a filter, without the times.
    fn logged(work: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Kept(Arc<Mutex<Vec<u8>>>);
        impl Write for Kept {
            fn write(&mut self, line: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().extend_from_slice(line);
                Ok(line.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let kept = Kept::default();
        let writer = kept.clone();
        let lines = tracing_subscriber::fmt::layer()
            .event_format(Lines(Instant::now()))
            .with_writer(move || writer.clone())
            .with_filter(filter_fn(is_own));
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, work);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let text = anstream::adapter::strip_str(&text).to_string();
        let lines = text.lines().map(str::trim_start);
        let lines = lines.map(|line| line.split_once(' ').unwrap().1.to_owned() + "\n");
        lines.collect()
    }

    #[test]
    fn a_line_says_what_it_is_about_and_steers_no_terminal() {
        let text = logged(|| {
            let span = tracing::info_span!("endpoint", message = %"key-info");
            span.in_scope(|| tracing::info!(cells = 2, "seeded"));
            tracing::info!("a \u{1b}[31mred\u{1b}[0m\r\nline");
        });
        insta::assert_snapshot!(text, @r"
        key-info: seeded cells=2
        a \x1b[31mred\x1b[0m\r\nline
        ");
    }

    #[test]
    fn what_other_libraries_log_is_never_shown() {
        let text = logged(|| {
            tracing::info!(target: "hyper::proto", "authorization: Bearer sk-1");
            tracing::info!(target: "authz_pinned", "sk-1");
            tracing::info!(target: "authz_pin::http", "sent");
        });
        assert_eq!(text, "sent\n");
    }
}
