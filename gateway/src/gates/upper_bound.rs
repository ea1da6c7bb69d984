//! The upper bounds of a key's parameters.
//!
//! Follows litellm 1.85.1, `_enforce_upperbound_key_params` of
//! `proxy/management_endpoints/key_management_endpoints.py`.

use serde_json::Value;

use crate::{
    denial::Denial,
    duration,
    fields::Fields,
    hole::Hole,
    python,
    settings::{Settings, UpperBound},
};

/// Refuses parameters above the bounds, the first in the model's order.
pub(crate) fn enforce(fields: &Fields, settings: &Settings) -> Result<(), Denial> {
    match bounds(settings) {
        Some(bounds) => check(fields, bounds),
        None => Ok(()),
    }
}

/// The same for `/key/generate`, where a parameter that is left out becomes the bound itself.
pub(crate) fn enforce_and_fill(fields: &mut Fields, settings: &Settings) -> Result<(), Denial> {
    let Some(bounds) = bounds(settings) else {
        return Ok(());
    };
    check(fields, bounds)?;
    for (name, bound) in named(bounds) {
        if fields.value(name).is_none() {
            fields.set(name, bound);
        }
    }
    Ok(())
}

fn bounds(settings: &Settings) -> Option<&UpperBound> {
    settings
        .upperbound_key_generate_params
        .as_ref()
        .filter(|_| !settings.without(Hole::UpperBounds))
}

fn named(bounds: &UpperBound) -> impl Iterator<Item = (&'static str, Value)> {
    let bounds = [
        ("duration", bounds.duration.clone().map(Value::from)),
        ("max_budget", bounds.max_budget.map(Value::from)),
        (
            "max_parallel_requests",
            bounds.max_parallel_requests.map(Value::from),
        ),
        ("tpm_limit", bounds.tpm_limit.map(Value::from)),
        ("rpm_limit", bounds.rpm_limit.map(Value::from)),
        (
            "budget_duration",
            bounds.budget_duration.clone().map(Value::from),
        ),
    ];
    bounds
        .into_iter()
        .filter_map(|(name, bound)| Some((name, bound?)))
}

fn check(fields: &Fields, bounds: &UpperBound) -> Result<(), Denial> {
    for (name, bound) in named(bounds) {
        let Some(value) = fields.value(name) else {
            continue;
        };
        if exceeds(value, &bound)? {
            let (value, bound) = (shown(value), shown(&bound));
            let message = format!(
                "{name} is over max limit set in config - user_value={value}; max_value={bound}"
            );
            return Err(Denial::error(400, message));
        }
    }
    Ok(())
}

fn exceeds(value: &Value, bound: &Value) -> Result<bool, Denial> {
    if let (Some(value), Some(bound)) = (value.as_str(), bound.as_str()) {
        let bound = duration::seconds(bound)?;
        // "-1" is a key that never expires.
        return Ok(value == "-1" || duration::seconds(value)? > bound);
    }
    Ok(value.as_f64() > bound.as_f64())
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            python::float(number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fields::KEY_FIELDS;

    fn settings(holes: Vec<Hole>) -> Settings {
        let bounds = UpperBound {
            max_budget: Some(100.0),
            duration: Some("30d".into()),
            tpm_limit: Some(1000),
            ..UpperBound::default()
        };
        Settings {
            master_key: "sk-1".into(),
            upperbound_key_generate_params: Some(bounds),
            holes,
        }
    }

    fn refusal(body: Value) -> Option<String> {
        match enforce(
            &Fields::read(Some(body), KEY_FIELDS).unwrap(),
            &settings(vec![]),
        ) {
            Err(Denial::Http(400, crate::denial::Detail::Error(message))) => Some(message),
            other => other.map(|()| None).unwrap(),
        }
    }

    #[test]
    fn a_value_above_its_bound_is_refused_and_printed_as_python_prints_it() {
        let expected =
            "max_budget is over max limit set in config - user_value=101.0; max_value=100.0";
        assert_eq!(
            refusal(json!({"max_budget": 101})).as_deref(),
            Some(expected)
        );
        let expected =
            "tpm_limit is over max limit set in config - user_value=1001; max_value=1000";
        assert_eq!(
            refusal(json!({"tpm_limit": 1001})).as_deref(),
            Some(expected)
        );
        assert_eq!(
            refusal(json!({"max_budget": 100, "rpm_limit": 1_000_000})),
            None
        );
    }

    #[test]
    fn durations_are_compared_by_length_and_forever_is_longest() {
        assert_eq!(refusal(json!({"duration": "4w"})), None);
        assert!(refusal(json!({"duration": "5w"})).is_some());
        assert!(refusal(json!({"duration": "-1"})).is_some());
    }

    #[test]
    fn a_new_key_gets_the_bounds_that_the_request_leaves_out() {
        let mut fields = Fields::read(Some(json!({"tpm_limit": 5})), KEY_FIELDS).unwrap();
        enforce_and_fill(&mut fields, &settings(vec![])).unwrap();
        assert_eq!(fields.int("tpm_limit"), Some(5));
        assert_eq!(fields.float("max_budget"), Some(100.0));
        assert_eq!(fields.text("duration"), Some("30d"));
        assert_eq!(fields.int("rpm_limit"), None);
    }

    #[test]
    fn the_hole_removes_the_bounds() {
        let fields = Fields::read(Some(json!({"max_budget": 101})), KEY_FIELDS).unwrap();
        assert_eq!(enforce(&fields, &settings(vec![Hole::UpperBounds])), Ok(()));
    }
}
