//! Texts of a service steer nobody who looks at what is printed.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::printing::{MARK, faults};
use super::support::{cases, text};

fn said() -> impl Strategy<Value = String> {
    let pieces = vec![
        "\n",
        "\r",
        "\r\n",
        "\u{1b}[2J",
        "\u{1b}]0;",
        "\u{7}",
        "\u{9b}",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{2066}",
        "\u{200f}",
        "\0",
        "\t",
        " ",
        "::error::",
        "##[warning]",
        "##vso[",
        "<script>",
        "]]>",
        "&#27;",
        "\"",
        "'",
        "|",
        "- ",
        ": ",
        "{",
        MARK,
        "a",
    ];
    prop_oneof![
        text(),
        vec(select(pieces), 0..8).prop_map(|pieces| pieces.concat())
    ]
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn no_text_of_a_service_begins_a_line_or_steers_a_terminal(before in said(), now in said()) {
        prop_assert_eq!(faults(&before, &now), Vec::<String>::new());
    }
}
