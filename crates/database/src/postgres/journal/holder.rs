//! Who keeps a lock that a run waits for.

use diesel::sql_types::{Array, Bool, Text};
use diesel::{QueryResult, QueryableByName};
use diesel_async::RunQueryDsl;

use crate::error::DatabaseError;
use crate::postgres::Database;

/// A session, in words.
#[derive(QueryableByName)]
pub(super) struct Session {
    #[diesel(sql_type = Text)]
    words: String,
    /// Whether it has only kept a transaction open for a while.
    #[diesel(sql_type = Bool)]
    is_idle: bool,
}

/// How many sessions are named.
const NAMED: usize = 3;

/// The sessions of a statement's rows `l`, as of `pg_locks`. What a role may not see of another one's session is null.
const SESSIONS: &str = "
    select distinct format('session %s of the role `%s`%s, %s%s', a.pid, a.usename,
      case when a.application_name <> '' then format(', application `%s`', a.application_name) else '' end,
      coalesce(a.state, 'of which this role may not see more'),
      to_char(a.state_change at time zone 'UTC', '\" since \"HH24:MI:SS\" UTC\"')) as words,
      coalesce(a.state like 'idle in transaction%' and a.state_change < clock_timestamp() - interval '2 s', false) as is_idle
    from l join pg_stat_activity a on a.pid = l.pid
    where a.pid <> pg_backend_pid()
    union
    select format('the prepared transaction `%s` of the role `%s`', p.gid, p.owner), true
    from l join pg_prepared_xacts p on l.pid is null and l.virtualtransaction = '-1/' || p.transaction::text
    order by 1";

/// Who has an advisory lock.
pub(super) async fn of_lock(
    database: &mut Database,
    name: &str,
) -> Result<Vec<Session>, DatabaseError> {
    let locks = "select l.pid, l.virtualtransaction from pg_locks l, (select hashtextextended($1, 0) as key) k
        where l.locktype = 'advisory' and l.granted and l.objsubid = 1
          and l.database = (select oid from pg_database where datname = current_database())
          and l.classid = (k.key >> 32 & 4294967295)::oid and l.objid = (k.key & 4294967295)::oid";
    let query = diesel::sql_query(format!("with l as ({locks}) {SESSIONS}")).bind::<Text, _>(name);
    found(query.load(&mut database.connection).await)
}

/// Who has a lock on one of these tables that keeps its triggers from being put on or off; to take them away, that is any
/// lock.
pub(super) async fn of_tables(
    database: &mut Database,
    tables: &[String],
    any: bool,
) -> Result<Vec<Session>, DatabaseError> {
    let weak = if any {
        ""
    } else {
        "and l.mode not in ('AccessShareLock', 'RowShareLock')"
    };
    let locks = format!(
        "select l.pid, l.virtualtransaction from pg_locks l
        where l.granted and l.locktype = 'relation' {weak}
          and l.database = (select oid from pg_database where datname = current_database())
          and l.relation::regclass::text = any ($1)"
    );
    let query =
        diesel::sql_query(format!("with l as ({locks}) {SESSIONS}")).bind::<Array<Text>, _>(tables);
    found(query.load(&mut database.connection).await)
}

/// Who has a lock on a table that the run changed: of a locked row no more is known.
pub(super) async fn of_changes(
    database: &mut Database,
    run: &str,
) -> Result<Vec<Session>, DatabaseError> {
    let locks = "select l.pid, l.virtualtransaction from pg_locks l
        where l.granted and l.locktype = 'relation'
          and l.database = (select oid from pg_database where datname = current_database())
          and l.relation in (select c.relation from authz_pin.change c where c.run = $1)";
    let query = format!("with l as ({locks}) {SESSIONS}");
    let query = diesel::sql_query(database.home.sql(&query)).bind::<Text, _>(run);
    found(query.load(&mut database.connection).await)
}

fn found(sessions: QueryResult<Vec<Session>>) -> Result<Vec<Session>, DatabaseError> {
    sessions.map_err(DatabaseError::refused("look who keeps a lock"))
}

/// Whether all that is in the way is sessions that do nothing, and will not end soon.
pub(super) fn are_idle(sessions: &[Session]) -> bool {
    !sessions.is_empty() && sessions.iter().all(|session| session.is_idle)
}

/// Sessions as a person reads them.
pub(super) fn words(sessions: &[Session]) -> String {
    let named = sessions.iter().take(NAMED);
    let mut words: Vec<&str> = named.map(|session| session.words.as_str()).collect();
    match sessions.len() {
        0 => words.push("a session that has let go of it by now"),
        count if count > NAMED => words.push("and others"),
        _ => {}
    }
    words.join("; ")
}
