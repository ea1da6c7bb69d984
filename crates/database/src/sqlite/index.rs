//! What a unique index is made of, where only its own text says so: expressions, and the condition of a partial one.

/// The parts of a `create index` statement.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts<'s> {
    /// What stands between the commas, without the direction.
    pub(super) terms: Vec<&'s str>,
    /// What a row must be to be in it.
    pub(super) condition: Option<&'s str>,
}

/// Takes a statement apart. It has been accepted by SQLite before.
pub(super) fn parts(sql: &str) -> Parts<'_> {
    let mut parts = Parts::default();
    let (mut depth, mut from) = (0_usize, 0_usize);
    for (at, token) in tokens(sql) {
        match token {
            "(" => {
                depth += 1;
                if depth == 1 {
                    from = at + 1;
                }
            }
            "," if depth == 1 => {
                parts.terms.extend(sql.get(from..at).map(undirected));
                from = at + 1;
            }
            ")" => {
                if depth == 1 && parts.condition.is_none() {
                    parts.terms.extend(sql.get(from..at).map(undirected));
                }
                depth = depth.saturating_sub(1);
            }
            word if depth == 0 && word.eq_ignore_ascii_case("where") => {
                parts.condition = sql.get(at + word.len()..).map(str::trim);
                return parts;
            }
            _ => {}
        }
    }
    parts
}

fn undirected(term: &str) -> &str {
    let term = term.trim();
    let without = |word: &str| {
        let start = term.len().checked_sub(word.len())?;
        let (rest, last) = (term.get(..start)?, term.get(start..)?);
        (last.eq_ignore_ascii_case(word) && rest.ends_with(char::is_whitespace))
            .then(|| rest.trim())
    };
    without("asc").or_else(|| without("desc")).unwrap_or(term)
}

/// Words and single characters with their places; what is quoted is one of them, and comments are none.
fn tokens(sql: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = sql.get(at..)?;
            let length = length(rest)?;
            let token = rest.get(..length)?;
            let place = at;
            at += length;
            let is_comment = token.starts_with("--") || token.starts_with("/*");
            if !is_comment && !token.starts_with(char::is_whitespace) {
                return Some((place, token));
            }
        }
    })
}

/// How many bytes the first token has.
fn length(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    let until = |end: &str, from: usize| {
        let found = rest.get(from..).and_then(|rest| rest.find(end));
        found.map_or(rest.len(), |found| from + found + end.len())
    };
    Some(match first {
        '\'' | '"' | '`' => until(&first.to_string(), 1),
        '[' => until("]", 1),
        '-' if rest.starts_with("--") => until("\n", 2),
        '/' if rest.starts_with("/*") => until("*/", 2),
        c if is_of_word(c) => rest.find(|c| !is_of_word(c)).unwrap_or(rest.len()),
        c => c.len_utf8(),
    })
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_made_of_its_terms_and_its_condition() {
        let sql = r#"CREATE UNIQUE INDEX "a (b" on [t (x)] (lower(a, 'x,)'), "b,c" COLLATE nocase DESC, d || -- (
            e) /* where */ wHeRe (a is not null) and b > 'where'"#;
        let found = parts(sql);
        assert_eq!(
            found.terms,
            [
                "lower(a, 'x,)')",
                r#""b,c" COLLATE nocase"#,
                "d || -- (\n            e"
            ]
        );
        assert_eq!(found.condition, Some("(a is not null) and b > 'where'"));
    }

    #[test]
    fn an_index_of_all_rows_has_no_condition() {
        assert_eq!(parts("CREATE UNIQUE INDEX a ON b(c)").condition, None);
        assert_eq!(parts("CREATE UNIQUE INDEX a ON b(c)").terms, ["c"]);
    }
}
