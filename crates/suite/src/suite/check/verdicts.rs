//! Whether the rules of verdicts fit together: each has a name of its own, and places that answers can have.

use std::collections::BTreeSet;

use super::Checker;
use crate::suite::Preset;
use crate::yaml::NodePath;

impl Checker<'_> {
    /// The rules of a suite or of an endpoint.
    pub(super) fn verdicts(&mut self, path: &NodePath) {
        let mut named: BTreeSet<String> = BTreeSet::new();
        for rule in self.items(path) {
            for place in ["type", "message"].map(|key| rule.join(key)) {
                if self.get(&place).is_some() {
                    self.source(&place);
                }
            }
            let at = rule.join("name");
            let Some(name) = self.text(&at) else { continue };
            let mut presets = Preset::DEFAULT.iter().chain(&[Preset::Status]);
            let is_preset = presets.any(|preset| preset.as_str() == name);
            if is_preset || !named.insert(name.clone()) {
                let whose = if is_preset {
                    "a preset"
                } else {
                    "another rule"
                };
                let message = format!("{whose} is called `{name}`");
                let mistake = self.document.error_at(&at, message);
                let help = "records tell rules apart by their names: choose another one";
                self.mistakes.push(mistake.help(help));
            }
        }
    }
}
