//! Faults: what came instead of an answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What came instead of an answer. A fault says neither that a call was allowed nor that it was denied.
///
/// The texts name what happened and nothing that differs between two runs: no port, no number of an error, no count of
/// bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Fault {
    /// The answer was not there, whole, when the time for one request was over.
    #[serde(rename = "timed out")]
    TimedOut,
    /// The connection ended before an answer began, by a reset or in order: which of the two it was depends on how
    /// much of the request was read before, so that both are one.
    #[serde(rename = "connection closed")]
    Closed,
    /// What came is not HTTP.
    #[serde(rename = "not HTTP")]
    NotHttp,
    /// The body is larger than what is read of one.
    #[serde(rename = "answer larger than 16 MiB")]
    TooLarge,
    /// The body ended before its announced length.
    #[serde(rename = "answer ended early")]
    EndedEarly,
    /// The body is in an encoding that is not known, or in too many.
    #[serde(rename = "answer in an unknown encoding")]
    UnknownEncoding,
    /// The body is not in the encoding that its headers say, or ends early in it.
    #[serde(rename = "answer with a broken encoding")]
    BrokenEncoding,
    /// A paged answer has more pages than are walked.
    #[serde(rename = "pages without an end")]
    Endless,
}

impl Fault {
    /// The fault as the record writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TimedOut => "timed out",
            Self::Closed => "connection closed",
            Self::NotHttp => "not HTTP",
            Self::TooLarge => "answer larger than 16 MiB",
            Self::EndedEarly => "answer ended early",
            Self::UnknownEncoding => "answer in an unknown encoding",
            Self::BrokenEncoding => "answer with a broken encoding",
            Self::Endless => "pages without an end",
        }
    }

    /// Whether the connection broke, which can be the fault of an earlier answer over the same one.
    #[must_use]
    pub fn is_broken(self) -> bool {
        matches!(self, Self::Closed | Self::NotHttp | Self::EndedEarly)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

/// What a follow-up request brought: a status, or what came instead of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Reply {
    /// The status of an answer.
    Status(u16),
    /// No answer.
    Fault(Fault),
}

impl std::fmt::Display for Reply {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(status) => write!(out, "{status}"),
            Self::Fault(fault) => write!(out, "{fault}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_reads_back_as_it_is_written() {
        let all = [
            Fault::TimedOut,
            Fault::Closed,
            Fault::NotHttp,
            Fault::TooLarge,
            Fault::EndedEarly,
            Fault::UnknownEncoding,
            Fault::BrokenEncoding,
            Fault::Endless,
        ];
        for fault in all {
            let text = serde_json::to_value(fault).unwrap();
            assert_eq!(text, fault.as_str());
            assert_eq!(serde_json::from_value::<Fault>(text).unwrap(), fault);
        }
    }
}
