//! `GET /key/list`.

use std::sync::Arc;

use axum::{Json, extract::State};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, NullableExpressionMethods,
    PgTextExpressionMethods, QueryDsl, SelectableHelper, pg::Pg, sql_types::Bool,
};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

use super::info::hidden;
use crate::{
    call::Call,
    caller::{Caller, Role},
    denial::{Answer, Denial, Voice},
    gates::keys::may_see,
    hole::Hole,
    query::{ListQuery, SortColumn},
    rows::{VerificationToken, texts},
    schema::LiteLLM_VerificationToken as tokens,
    server::Gate,
    store::Team,
    wire,
};

/// The team of the dashboard's own keys, which no list shows (litellm 1.85.1, `constants.py`).
const DASHBOARD: &str = "litellm-dashboard";

pub(crate) async fn handle(
    State(gate): State<Arc<Gate>>,
    call: Call,
) -> Result<Json<Value>, Answer> {
    let query = ListQuery::read(&call.query)?;
    list(&gate, &call, query)
        .await
        .map(Json)
        .map_err(|denial| denial.spoken_by(Voice::List))
}

async fn list(gate: &Gate, call: &Call, mut query: ListQuery) -> Result<Value, Denial> {
    if !gate.settings.without(Hole::ListFilter) {
        filters_allowed(gate, call, &query).await?;
    }
    let teams = visible_teams(gate, &call.caller, &query).await?;
    let admin_view = matches!(call.caller.role, Role::ProxyAdmin | Role::ProxyAdminViewer);
    if query.user_id.is_none() && !admin_view && !gate.settings.without(Hole::ListScope) {
        query.user_id.clone_from(&call.caller.user_id);
    }
    let matching = || matching(&query, &teams, admin_view);
    let mut connection = gate.store.connection().await?;
    let total: i64 = matching().count().get_result(&mut connection).await?;
    let keys: Vec<VerificationToken> = ordered(matching(), query.order()?)
        .select(VerificationToken::as_select())
        .offset(query.offset())
        .limit(query.size)
        .load(&mut connection)
        .await?;
    let keys: Vec<_> = keys
        .iter()
        .map(|key| shown(key, query.return_full_object))
        .collect();
    let pages = query.pages(total);
    Ok(
        json!({"keys": keys, "total_count": total, "current_page": query.page, "total_pages": pages}),
    )
}

fn shown(key: &VerificationToken, full: bool) -> Value {
    if full {
        wire::listed(key)
    } else {
        json!(key.token)
    }
}

/// Refuses filters that name what is not the caller's (litellm 1.85.1, `validate_key_list_check`).
async fn filters_allowed(gate: &Gate, call: &Call, query: &ListQuery) -> Result<(), Denial> {
    if call.caller.is_admin() {
        return Ok(());
    }
    let Some(user) = &call.caller.user else {
        let message = "You are not authorized to access this endpoint. No 'user_id' is associated with your API key.";
        return Err(Denial::bad_request(403, "user_id", message));
    };
    if query.user_id.as_ref().is_some_and(|id| *id != user.id) {
        return Err(foreign("user_id", "another user's"));
    }
    if query
        .team_id
        .as_ref()
        .is_some_and(|id| !user.teams.contains(id))
    {
        return Err(foreign("team_id", "this team's"));
    }
    if query
        .organization_id
        .as_ref()
        .is_some_and(|id| !user.belongs_to(id))
    {
        return Err(foreign("organization_id", "this organization's"));
    }
    let Some(hash) = &query.key_hash else {
        return Ok(());
    };
    let key = gate.store.token(hash).await?;
    if may_see(&call.caller, hash, key.as_ref(), &gate.store).await? {
        Ok(())
    } else {
        Err(hidden(call))
    }
}

fn foreign(param: &'static str, whose: &str) -> Denial {
    Denial::bad_request(
        403,
        param,
        format!("You are not authorized to check {whose} keys"),
    )
}

/// The caller's teams, as far as the query includes their keys.
#[derive(Default)]
struct VisibleTeams {
    /// Teams of which all keys are shown.
    whole: Vec<String>,
    /// Teams of which keys without a user are shown.
    userless: Vec<String>,
    /// Teams in which keys made by the caller are shown; `None` where that is not asked.
    member: Option<Vec<String>>,
}

