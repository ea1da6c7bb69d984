//! The command line as a user meets it: what it prints, where, and with which exit code.
//!
//! Every test runs the binary in a folder of its own, with an environment of its own.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

mod action;
mod answers;
mod bisect;
mod bodies;
mod calibrate;
mod canary;
mod cells;
mod certificates;
mod check;
mod clean;
mod clock;
mod club;
mod columns;
mod connections;
mod coverage;
mod credentials;
mod database;
mod desk;
mod directions;
mod dry_run;
mod examples;
mod exchange;
mod exits;
mod faults;
mod faulty;
mod folding;
mod format;
mod forms;
mod fresh;
mod gates;
mod gossip;
mod headers;
mod heads;
mod help;
mod holes;
mod html;
mod identifiers;
mod include;
mod init;
mod insta_review;
mod launch;
mod letters;
mod likenesses;
mod logs;
mod memory;
mod migrate;
mod mistakes;
mod mutations;
mod options;
mod orphans;
mod output;
mod page;
mod paging;
mod pinning;
mod place;
mod post;
mod provision;
mod raw;
mod readme;
mod recording;
mod reference;
mod refusal;
mod refusals;
mod renames;
mod reports;
mod review;
mod routes;
mod sayings;
mod screen;
mod selection;
mod sensitivity;
mod sent;
mod serve;
mod served;
mod service;
mod setup;
mod setup_told;
mod sharding;
mod shelf;
mod stub;
mod taken;
mod teams;
mod templates;
mod terminal;
mod tls;
mod tools;
mod traffic;
mod values;
mod verdicts;
mod walls;
mod wire;
mod wordings;
mod workflows;
