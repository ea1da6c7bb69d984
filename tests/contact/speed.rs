//! What a stock server compiles, and the tool's own queries do not need.

use std::time::{Duration, Instant};

use crate::stage::{ITEMS, Stage, sql, suite};

/// The best of three, for each of two settings in turns.
fn best(stage: &Stage, settings: [&str; 2]) -> [Duration; 2] {
    let mut best = [Duration::MAX; 2];
    for _ in 0..3 {
        for (setting, best) in settings.iter().zip(&mut best) {
            let name = &stage.base.name;
            stage
                .base
                .root_sql(&format!("alter database {name} set jit = {setting}"));
            let start = Instant::now();
            let ended = stage.run("check", &[]);
            assert_eq!(ended.code, Some(0), "{ended:#?}");
            *best = (*best).min(start.elapsed());
        }
    }
    best
}

#[test]
#[ignore = "compares durations, which takes a quiet machine and half a minute"]
fn a_server_that_compiles_plans_takes_no_longer() {
    let actors: Vec<String> = (0..12).map(|number| format!("actor{number}")).collect();
    let actors: Vec<&str> = actors.iter().map(String::as_str).collect();
    // Nothing tells which call made the row, so that each is undone by itself.
    let call = sql("insert into item values (gen_random_uuid()::text, 'n')");
    let stage = Stage::with(ITEMS, suite(&actors, &[("rename", call)]));
    let (name, available) = (&stage.base.name, "select pg_jit_available()::text as line");
    stage
        .base
        .root_sql(&format!("alter database {name} set jit_above_cost = 0"));
    stage
        .base
        .root_sql(&format!("alter database {name} set jit = on"));
    assert_eq!(
        stage.base.lines(available),
        ["true"],
        "this server cannot compile, so there is nothing to compare"
    );
    let ended = stage.run("record", &[]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let [on, off] = best(&stage, ["on", "off"]);
    println!("on {on:?}, off {off:?}");
    assert!(on < off.mul_f64(1.3), "on {on:?}, off {off:?}");
}
