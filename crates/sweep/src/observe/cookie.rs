//! A cookie that an answer sets, by its name and attributes; of its value only what is known.

use chrono::{DateTime, Utc};

use super::plain::{hidden, shown};

/// Attributes whose value says to whom the cookie is sent.
const WITH_VALUE: [&str; 3] = ["Domain", "Path", "SameSite"];
/// Attributes that are there or not.
const WITHOUT_VALUE: [&str; 3] = ["HttpOnly", "Partitioned", "Secure"];

/// The name of a cookie, and the cookie with its attributes in one order.
pub(super) fn shown_cookie(header: &str) -> (String, String) {
    let mut parts = header.split(';').map(str::trim);
    let pair = parts.next().unwrap_or_default();
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    let name = shown(name.trim());
    let value = hidden(value.trim());
    let mut attributes: Vec<String> = parts
        .filter(|part| !part.is_empty())
        .map(attribute)
        .collect();
    attributes.sort();
    attributes.dedup();
    attributes.insert(0, format!("{name}={value}"));
    (name, attributes.join("; "))
}

/// An attribute. How long the cookie is kept is left out, but that it is taken away is not.
fn attribute(part: &str) -> String {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    let (name, value) = (name.trim(), value.trim());
    let is = |known: &&&str| known.eq_ignore_ascii_case(name);
    if let Some(known) = WITH_VALUE.iter().find(is) {
        return format!("{known}={}", shown(&value.to_ascii_lowercase()));
    }
    if let Some(known) = WITHOUT_VALUE.iter().find(is) {
        return (*known).to_owned();
    }
    match name.to_ascii_lowercase().as_str() {
        "max-age" if value.parse().is_ok_and(|age: i64| age <= 0) => "Max-Age=0".to_owned(),
        "max-age" => "Max-Age".to_owned(),
        "expires" if is_past(value) => "Expires=<past>".to_owned(),
        "expires" => "Expires".to_owned(),
        other => shown(other),
    }
}

/// Whether a moment is over, in the form that RFC 9110 has or in the older one with hyphens.
fn is_past(moment: &str) -> bool {
    let moment = moment.replace('-', " ");
    DateTime::parse_from_rfc2822(&moment).is_ok_and(|moment| moment < Utc::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(header: &str) -> String {
        shown_cookie(header).1
    }

    #[test]
    fn a_cookie_is_its_name_and_its_attributes_in_any_order() {
        let one = text("sid=9f2c4b7a; path=/; HttpOnly; SameSite=Lax; Max-Age=3600; secure");
        let other = text("sid=other; Secure;SameSite=lax;Max-Age=60;httponly; Path=/");
        assert_eq!(
            one,
            "sid=<value>; HttpOnly; Max-Age; Path=/; SameSite=lax; Secure"
        );
        assert_eq!(one, other);
    }

    #[test]
    fn a_cookie_that_is_taken_away_is_another_one() {
        let past = [
            "sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "sid=; expires=Thu, 01-Jan-1970 00:00:00 GMT",
        ];
        assert!(past.iter().all(|it| text(it) == "sid=; Expires=<past>"));
        assert_eq!(
            text("sid=x; Expires=Fri, 01 Jan 2999 00:00:00 GMT"),
            "sid=<value>; Expires"
        );
        assert_eq!(text("sid=; Max-Age=-1"), "sid=; Max-Age=0");
    }
}
