//! What a gateway can be told: the part of LiteLLM's configuration that its key-management API reads, and the holes.

use std::fmt;

use serde::Deserialize;

use crate::Hole;

/// The settings of one gateway.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The key that is the proxy's administrator without being in the database.
    pub master_key: String,
    /// Limits that no key may exceed; `/key/generate` fills them in where a request leaves them out.
    #[serde(default)]
    pub upperbound_key_generate_params: Option<UpperBound>,
    /// The gates to remove.
    #[serde(default)]
    pub holes: Vec<Hole>,
}

impl Settings {
    pub(crate) fn without(&self, hole: Hole) -> bool {
        self.holes.contains(&hole)
    }
}

impl fmt::Debug for Settings {
    /// All but the master key, so that a log of settings gives nothing away.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field(
                "upperbound_key_generate_params",
                &self.upperbound_key_generate_params,
            )
            .field("holes", &self.holes)
            .finish_non_exhaustive()
    }
}

/// Upper bounds of a key's parameters, by the names of LiteLLM's `litellm_settings.upperbound_key_generate_params`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpperBound {
    /// US dollars.
    pub max_budget: Option<f64>,
    /// How often the budget starts again, such as `30d`.
    pub budget_duration: Option<String>,
    /// How long a key lives, such as `12h`.
    pub duration: Option<String>,
    /// Requests at the same time.
    pub max_parallel_requests: Option<i64>,
    /// Tokens per minute.
    pub tpm_limit: Option<i64>,
    /// Requests per minute.
    pub rpm_limit: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_does_not_show_the_master_key() {
        let settings = Settings {
            master_key: "sk-secret".into(),
            upperbound_key_generate_params: None,
            holes: vec![Hole::Delete],
        };
        let shown = format!("{settings:?}");
        assert!(!shown.contains("sk-secret"), "{shown}");
        assert!(shown.contains("Delete"), "{shown}");
    }

    #[test]
    fn settings_read_holes_by_their_kebab_case_names_and_refuse_unknown_fields() {
        let read = |text: &str| serde_json::from_str::<Settings>(text);
        let settings = read(r#"{"master_key": "sk-1", "holes": ["key-info"]}"#).unwrap();
        assert_eq!(settings.holes, [Hole::KeyInfo]);
        assert!(read(r#"{"master_key": "sk-1"}"#).unwrap().holes.is_empty());
        assert!(read(r#"{"master_key": "sk-1", "wholes": []}"#).is_err());
        assert!(
            read(r#"{"master_key": "sk-1", "upperbound_key_generate_params": {"tpm": 1}}"#)
                .is_err()
        );
    }
}
