//! A stream of events as a body: each message is JSON.

use std::convert::Infallible;

use futures::{FutureExt, StreamExt, stream};
use serde_json::Value as Json;
use sse_stream::SseByteStream;

/// The messages of a stream that has ended: one by itself, several as a list. None where any of them is no JSON.
pub(super) fn messages(bytes: &[u8]) -> Option<Json> {
    let whole = stream::iter([Ok::<_, Infallible>(bytes)]);
    // All of it is there, so that nothing is waited for.
    let events = SseByteStream::new(whole).collect::<Vec<_>>();
    let messages = events
        .now_or_never()?
        .into_iter()
        .filter_map(|event| match event {
            Ok(event) => {
                // The end of a stream can be an event without data.
                let data = event.data.filter(|data| !data.trim().is_empty())?;
                Some(serde_json::from_str::<Json>(&data).ok())
            }
            Err(_) => Some(None),
        });
    let mut messages: Vec<Json> = messages.collect::<Option<_>>()?;
    match messages.len() {
        0 => None,
        1 => messages.pop(),
        _ => Some(Json::Array(messages)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn messages_are_json_one_by_itself_and_several_as_a_list() {
        let one = "event: message\ndata: {\"a\":\ndata: 1}\n\n";
        assert_eq!(messages(one.as_bytes()), Some(json!({"a": 1})));
        let two = format!(": hello\n\n{one}data: 2\n\n");
        assert_eq!(messages(two.as_bytes()), Some(json!([{"a": 1}, 2])));
        let ended = format!("{one}event: complete\ndata:\n\n");
        assert_eq!(messages(ended.as_bytes()), Some(json!({"a": 1})));
        assert_eq!(messages(b"data: hello\n\n"), None);
        assert_eq!(messages(b""), None);
    }
}
