//! Key aliases are unique across all keys.

use crate::{denial::Denial, store::Store};

/// Refuses an alias that another key than `except` has.
pub(crate) async fn must_be_free(
    alias: Option<&str>,
    except: &str,
    store: &Store,
) -> Result<(), Denial> {
    let Some(alias) = alias else { return Ok(()) };
    if !store.alias_is_taken(alias, except).await? {
        return Ok(());
    }
    let message = format!(
        "Key with alias '{alias}' already exists. Unique key aliases across all keys are required."
    );
    Err(Denial::bad_request(400, "key_alias", message))
}
