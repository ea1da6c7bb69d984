//! A recording as it stands in the file, as far as it is read.

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

#[derive(Deserialize)]
pub(super) struct Har {
    pub(super) log: Log,
}

#[derive(Deserialize)]
pub(super) struct Log {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) entries: Vec<Entry>,
}

#[derive(Deserialize)]
pub(super) struct Entry {
    pub(super) request: Request,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) response: Response,
    #[serde(default, rename = "_resourceType", deserialize_with = "or_default")]
    pub(super) resource: String,
}

#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) url: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) headers: Vec<Pair>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) cookies: Vec<Pair>,
    #[serde(default, rename = "postData", deserialize_with = "or_default")]
    pub(super) body: Content,
}

#[derive(Default, Deserialize)]
pub(super) struct Response {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) status: i64,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) headers: Vec<Pair>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) cookies: Vec<Pair>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) content: Content,
}

#[derive(Default, Deserialize)]
pub(super) struct Content {
    #[serde(default, rename = "mimeType", deserialize_with = "or_default")]
    pub(super) media: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) text: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) params: Vec<Pair>,
}

#[derive(Deserialize)]
pub(super) struct Pair {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) value: String,
    #[serde(default, rename = "fileName", deserialize_with = "or_default")]
    pub(super) file: String,
}

fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Content {
    pub(super) fn media(&self) -> String {
        let media = self.media.split(';').next().unwrap_or_default();
        media.trim().to_ascii_lowercase()
    }

    pub(super) fn json(&self) -> Option<Json> {
        let media = self.media();
        let is_json = media.ends_with("/json") || media.ends_with("+json");
        is_json.then(|| serde_json::from_str(&self.text).ok())?
    }
}
