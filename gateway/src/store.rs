//! The queries. Every write is committed when its method returns.

use std::slice;

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl, pooled_connection::deadpool::Object};
use serde_json::Value;

use crate::{
    database::Pool,
    denial::Denial,
    duration,
    prepared::Prepared,
    rows::{
        BudgetRow, DeletedVerificationToken, Deletion, Texts, TokenChanges, VerificationToken,
        texts,
    },
    schema::{
        LiteLLM_BudgetTable as budgets, LiteLLM_DeprecatedVerificationToken as deprecated_tokens,
        LiteLLM_OrganizationMembership as memberships, LiteLLM_OrganizationTable as organizations,
        LiteLLM_TeamTable as teams, LiteLLM_UserTable as users,
        LiteLLM_VerificationToken as tokens,
    },
    wide::Insert,
};

/// A team, as far as its rules about keys go.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = teams)]
#[expect(
    clippy::struct_field_names,
    reason = "the columns have LiteLLM's own names"
)]
pub(crate) struct Team {
    pub(crate) team_id: String,
    pub(crate) organization_id: Option<String>,
    members_with_roles: Value,
    pub(crate) metadata: Value,
    pub(crate) models: Texts,
    pub(crate) tpm_limit: Option<i64>,
    pub(crate) rpm_limit: Option<i64>,
    pub(crate) team_member_permissions: Texts,
}

impl Team {
    /// The role within the team, `None` for a non-member.
    pub(crate) fn role_of(&self, user_id: Option<&str>) -> Option<&str> {
        let user_id = user_id?;
        let members = self.members_with_roles.as_array()?;
        let member = members
            .iter()
            .find(|member| member.get("user_id").and_then(Value::as_str) == Some(user_id))?;
        member.get("role").and_then(Value::as_str)
    }

    pub(crate) fn has_admin(&self, user_id: Option<&str>) -> bool {
        self.role_of(user_id) == Some("admin")
    }
}

/// A user with its organization memberships.
#[derive(Clone, Debug, Default)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) role: Option<String>,
    pub(crate) teams: Vec<String>,
    /// Organization and role within it.
    pub(crate) memberships: Vec<(String, Option<String>)>,
}

impl User {
    pub(crate) fn belongs_to(&self, organization: &str) -> bool {
        self.memberships.iter().any(|(id, _)| id == organization)
    }

    pub(crate) fn administers(&self, organization: &str) -> bool {
        self.memberships
            .iter()
            .any(|(id, role)| id == organization && role.as_deref() == Some("org_admin"))
    }
}

/// A key with what the gates ask of whom it belongs to.
pub(crate) struct Owned {
    pub(crate) key: VerificationToken,
    pub(crate) user: Option<User>,
    /// Whether its team is blocked.
    pub(crate) is_team_blocked: bool,
}

/// One row of a key with its user and team: as many rows as the user has memberships, and one without any.
type OwnedRow = (
    VerificationToken,
    Option<(String, Option<String>, Texts)>,
    Option<(String, Option<String>)>,
    Option<bool>,
);

impl Owned {
    fn of(rows: Vec<OwnedRow>) -> Option<Self> {
        let mut rows = rows.into_iter();
        let (key, user, membership, is_team_blocked) = rows.next()?;
        let others = rows.filter_map(|(_, _, membership, _)| membership);
        let user = user.map(|(id, role, teams)| User {
            id,
            role,
            teams: texts(&teams).map(str::to_owned).collect(),
            memberships: membership.into_iter().chain(others).collect(),
        });
        Some(Self {
            key,
            user,
            is_team_blocked: is_team_blocked.unwrap_or(false),
        })
    }
}

/// The gateway's database.
#[derive(Clone)]
pub(crate) struct Store {
    pool: Pool,
}

impl Store {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    pub(crate) async fn connection(&self) -> Result<Object<AsyncPgConnection>, Denial> {
        self.pool
            .get()
            .await
            .map_err(|error| Denial::Fault(error.to_string()))
    }

    pub(crate) async fn token(&self, hash: &str) -> Result<Option<VerificationToken>, Denial> {
        let query = tokens::table
            .find(hash)
            .select(VerificationToken::as_select());
        Ok(query
            .first(&mut self.connection().await?)
            .await
            .optional()?)
    }

    /// A key with its user and team, which every call asks for, in one query.
    pub(crate) async fn owned(&self, hash: &str) -> Result<Option<Owned>, Denial> {
        let of_user = memberships::user_id.nullable().eq(tokens::user_id);
        let rows = tokens::table
            .left_join(users::table.on(users::user_id.nullable().eq(tokens::user_id)))
            .left_join(memberships::table.on(of_user))
            .left_join(teams::table.on(teams::team_id.nullable().eq(tokens::team_id)))
            .filter(tokens::token.eq(hash))
            .select((
                VerificationToken::as_select(),
                (users::user_id, users::user_role, users::teams).nullable(),
                (memberships::organization_id, memberships::user_role).nullable(),
                teams::blocked.nullable(),
            ))
            .load(&mut self.connection().await?)
            .await?;
        Ok(Owned::of(rows))
    }

    /// Whether the hash is a regenerated key's whose grace period is not over.
    pub(crate) async fn is_in_grace(&self, hash: &str) -> Result<bool, Denial> {
        let in_grace = deprecated_tokens::table
            .inner_join(tokens::table.on(tokens::token.eq(deprecated_tokens::active_token_id)))
            .filter(deprecated_tokens::token.eq(hash))
            .filter(deprecated_tokens::revoke_at.gt(duration::now()));
        let query = diesel::select(diesel::dsl::exists(in_grace));
        Ok(query.get_result(&mut self.connection().await?).await?)
    }

