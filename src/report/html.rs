//! The report as one self-contained HTML page: it loads nothing, so that it can be mailed and archived.
//!
//! The page is a frame, a style, a script and two blocks of JSON that the script reads: what the check found, and the
//! facts of the run. Only the second differs between two checks of the same service.

mod data;

use std::io::{self, Write};
use std::time::UNIX_EPOCH;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Report;
use data::Page;

const FRAME: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// What is another one in each run.
#[derive(Serialize)]
struct Run {
    version: &'static str,
    /// Seconds since 1970.
    made: u64,
    requests: usize,
    seconds: f64,
}

impl Run {
    fn of(report: &Report) -> Self {
        let made = report.made.duration_since(UNIX_EPOCH);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            made: made.map_or(0, |since| since.as_secs()),
            requests: report.totals.requests,
            seconds: report.totals.seconds,
        }
    }
}

/// Writes the page.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let data = block(&Page::of(report))?;
    let run = block(&Run::of(report))?;
    let script_hash = hash(SCRIPT);
    let fill = |name: &str| match name {
        "script hash" => script_hash.as_str(),
        "style" => STYLE,
        "run" => &run,
        "data" => &data,
        "script" => SCRIPT,
        _ => "",
    };
    filled(out, FRAME, fill)
}

/// JSON inside of a `script` element, which ends at the first `</script` and nests at `<!--`: neither can occur.
fn block(value: &impl Serialize) -> io::Result<String> {
    Ok(serde_json::to_string(value)?.replace('<', "\\u003c"))
}

/// What the page's own policy lets run: this script and no other, whatever a text of a service holds.
fn hash(script: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(script)))
}

/// Writes the frame with each `{{name}}` filled, in one pass: what is filled in is not looked at again.
fn filled<'a>(out: &mut dyn Write, frame: &str, fill: impl Fn(&str) -> &'a str) -> io::Result<()> {
    let mut parts = frame.split("{{");
    write!(out, "{}", parts.next().unwrap_or_default())?;
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        write!(out, "{}{rest}", fill(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_element_that_it_stands_in() {
        let text = "</script><!--<script>";
        let block = block(&[text]).unwrap();
        assert!(!block.contains('<'), "{block}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&block).unwrap(), [text]);
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        let mut out = Vec::new();
        let fill = |name: &str| if name == "a" { "{{b}}" } else { "!" };
        filled(&mut out, "<{{a}}{{b}}>", fill).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "<{{b}}!>");
    }

    #[test]
    fn the_parts_of_the_page_load_nothing_and_end_nothing() {
        for part in [FRAME, STYLE, SCRIPT] {
            for sign in ["://", "url(", "@import", "import(", "fetch("] {
                assert!(!part.contains(sign), "{sign}");
            }
        }
        assert!(!SCRIPT.contains("</script") && !STYLE.contains("</style"));
    }
}
