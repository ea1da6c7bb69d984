//! Values as Python prints them: the real service's messages contain `repr`s of dicts, lists and numbers.

/// `repr` of a string: single quotes, unless the text has those and no double ones.
pub(crate) fn text(value: &str) -> String {
    let quote = if value.contains('\'') && !value.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(quote);
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// `str` of a dict with one text entry, as in an `HTTPException`'s detail.
pub(crate) fn dict(key: &str, value: &str) -> String {
    format!("{{{}: {}}}", text(key), text(value))
}

/// `str` of a list of strings.
pub(crate) fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    format!(
        "[{}]",
        items.into_iter().map(text).collect::<Vec<_>>().join(", ")
    )
}

/// `str` of a float: always with a fraction or an exponent.
pub(crate) fn float(value: f64) -> String {
    let text = format!("{value:?}");
    match text.split_once('e') {
        // Both languages turn to exponents at the same numbers; Python's have a sign and two digits.
        Some((digits, exponent)) => {
            let exponent: i32 = exponent.parse().unwrap_or_default();
            format!("{digits}e{exponent:+03}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dict_is_printed_with_single_quotes() {
        assert_eq!(dict("error", "No keys found"), "{'error': 'No keys found'}");
    }

    #[test]
    fn a_text_with_an_apostrophe_is_printed_in_double_quotes() {
        assert_eq!(text("doesn't"), r#""doesn't""#);
        assert_eq!(text(r#"it's "x""#), r#"'it\'s "x"'"#);
    }

    #[test]
    fn lists_and_floats_look_like_pythons() {
        assert_eq!(
            list(["/key/info", "/key/health"]),
            "['/key/info', '/key/health']"
        );
        assert_eq!(list([]), "[]");
        assert_eq!(float(-1.0), "-1.0");
        assert_eq!(float(0.5), "0.5");
        assert_eq!(float(1e16), "1e+16");
        assert_eq!(float(1e15), "1000000000000000.0");
        assert_eq!(float(0.0001), "0.0001");
        assert_eq!(float(0.000_012), "1.2e-05");
    }
}
