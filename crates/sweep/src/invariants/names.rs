//! What the suite says of the symbols that a record names.

use authz_pin_record::text::leaves;
use authz_pin_suite::suite::{Endpoint, Kind, Suite};

/// The symbols in a text, as `entity.field`.
pub(super) fn symbols_in(text: &str) -> impl Iterator<Item = &str> {
    let names = text
        .split('<')
        .skip(1)
        .filter_map(|part| part.split_once('>'));
    names
        .map(|(name, _)| name)
        .filter(|name| name.contains('.'))
}

/// Who is who for the cells of one endpoint.
#[derive(Clone, Copy)]
pub(super) struct Cast<'a> {
    pub(super) suite: &'a Suite,
    pub(super) endpoint: &'a Endpoint,
}

impl Cast<'_> {
    /// Whether the symbol is a credential.
    pub(super) fn is_secret(&self, symbol: &str, target: &str, actor: &str) -> bool {
        let Some((entity, field)) = symbol.rsplit_once('.') else {
            return false;
        };
        if self.is_token(entity, field, actor) || self.is_others_secret(entity, field) {
            return true;
        }
        let kind = self.kind(entity, target, actor);
        kind.is_some_and(|kind| kind.secrets.contains_key(field))
    }

    /// Whether the symbol is a credential of another cell's own world, which is called by its field alone.
    fn is_others_secret(&self, entity: &str, field: &str) -> bool {
        if entity != "another cell" || !self.endpoint.spec.fresh {
            return false;
        }
        let world = &self.suite.world;
        let mut kinds = world.kinds.values();
        let mut actors = world.actors.keys();
        kinds.any(|kind| kind.secrets.contains_key(field))
            || actors.any(|actor| self.is_token(actor, field, actor))
    }

    /// Whether the symbol is what an actor was given at its login, or a token that was signed for it.
    fn is_token(&self, entity: &str, field: &str, actor: &str) -> bool {
        let name = if entity == "actor" { actor } else { entity };
        let actor = self.suite.world.actors.get(name);
        let auth = actor.and_then(|actor| actor.auth.as_ref());
        auth.is_some_and(|auth| {
            let login = auth.login.as_ref();
            let is_given = login.is_some_and(|login| {
                login.capture.contains_key(field) || login.optional.contains_key(field)
            });
            // What a program prints is known when it is run: all that is no symbol of the actor's kind.
            let kind = self.suite.kind_of_actor(name);
            let is_own = kind.is_some_and(|kind| kind.fields().any(|(symbol, ..)| symbol == field));
            is_given || field == "jwt" && auth.jwt.is_some() || auth.command.is_some() && !is_own
        })
    }

    fn kind(&self, entity: &str, target: &str, actor: &str) -> Option<&Kind> {
        let world = &self.suite.world;
        let kind = match entity {
            "actor" => world.actors.get(actor)?.kind.as_ref(),
            "target" | "another cell" => self.suite.kind_of_target(target),
            entity => {
                let captured = self
                    .endpoint
                    .spec
                    .capture
                    .get(entity)
                    .map(|spec| &spec.kind);
                let of_world = || world.entities.get(entity).map(|entity| &entity.kind);
                let of_actor = || {
                    world
                        .actors
                        .get(entity)
                        .and_then(|actor| actor.kind.as_ref())
                };
                captured.or_else(of_world).or_else(of_actor)
            }
        };
        world.kinds.get(kind?)
    }

    /// Whether the symbol is the caller's own, or of what the call made for it.
    pub(super) fn is_own(&self, symbol: &str) -> bool {
        let entity = symbol.rsplit_once('.').map_or(symbol, |(entity, _)| entity);
        entity == "actor" || self.endpoint.spec.capture.contains_key(entity)
    }

    /// Everything that a request upon the target sends, as templates: who sends a value learns nothing from its echo.
    pub(super) fn sent(&self, target: &str) -> String {
        let mut sent = String::new();
        let mut add = |text: &str| {
            sent.push_str(text);
            sent.push('\n');
        };
        self.endpoint.spec.request.texts(&mut add);
        let target = self.suite.targets.get(target);
        let with = target.filter(|target| target.kind.is_none());
        let values = with.into_iter().flat_map(|target| target.with.values());
        values.for_each(|value| leaves(value, &mut add));
        sent
    }

    /// Whether the symbol is of the world, which exists for the whole run.
    pub(super) fn is_of_world(&self, symbol: &str) -> bool {
        let entity = symbol.rsplit_once('.').map_or(symbol, |(entity, _)| entity);
        let world = &self.suite.world;
        entity == "actor"
            || world.entities.contains_key(entity)
            || world.actors.contains_key(entity)
    }

    /// The tenant that the symbol's entity belongs to, or is.
    pub(super) fn tenant(&self, symbol: &str, target: &str) -> Option<&str> {
        let (entity, _) = symbol.rsplit_once('.')?;
        let world = &self.suite.world;
        if entity == "target" {
            return self.suite.targets.get(target)?.tenant.as_deref();
        }
        let of_entity = world
            .entities
            .get(entity)
            .and_then(|spec| spec.tenant.as_deref());
        let of_actor = || {
            world
                .actors
                .get(entity)
                .and_then(|spec| spec.tenant.as_deref())
        };
        of_entity.or_else(of_actor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_read_from_a_text() {
        let symbols: Vec<&str> =
            symbols_in("{\"key\": \"<new.key>\"} a < b > <timestamp> <owner.id>").collect();
        assert_eq!(symbols, ["new.key", "owner.id"]);
    }
}