async fn visible_teams(
    gate: &Gate,
    caller: &Caller,
    query: &ListQuery,
) -> Result<VisibleTeams, Denial> {
    if !query.include_team_keys && !query.include_created_by_keys {
        return Ok(VisibleTeams::default());
    }
    // The real service does not look a proxy admin's teams up.
    let ids = caller
        .user
        .as_ref()
        .filter(|_| !caller.is_admin())
        .map(|user| user.teams.clone())
        .unwrap_or_default();
    let teams = gate.store.teams(&ids).await?;
    let pick = |pick: &dyn Fn(&Team) -> bool| -> Vec<String> {
        teams
            .iter()
            .filter(|team| pick(team))
            .map(|team| team.team_id.clone())
            .collect()
    };
    let sees_all = |team: &Team| {
        team.has_admin(caller.id()) || (is_member(team, caller) && lets_members_list(team))
    };
    let whole = if query.include_team_keys {
        pick(&sees_all)
    } else {
        Vec::new()
    };
    let member = pick(&|team| is_member(team, caller));
    let userless = member
        .iter()
        .filter(|id| !whole.contains(id))
        .cloned()
        .collect();
    Ok(VisibleTeams {
        whole,
        userless,
        member: Some(member),
    })
}

fn is_member(team: &Team, caller: &Caller) -> bool {
    team.role_of(caller.id()).is_some()
}

fn lets_members_list(team: &Team) -> bool {
    texts(&team.team_member_permissions).any(|permission| permission == "/key/list")
}

/// The keys that are listed (litellm 1.85.1, `_build_key_filter_conditions`): those that fit every filter, and by other
/// ways keys of the caller's teams; without any filter or way, all keys.
fn matching(
    query: &ListQuery,
    teams: &VisibleTeams,
    substrings: bool,
) -> tokens::BoxedQuery<'static, Pg> {
    let (user, alias) = (query.user_id.clone(), query.key_alias.clone());
    let (organization, hash) = (query.organization_id.clone(), query.key_hash.clone());
    let filtered = user.is_some() || alias.is_some() || organization.is_some() || hash.is_some();
    let includes_made = query.include_created_by_keys && user.is_some();
    let unfiltered = !filtered && teams.whole.is_empty() && teams.userless.is_empty();

    let like = |text: &Option<String>| format!("%{}%", text.as_deref().unwrap_or_default());
    let like_user = given(substrings).and(tokens::user_id.ilike(like(&user)));
    let like_alias = given(substrings).and(tokens::key_alias.ilike(like(&alias)));
    let of_user = tokens::user_id.eq(user.clone()).or(like_user);
    let of_alias = tokens::key_alias.eq(alias.clone()).or(like_alias);
    let fits = given(filtered)
        .and(given(user.is_none()).or(of_user))
        .and(given(alias.is_none()).or(of_alias))
        .and(given(organization.is_none()).or(tokens::organization_id.eq(organization)))
        .and(given(hash.is_none()).or(tokens::token.nullable().eq(hash)));

    let in_team = tokens::team_id
        .eq_any(teams.member.clone().unwrap_or_default())
        .or(tokens::team_id.is_null());
    let made = tokens::created_by
        .eq(user)
        .and(given(teams.member.is_none()).or(in_team));
    let whole = tokens::team_id.eq_any(teams.whole.clone());
    let userless = tokens::team_id
        .eq_any(teams.userless.clone())
        .and(tokens::user_id.is_null());
    let ways = fits
        .or(given(includes_made).and(made))
        .or(whole)
        .or(userless)
        .or(given(unfiltered));

    let team = query.team_id.clone();
    tokens::table
        .filter(tokens::team_id.is_null().or(tokens::team_id.ne(DASHBOARD)))
        .filter(given(team.is_none()).or(tokens::team_id.eq(team)))
        .filter(ways)
        .into_boxed()
}

/// A condition that is known before the query.
fn given(condition: bool) -> diesel::dsl::AsExprOf<bool, Bool> {
    condition.into_sql::<Bool>()
}

/// The keys in the asked-for order, or newest first.
fn ordered(
    keys: tokens::BoxedQuery<'static, Pg>,
    order: Option<(SortColumn, bool)>,
) -> tokens::BoxedQuery<'static, Pg> {
    macro_rules! by {
        ($column:expr, $descending:expr) => {
            if $descending {
                keys.order($column.desc())
            } else {
                keys.order($column.asc())
            }
        };
    }
    match order {
        None => keys.order((tokens::created_at.desc(), tokens::token.desc())),
        Some((SortColumn::Spend, descending)) => by!(tokens::spend, descending),
        Some((SortColumn::MaxBudget, descending)) => by!(tokens::max_budget, descending),
        Some((SortColumn::CreatedAt, descending)) => by!(tokens::created_at, descending),
        Some((SortColumn::UpdatedAt, descending)) => by!(tokens::updated_at, descending),
        Some((SortColumn::Token, descending)) => by!(tokens::token, descending),
        Some((SortColumn::KeyAlias, descending)) => by!(tokens::key_alias, descending),
    }
}