    pub(crate) async fn tokens(&self, hashes: &[String]) -> Result<Vec<VerificationToken>, Denial> {
        let query = tokens::table
            .filter(tokens::token.eq_any(hashes))
            .select(VerificationToken::as_select());
        Ok(query.load(&mut self.connection().await?).await?)
    }

    pub(crate) async fn hashes_of_aliases(
        &self,
        aliases: &[String],
    ) -> Result<Vec<String>, Denial> {
        let query = tokens::table
            .filter(tokens::key_alias.eq_any(aliases))
            .select(tokens::token);
        Ok(query.load(&mut self.connection().await?).await?)
    }

    /// Whether another key than `except` has the alias.
    pub(crate) async fn alias_is_taken(&self, alias: &str, except: &str) -> Result<bool, Denial> {
        let others = tokens::table
            .filter(tokens::key_alias.eq(alias))
            .filter(tokens::token.ne(except));
        Ok(diesel::select(diesel::dsl::exists(others))
            .get_result(&mut self.connection().await?)
            .await?)
    }

    pub(crate) async fn team(&self, id: &str) -> Result<Option<Team>, Denial> {
        let query = teams::table.find(id).select(Team::as_select());
        Ok(query
            .first(&mut self.connection().await?)
            .await
            .optional()?)
    }

    pub(crate) async fn teams(&self, ids: &[String]) -> Result<Vec<Team>, Denial> {
        let query = teams::table
            .filter(teams::team_id.eq_any(ids))
            .select(Team::as_select());
        Ok(query.load(&mut self.connection().await?).await?)
    }

    pub(crate) async fn organization_exists(&self, id: &str) -> Result<bool, Denial> {
        let found = diesel::dsl::exists(organizations::table.find(id));
        Ok(diesel::select(found)
            .get_result(&mut self.connection().await?)
            .await?)
    }

    pub(crate) async fn budget(&self, id: Option<&str>) -> Result<Option<BudgetRow>, Denial> {
        let Some(id) = id else { return Ok(None) };
        let query = budgets::table.find(id).select(BudgetRow::as_select());
        Ok(query
            .first(&mut self.connection().await?)
            .await
            .optional()?)
    }

    /// Adds a budget and returns its id.
    pub(crate) async fn insert_budget(&self, budget: BudgetRow) -> Result<String, Denial> {
        let insert = diesel::insert_into(budgets::table)
            .values(budget)
            .returning(budgets::budget_id);
        Ok(Prepared(insert)
            .get_result(&mut self.connection().await?)
            .await?)
    }

    /// Adds a key; one that exists stays as it is, as with the real service's upsert.
    pub(crate) async fn insert(&self, key: &VerificationToken) -> Result<(), Denial> {
        let insert = Insert {
            rows: slice::from_ref(key),
            on_conflict: " ON CONFLICT DO NOTHING",
        };
        insert.execute(&mut self.connection().await?).await?;
        Ok(())
    }

    pub(crate) async fn update(
        &self,
        hash: &str,
        changes: TokenChanges,
    ) -> Result<VerificationToken, Denial> {
        let update = diesel::update(tokens::table.find(hash))
            .set(changes)
            .returning(VerificationToken::as_returning());
        Ok(Prepared(update)
            .get_result(&mut self.connection().await?)
            .await?)
    }

    /// Keeps a copy of keys that are about to go or to change their hash.
    pub(crate) async fn keep_copies(
        &self,
        keys: Vec<VerificationToken>,
        deletion: &Deletion,
    ) -> Result<(), Denial> {
        let copies: Vec<_> = keys
            .into_iter()
            .map(|key| DeletedVerificationToken::of(key, deletion))
            .collect();
        let insert = Insert {
            rows: &copies,
            on_conflict: "",
        };
        insert.execute(&mut self.connection().await?).await?;
        Ok(())
    }

    pub(crate) async fn delete(&self, hashes: &[String]) -> Result<(), Denial> {
        let delete = diesel::delete(tokens::table.filter(tokens::token.eq_any(hashes)));
        delete.execute(&mut self.connection().await?).await?;
        Ok(())
    }

    /// Notes until when a regenerated key is to live on.
    pub(crate) async fn deprecate(
        &self,
        old: &str,
        new: &str,
        revoke_at: chrono::NaiveDateTime,
    ) -> Result<(), Denial> {
        let id = uuid::Uuid::new_v4().to_string();
        let row = (
            deprecated_tokens::active_token_id.eq(new),
            deprecated_tokens::revoke_at.eq(revoke_at),
        );
        diesel::insert_into(deprecated_tokens::table)
            .values((
                deprecated_tokens::id.eq(id),
                deprecated_tokens::token.eq(old),
                row,
            ))
            .on_conflict(deprecated_tokens::token)
            .do_update()
            .set(row)
            .execute(&mut self.connection().await?)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_team_knows_its_members_by_their_user_ids() {
        let team = Team {
            team_id: "t".into(),
            organization_id: None,
            members_with_roles: json!([{"user_id": "a", "role": "admin"}, {"user_id": "b", "role": "user"}]),
            metadata: json!({}),
            models: None,
            tpm_limit: None,
            rpm_limit: None,
            team_member_permissions: None,
        };
        assert!(team.has_admin(Some("a")));
        assert_eq!(team.role_of(Some("b")), Some("user"));
        assert_eq!(team.role_of(Some("c")), None);
        assert_eq!(team.role_of(None), None);
    }
}
