//! What of a refusal is not the same in two sweeps, and the rule for it.

use authz_pin_record::record::Masked;
use authz_pin_suite::suite::JsonPath;

use super::{Found, Rule, Twice, wording};
use crate::observe::told::redacted;

impl Twice<'_> {
    /// A text that differs, with the rules that would steady it, where any may be made.
    pub(super) fn of_wording(&self, field: &str, printed: [&str; 2], is_ruled: bool) -> Vec<Found> {
        let whole = self.whole(printed);
        let found = |rule: Option<Rule>| {
            let [was, is] = shown(printed, whole);
            (field.to_owned(), was, is, rule)
        };
        let rules = if is_ruled {
            self.rules(whole)
        } else {
            Vec::new()
        };
        if rules.is_empty() {
            return vec![found(None)];
        }
        rules.into_iter().map(|rule| found(Some(rule))).collect()
    }

    /// A field beside the message. One that differs as a whole is ignored at its path.
    pub(super) fn of_field(&self, path: &str, sides: [Option<&String>; 2]) -> Vec<Found> {
        let field = format!("refusal {path}");
        let [Some(was), Some(is)] = sides else {
            let [was, is] = sides.map(|value| value.map_or("not there", |_| "there").to_owned());
            return vec![(field, was, is, None)];
        };
        let printed = [was.as_str(), is.as_str()];
        let whole = self.whole(printed);
        let rules = self.rules(whole);
        let is_exact = |rule: &Rule| matches!(rule, Rule::Text { .. });
        let is_partly = !rules.is_empty() && !rules.iter().any(is_exact);
        if is_partly && !wording::is_drawn(whole[0], whole[1]) {
            return self.of_wording(&field, printed, true);
        }
        let [was, is] = shown(printed, whole);
        let rule = json_path(path).map(|path| Rule::Ignore { path });
        vec![(field, was, is, rule)]
    }

    fn whole<'t>(&'t self, [was, is]: [&'t str; 2]) -> [&'t str; 2] {
        let [first, second] = self.pair.texts;
        [first.whole(was), second.whole(is)]
    }

    fn rules(&self, [was, is]: [&str; 2]) -> Vec<Rule> {
        let [first, second] = self.pair.texts;
        if let (Some((one, masked)), Some((other, _))) = (first.mask_in(was), second.mask_in(is))
            && one != other
            && let Some(rule) = self.mask(masked)
        {
            return vec![rule];
        }
        wording::rules(was, is)
    }

    /// The mask as one of its kind's.
    fn mask(&self, masked: &Masked) -> Option<Rule> {
        let kind = self.kind_of(&masked.entity)?;
        let taken = &self.pair.suite.world.kinds.get(kind)?.masks;
        let mut names = (1..).map(|nth| match nth {
            1 => format!("masked_{}", masked.field),
            nth => format!("masked_{}_{nth}", masked.field),
        });
        Some(Rule::Mask {
            kind: kind.to_owned(),
            name: names.find(|name| !taken.contains_key(name))?,
            template: masked.template.clone(),
        })
    }

    /// The kind of an actor, of an entity, of the cell's target, or of what its answer bound.
    fn kind_of(&self, entity: &str) -> Option<&str> {
        let suite = self.pair.suite;
        let actor = suite.world.actors.get(entity);
        let actor = actor.and_then(|actor| actor.kind.as_ref());
        let of_world = suite.world.entities.get(entity).map(|found| &found.kind);
        let target = suite.kind_of_target(self.target);
        let target = target.filter(|_| entity == "target");
        let mut endpoints = suite.endpoints.iter();
        let endpoint = endpoints.find(|endpoint| endpoint.name == self.pair.endpoint);
        let bound = endpoint.and_then(|endpoint| endpoint.spec.capture.get(entity));
        let bound = bound.map(|capture| &capture.kind);
        actor.or(of_world).or(target).or(bound).map(String::as_str)
    }
}

/// Both texts as they are printed; where what is printed of one is not all of it, as much as may be.
fn shown(printed: [&str; 2], whole: [&str; 2]) -> [String; 2] {
    let is_cut = |text: &&str| text.contains("... <whole ") || text.contains("<page ");
    if printed.iter().any(is_cut) {
        whole.map(|text| redacted(text).into_owned())
    } else {
        printed.map(str::to_owned)
    }
}

/// The path of a field as a JSON path; none where a name in it could be taken for something else.
pub(super) fn json_path(path: &str) -> Option<String> {
    // A body that is no JSON is one value.
    if path == "$" {
        return Some(path.to_owned());
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.[]".contains(c);
    if !path.chars().all(is_plain) {
        return None;
    }
    let step = |name: &str| {
        let items = "[*]".repeat(name.matches("[]").count());
        let name = name.trim_end_matches("[]");
        let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match name {
            "" => items,
            name if name.starts_with(is_start) && name.chars().all(is_part) => {
                format!(".{name}{items}")
            }
            name => format!("['{name}']{items}"),
        }
    };
    let out = format!("${}", path.split('.').map(step).collect::<String>());
    JsonPath::try_from(out.clone()).is_ok().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_field_is_a_json_path_where_its_names_are_plain() {
        let made = [
            "a.b[].c",
            "request-id",
            "[].x",
            "and more fields",
            "a.<user_id>",
            "$",
        ]
        .map(json_path);
        let expected = [
            Some("$.a.b[*].c"),
            Some("$['request-id']"),
            Some("$[*].x"),
            None,
            None,
            Some("$"),
        ];
        assert_eq!(made, expected.map(|path| path.map(str::to_owned)));
    }
}
