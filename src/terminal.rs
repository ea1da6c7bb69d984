//! The terminal: the one owner of colours, progress and the streams' abilities.

mod guard;
mod keyboard;
mod log;

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use authz_pin_record::text::printable;
use authz_pin_suite::plan::PlannedCell;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle, WeakProgressBar};

use authz_pin_sweep::shared::Shared;
use authz_pin_sweep::sweep::Progress;

pub use guard::Guard;
pub use keyboard::{Key, Keyboard};
pub use log::{LOG, log};

/// A refusal.
pub const DENIED: Style = AnsiColor::Red.on_default();
/// A success.
pub const ALLOWED: Style = AnsiColor::Green.on_default();
/// Something to look at.
pub const NOTABLE: Style = AnsiColor::Yellow.on_default();
/// A heading.
pub const HEADING: Style = Style::new().bold();
/// Something of less weight.
pub const FAINT: Style = Style::new().dimmed();

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// Standard output with colours where they are wanted, and without lines that command whatever reads a log.
#[must_use]
pub fn stdout(color: Color) -> Guard<AutoStream<std::io::Stdout>> {
    Guard::new(AutoStream::new(std::io::stdout(), color.into()))
}

/// Standard output for lines that are meant to command whatever reads a log.
#[must_use]
pub fn commands() -> std::io::Stdout {
    std::io::stdout()
}

/// The same of standard error.
#[must_use]
pub fn stderr(color: Color) -> Guard<AutoStream<std::io::Stderr>> {
    Guard::new(AutoStream::new(std::io::stderr(), color.into()))
}

/// How many characters a line of standard output has, if it is a terminal.
#[must_use]
pub fn width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(width.0.into())
}

/// `text` in a style.
#[must_use]
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes the lines of a text diff, each in the colour of its sign.
pub fn write_diff(out: &mut dyn Write, diff: &str) -> std::io::Result<()> {
    diff.lines().try_for_each(|line| {
        let style = match line.chars().next() {
            Some('-') => DENIED,
            Some('+') => ALLOWED,
            _ => FAINT,
        };
        writeln!(out, "{}", styled(style, line))
    })
}

/// A progress bar on a terminal, plain lines elsewhere.
pub struct Bar {
    shown: Option<ProgressBar>,
    endpoint: Shared<usize>,
    last: Shared<String>,
}

impl Bar {
    /// A bar over that many cells, on standard error.
    #[must_use]
    pub fn new(cells: usize) -> Self {
        let shown = std::io::stderr().is_terminal().then(|| bar(cells));
        if let (Some(bar), Ok(mut now)) = (&shown, SHOWN.lock()) {
            *now = Some(bar.downgrade());
        }
        Self {
            shown,
            endpoint: Shared::default(),
            last: Shared::default(),
        }
    }

    fn line(text: &str) {
        // Progress that cannot be shown is no reason to fail.
        let _ = writeln!(std::io::stderr(), "{}", printable(text));
    }

    /// Takes the bar away; elsewhere, says how the last endpoint ended.
    pub fn finish(&self) {
        match &self.shown {
            Some(bar) => bar.finish_and_clear(),
            None => self.end_endpoint(),
        }
    }

    fn end_endpoint(&self) {
        let cells = self.endpoint.take();
        if cells > 0 {
            Self::line(&format!("swept {}: {cells} cells", self.last.borrow()));
        }
    }
}

/// The bar that is on the terminal now, if one is: others who write there have to ask it to stand aside.
static SHOWN: Mutex<Option<WeakProgressBar>> = Mutex::new(None);

/// Writes to standard error while no bar is there.
fn beside_the_bar<T>(write: impl FnOnce() -> T) -> T {
    let shown = SHOWN.lock().ok();
    let bar = shown.and_then(|shown| shown.as_ref()?.upgrade());
    match bar.filter(|bar| !bar.is_finished()) {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

fn bar(cells: usize) -> ProgressBar {
    let bar = ProgressBar::new(cells as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} cells  {elapsed}  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

impl Progress for Bar {
    fn swept(&self, cell: &PlannedCell<'_>) {
        if let Some(bar) = &self.shown {
            bar.set_message(cell.endpoint.clone());
            bar.inc(1);
            return;
        }
        let is_other = *self.last.borrow() != *cell.endpoint;
        if is_other {
            self.end_endpoint();
            cell.endpoint.clone_into(&mut self.last.borrow_mut());
        }
        *self.endpoint.borrow_mut() += 1;
    }

    fn note(&self, text: &str) {
        if let Some(bar) = &self.shown {
            return bar.println(text);
        }
        self.end_endpoint();
        Self::line(text);
    }
}
