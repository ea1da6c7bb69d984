//! A world that another folder holds.

use std::fs;

use crate::stage::{ITEMS, Stage, sql, suite};

#[test]
fn an_included_world_is_swept_as_the_suites_own() {
    let write = sql("insert into item values ('{{ cell.tag }}', 'new')");
    let stage = Stage::with(ITEMS, suite(&["alice", "denied"], &[("write", write)]));
    let before = stage.content();
    stage.records_and_checks(&[]);
    let record = stage.place.path("suite/snapshots/write.snap");
    let own = fs::read_to_string(&record).unwrap();
    assert!(own.contains("insert"), "{own}");
    let (world, shared) = (
        stage.place.path("suite/world.yaml"),
        stage.place.path("shared"),
    );
    fs::create_dir(&shared).unwrap();
    fs::rename(&world, shared.join("world.yaml")).unwrap();
    fs::write(&world, "include: [../shared/world.yaml]\n").unwrap();
    stage.ends("check", &[], 0);
    fs::remove_file(&record).unwrap();
    stage.records_and_checks(&[]);
    assert_eq!(fs::read_to_string(&record).unwrap(), own);
    stage.assert_is(&before, "with a shared world");
}
