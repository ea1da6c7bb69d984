//! Types and operators that are not where everybody looks for them.

use crate::stage::{Stage, sql, suite};

/// A type of its own in a schema of its own, whose operators only that schema has; as an extension would make it.
const WORD: &str = "
    create schema ext;
    set client_min_messages = error;
    create type ext.word;
    create function ext.word_in(cstring) returns ext.word language internal immutable strict as 'textin';
    create function ext.word_out(ext.word) returns cstring language internal immutable strict as 'textout';
    create type ext.word (input = ext.word_in, output = ext.word_out, like = text, category = 'S', collatable = true);
    create function ext.eq(ext.word, ext.word) returns boolean language internal immutable strict as 'texteq';
    create function ext.cmp(ext.word, ext.word) returns int language internal immutable strict as 'bttextcmp';
    create function ext.lt(ext.word, ext.word) returns boolean language internal immutable strict as 'text_lt';
    create function ext.le(ext.word, ext.word) returns boolean language internal immutable strict as 'text_le';
    create function ext.ge(ext.word, ext.word) returns boolean language internal immutable strict as 'text_ge';
    create function ext.gt(ext.word, ext.word) returns boolean language internal immutable strict as 'text_gt';
    create operator ext.= (leftarg = ext.word, rightarg = ext.word, function = ext.eq, commutator = operator(ext.=), merges);
    create operator ext.< (leftarg = ext.word, rightarg = ext.word, function = ext.lt);
    create operator ext.<= (leftarg = ext.word, rightarg = ext.word, function = ext.le);
    create operator ext.>= (leftarg = ext.word, rightarg = ext.word, function = ext.ge);
    create operator ext.> (leftarg = ext.word, rightarg = ext.word, function = ext.gt);
    create operator class ext.word_ops default for type ext.word using btree as
      operator 1 ext.<, operator 2 ext.<=, operator 3 ext.=, operator 4 ext.>=, operator 5 ext.>,
      function 1 ext.cmp(ext.word, ext.word);
    grant usage on schema ext to public;";

#[test]
fn rows_whose_key_has_a_type_of_another_schema_are_restored() {
    let calls = [
        (
            "rename",
            sql("update item set name = '{{ cell.tag }}' where name = 'k'"),
        ),
        ("purge", sql("delete from item where name = 'k'")),
        (
            "add",
            sql("insert into item values ('{{ cell.tag }}', 'new')"),
        ),
    ];
    let stage = Stage::with("", suite(&["alice", "denied"], &calls));
    stage.base.root_sql(WORD);
    stage.base.owner_sql(
        "create table item (id ext.word primary key, name text); insert into item values ('keep1', 'k'), ('keep2', 'k')",
    );
    stage.records_and_checks(&[]);
    for (endpoint, effect) in [
        ("rename", "update item"),
        ("purge", "delete item"),
        ("add", "insert item"),
    ] {
        let record = stage.record(endpoint);
        assert_eq!(record.effects("alice"), [effect], "{record:#?}");
    }
}
