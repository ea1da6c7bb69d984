//! Patterns of operations: `METHOD /path`, with `*` for any characters.

/// Whether an operation is as a pattern says: `METHOD /path`, with `*` for any characters.
#[must_use]
pub fn matches(pattern: &str, method: &str, path: &str) -> bool {
    parts(pattern).is_some_and(|(methods, paths)| is_like(methods, method) && is_like(paths, path))
}

/// Whether a text is a pattern of operations: a method and a path, with `*` for any characters.
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    let is_method = |method: &str| {
        let mut characters = method.chars();
        !method.is_empty() && characters.all(|c| c.is_ascii_uppercase() || c == '*')
    };
    parts(text).is_some_and(|(method, path)| is_method(method) && path.starts_with(['/', '*']))
}

fn parts(pattern: &str) -> Option<(&str, &str)> {
    let (method, path) = pattern.trim().split_once(char::is_whitespace)?;
    Some((method, path.trim_start()))
}

/// Whether a text is as a pattern says, in which `*` stands for any characters.
#[must_use]
pub fn is_like(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_operations_is_a_method_and_a_path() {
        assert!(is_pattern("GET /health*") && is_pattern("* /a") && is_pattern("*  *"));
        let others = ["/health", "GET", "get /a", "GET health", "", "GET  "];
        assert!(!others.into_iter().any(is_pattern));
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        let like = [
            ("/health*", "/health"),
            ("*", ""),
            ("/*/{id}", "/a/b/{id}"),
            ("a*b*c", "abbc"),
            ("**", "x"),
        ];
        assert!(like.iter().all(|(pattern, text)| is_like(pattern, text)));
        let unlike = [
            ("/health", "/healthy"),
            ("a*b*c", "acb"),
            ("a*a", "a"),
            ("*x", "xy"),
        ];
        assert!(!unlike.iter().any(|(pattern, text)| is_like(pattern, text)));
    }
}
