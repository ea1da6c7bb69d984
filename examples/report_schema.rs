//! Prints the JSON Schema of the JSON report.
//!
//! ```sh
//! cargo run --example report_schema > docs/schemas/report.schema.json
//! ```

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let schema = serde_json::to_string_pretty(&authz_pin::report::json::schema())?;
    writeln!(io::stdout(), "{schema}")
}
