//! A snapshot: any text is read or refused, and what was read is written as something that reads back as the same.

#![no_main]

use authz_pin::drift;
use authz_pin::record::Record;
use authz_pin::snapshot;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let content = snapshot::content(text).unwrap_or_else(|| text.to_owned());
    let Ok(record) = Record::parse(&content) else {
        return;
    };
    let written = record.to_yaml().expect("a record can be written");
    let read = Record::parse(&written).expect("what was written reads back");
    assert!(read == record, "it reads back as it was:\n{written}");
    assert!(drift::between(&record, &read).is_empty());
    let _ = drift::between(&Record::default(), &record);
    let _ = drift::compare(Some(&content), &written);
});
