//! Values that may be one of several things.

use super::mistakes;

#[test]
fn an_unknown_alternative_has_the_nearest_known_one() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nsteps: [wiat, captur, captur: { key: k }, {}, shout: 1, 3]\n"), @r"
    error: unknown value `wiat`
      --> suite/a.yaml:3:9
      |
    3 | steps: [wiat, captur, captur: { key: k }, {}, shout: 1, 3]
      |         ^^^^
      = help: did you mean `wait`?

    error: unknown value `captur`
      --> suite/a.yaml:3:15
      |
    3 | steps: [wiat, captur, captur: { key: k }, {}, shout: 1, 3]
      |               ^^^^^^
      = help: did you mean `capture`?

    error: unknown key `captur`
      --> suite/a.yaml:3:23
      |
    3 | steps: [wiat, captur, captur: { key: k }, {}, shout: 1, 3]
      |                       ^^^^^^
      = help: did you mean `capture`?

    error: expected one of the keys `sleep`, `capture`, `call`
      --> suite/a.yaml:3:43
      |
    3 | steps: [wiat, captur, captur: { key: k }, {}, shout: 1, 3]
      |                                           ^

    error: unknown key `shout`
      --> suite/a.yaml:3:47
      |
    3 | steps: [wiat, captur, captur: { key: k }, {}, shout: 1, 3]
      |                                               ^^^^^
      = help: known: `sleep`, `capture`, `call`

    error: expected a text or a map, found the number `3`
      --> suite/a.yaml:3:57
      |
    3 | steps: [wiat, captur, captur: { key: k }, {}, shout: 1, 3]
      |                                                         ^

    6 errors
    ");
}

#[test]
fn the_key_of_an_alternative_decides_which_one_was_meant() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nsteps:\n  - capture: { kye: k }\n  - sleep: soon\n  - call: { retries: 1 }\n"), @r"
    error: unknown key `kye`
      --> suite/a.yaml:4:16
      |
    4 |   - capture: { kye: k }
      |                ^^^
      = help: did you mean `key`?

    error: expected a whole number, found the text `soon`
      --> suite/a.yaml:5:12
      |
    5 |   - sleep: soon
      |            ^^^^

    error: missing key `body`
      --> suite/a.yaml:6:5
      |
    6 |   - call: { retries: 1 }
      |     ^^^^
      = help: add `body: ...`

    3 errors
    ");
}

#[test]
fn an_alternative_that_takes_no_value_says_so() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\non_error: { wait: 3 }\n"), @r"
    error: `wait` takes no value
      --> suite/a.yaml:3:13
      |
    3 | on_error: { wait: 3 }
      |             ^^^^
      = help: write `wait` alone

    1 error
    ");
}

#[test]
fn an_optional_map_with_one_key_is_no_alternative() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nlogin: {}\n"), @r"
    error: missing key `token`
      --> suite/a.yaml:3:1
      |
    3 | login: {}
      | ^^^^^
      = help: add `token: ...`

    1 error
    ");
}

#[test]
fn an_alternative_that_needs_a_value_says_so() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nsteps: [capture]\n"), @r"
    error: `capture` needs a value
      --> suite/a.yaml:3:9
      |
    3 | steps: [capture]
      |         ^^^^^^^
      = help: write `capture: ...`

    1 error
    ");
}

#[test]
fn two_alternatives_at_once_exclude_each_other() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nsteps:\n  - sleep: 1\n    call: { body: 1 }\n"), @r"
    error: `sleep` and `call` exclude each other
      --> suite/a.yaml:4:5
      |
    4 |   - sleep: 1
      |     ^
      = help: keep one of them

    1 error
    ");
}

#[test]
fn a_kind_decides_which_alternative_was_meant() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nauth: { kind: bearer, tokn: x }\n"), @r"
    error: unknown key `tokn`
      --> suite/a.yaml:3:23
      |
    3 | auth: { kind: bearer, tokn: x }
      |                       ^^^^
      = help: did you mean `token`?

    1 error
    ");
}

#[test]
fn an_unknown_kind_has_the_nearest_known_one() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nauth: { kind: baerer }\n"), @r"
    error: unknown value `baerer`
      --> suite/a.yaml:3:15
      |
    3 | auth: { kind: baerer }
      |               ^^^^^^
      = help: did you mean `bearer`?

    1 error
    ");
}

#[test]
fn a_missing_kind_is_a_missing_key() {
    insta::assert_snapshot!(mistakes("method: GET\npath: /\nauth:\n  token: x\n"), @r"
    error: missing key `kind`
      --> suite/a.yaml:3:1
      |
    3 | auth:
      | ^^^^
      = help: add `kind: ...`

    1 error
    ");
}
