//! Statements that the connection prepares once, however often they are made. Those of `diesel::sql_query` it prepares anew
//! each time, since each could be another one.

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{HasSqlType, Untyped};

/// A statement, of which a run makes few different ones.
pub(crate) struct Statement<'a>(Vec<Box<dyn QueryFragment<Pg> + Send + 'a>>);

struct Sql<'a>(Cow<'a, str>);

struct Bind<T, V>(V, PhantomData<T>);

impl<'a> Statement<'a> {
    /// A statement that begins like this.
    pub(crate) fn new(sql: impl Into<Cow<'a, str>>) -> Self {
        Self(Vec::new()).sql(sql)
    }

    /// More of it.
    pub(crate) fn sql(mut self, sql: impl Into<Cow<'a, str>>) -> Self {
        self.0.push(Box::new(Sql(sql.into())));
        self
    }

    /// A value at this place.
    pub(crate) fn bind<T, V>(mut self, value: V) -> Self
    where
        Pg: HasSqlType<T>,
        T: Send + 'a,
        V: ToSql<T, Pg> + Send + 'a,
    {
        self.0.push(Box::new(Bind(value, PhantomData::<T>)));
        self
    }
}

impl QueryFragment<Pg> for Sql<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(&self.0);
        Ok(())
    }
}

impl<T, V: ToSql<T, Pg>> QueryFragment<Pg> for Bind<T, V>
where
    Pg: HasSqlType<T>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<T, V>(&self.0)
    }
}

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut parts = self.0.iter();
        parts.try_for_each(|part| part.walk_ast(out.reborrow()))
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}
