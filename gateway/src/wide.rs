//! Rows of more columns than the tuples of diesel have, which end at 16 unless much of it is compiled that nobody else
//! here needs. The statements are those that diesel's own derives make.

use std::marker::PhantomData;

use chrono::NaiveDateTime;
use diesel::{
    QueryResult, Table,
    deserialize::{self, FromSql},
    expression::{
        AppearsOnTable, Expression, QueryMetadata, SelectableExpression, TypedExpressionType,
        ValidGrouping, is_aggregate,
    },
    pg::Pg,
    query_builder::{AstPass, QueryFragment, QueryId},
    row::Row as SqlRow,
    serialize::ToSql,
    sql_types::{
        Array, BigInt, Bool, Double, HasSqlType, Integer, Jsonb, Nullable, SqlType, Text,
        Timestamp, is_nullable,
    },
};
use serde_json::Value;

/// What a column holds, and its type in SQL.
pub(crate) trait Cell: ToSql<Self::Sql, Pg> + FromSql<Self::Sql, Pg> {
    type Sql: SqlType;

    fn is_null(&self) -> bool {
        false
    }
}

macro_rules! cells {
    ($($type:ty => $sql:ty,)*) => {
        $(impl Cell for $type { type Sql = $sql; })*
    };
}

cells! {
    bool => Bool,
    i32 => Integer,
    i64 => BigInt,
    f64 => Double,
    String => Text,
    Vec<Option<String>> => Array<Nullable<Text>>,
    NaiveDateTime => Timestamp,
    Value => Jsonb,
}

impl<T: Cell> Cell for Option<T>
where
    Option<T>: ToSql<Nullable<T::Sql>, Pg> + FromSql<Nullable<T::Sql>, Pg>,
    Nullable<T::Sql>: SqlType,
{
    type Sql = Nullable<T::Sql>;

    fn is_null(&self) -> bool {
        self.is_none()
    }
}

/// A value that a statement takes along.
pub(crate) trait Bind {
    fn is_null(&self) -> bool;

    fn push<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
}

impl<T: Cell> Bind for T
where
    Pg: HasSqlType<T::Sql>,
{
    fn is_null(&self) -> bool {
        Cell::is_null(self)
    }

    fn push<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<T::Sql, T>(self)
    }
}

/// A row; [`row`] makes it.
pub(crate) trait Row: 'static {
    type Table: Table;

    const TABLE: &'static str;
    const COLUMNS: &'static [&'static str];

    fn values(&self) -> impl Iterator<Item = &dyn Bind>;
}

/// The columns of a row in a query, and what they are in SQL.
pub(crate) struct All<R>(PhantomData<R>);

impl<R> Default for All<R> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<R: Row> SqlType for All<R> {
    type IsNull = is_nullable::NotNull;
}

impl<R> TypedExpressionType for All<R> {}

impl<R: Row> QueryMetadata<All<R>> for Pg {
    fn row_metadata(_: &mut Self::MetadataLookup, out: &mut Vec<Option<Self::TypeMetadata>>) {
        out.extend(R::COLUMNS.iter().map(|_| None));
    }
}

impl<R> Expression for All<R> {
    type SqlType = Self;
}

impl<R: Row, Q> AppearsOnTable<Q> for All<R> where <R::Table as Table>::PrimaryKey: AppearsOnTable<Q>
{}

impl<R: Row, Q> SelectableExpression<Q> for All<R> where
    <R::Table as Table>::PrimaryKey: SelectableExpression<Q>
{
}

impl<R> ValidGrouping<()> for All<R> {
    type IsAggregate = is_aggregate::No;
}

impl<R: Row> QueryId for All<R> {
    type QueryId = Self;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: Row> QueryFragment<Pg> for All<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut separator = "";
        for column in R::COLUMNS {
            out.push_sql(separator);
            out.push_identifier(R::TABLE)?;
            out.push_sql(".");
            out.push_identifier(column)?;
            separator = ", ";
        }
        Ok(())
    }
}

/// The value at a place of a row, counted from the first.
pub(crate) fn read<'a, T: Cell>(
    row: &impl SqlRow<'a, Pg>,
    place: Option<usize>,
) -> deserialize::Result<T> {
    row.get_value::<T::Sql, T, usize>(place.unwrap_or(usize::MAX))
}

/// Inserts rows, which are not to be none.
pub(crate) struct Insert<'a, R> {
    pub(crate) rows: &'a [R],
    /// What becomes of rows that exist.
    pub(crate) on_conflict: &'static str,
}

impl<R: Row> QueryFragment<Pg> for Insert<'_, R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO ");
        out.push_identifier(R::TABLE)?;
        let mut separator = " (";
        for column in R::COLUMNS {
            out.push_sql(separator);
            out.push_identifier(column)?;
            separator = ", ";
        }
        let mut before = ") VALUES (";
        for row in self.rows {
            for value in row.values() {
                out.push_sql(before);
                if value.is_null() {
                    out.push_sql("DEFAULT");
                } else {
                    value.push(out.reborrow())?;
                }
                before = ", ";
            }
            before = "), (";
        }
        out.push_sql(")");
        out.push_sql(self.on_conflict);
        Ok(())
    }
}

impl<R> QueryId for Insert<'_, R> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

/// A struct whose fields are columns of a table of [`crate::schema`], to insert and to read.
macro_rules! row {
    (
        in $table:ident;
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        impl $crate::wide::Row for $name {
            type Table = $crate::schema::$table::table;

            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn values(&self) -> impl Iterator<Item = &dyn $crate::wide::Bind> {
                let values: [&dyn $crate::wide::Bind; _] = [$(&self.$field),*];
                values.into_iter()
            }
        }

        impl diesel::deserialize::FromSqlRow<$crate::wide::All<Self>, diesel::pg::Pg> for $name {
            fn build_from_row<'a>(
                row: &impl diesel::row::Row<'a, diesel::pg::Pg>,
            ) -> diesel::deserialize::Result<Self> {
                let mut places = 0..;
                Ok(Self { $($field: $crate::wide::read(row, places.next())?,)* })
            }
        }

        impl diesel::deserialize::StaticallySizedRow<$crate::wide::All<Self>, diesel::pg::Pg> for $name {
            const FIELD_COUNT: usize = <Self as $crate::wide::Row>::COLUMNS.len();
        }

        impl diesel::Selectable<diesel::pg::Pg> for $name {
            type SelectExpression = $crate::wide::All<Self>;

            fn construct_selection() -> Self::SelectExpression {
                $crate::wide::All::default()
            }
        }
    };
}

/// A struct whose fields are columns of a table of [`crate::schema`] that an update sets, as far as they are not `None`.
macro_rules! changes {
    (
        in $table:ident;
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: Option<$type:ty>,)*
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: Option<$type>,)*
        }

        impl diesel::AsChangeset for $name {
            type Target = $crate::schema::$table::table;
            type Changeset = Self;

            fn as_changeset(self) -> Self {
                self
            }
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>,
            ) -> diesel::QueryResult<()> {
                let mut separator = "";
                $(if let Some(value) = &self.$field {
                    out.push_sql(separator);
                    out.push_identifier(stringify!($field))?;
                    out.push_sql(" = ");
                    $crate::wide::Bind::push(value, out.reborrow())?;
                    separator = ", ";
                })*
                // The last column's is not used.
                let _ = separator;
                Ok(())
            }
        }
    };
}

pub(crate) use {changes, row};

#[cfg(test)]
mod tests {
    use diesel::{debug_query, prelude::*};
    use serde_json::json;

    use super::*;
    use crate::{
        rows::{Nullable, Texts},
        schema::LiteLLM_TeamTable as teams,
    };

    row! {
        in LiteLLM_TeamTable;

        struct Wide {
            team_id: String,
            organization_id: Option<String>,
            metadata: Value,
            models: Texts,
            tpm_limit: Option<i64>,
        }
    }

    changes! {
        in LiteLLM_TeamTable;

        struct WideChanges {
            organization_id: Option<Nullable<String>>,
            metadata: Option<Value>,
            models: Option<Texts>,
            tpm_limit: Option<Nullable<i64>>,
        }
    }

    #[derive(Insertable, Queryable, Selectable)]
    #[diesel(table_name = teams)]
    struct Narrow {
        team_id: String,
        organization_id: Option<String>,
        metadata: Value,
        // Written out, since the derive knows an option by its name.
        models: Option<Vec<Option<String>>>,
        tpm_limit: Option<i64>,
    }

    #[derive(AsChangeset)]
    #[diesel(table_name = teams)]
    struct NarrowChanges {
        organization_id: Option<Nullable<String>>,
        metadata: Option<Value>,
        models: Option<Texts>,
        tpm_limit: Option<Nullable<i64>>,
    }

    macro_rules! two {
        ($name:ident) => {
            [
                $name {
                    team_id: "a".into(),
                    organization_id: None,
                    metadata: json!({"x": 1}),
                    models: Some(vec![Some("m".into())]),
                    tpm_limit: Some(1),
                },
                $name {
                    team_id: "b".into(),
                    organization_id: Some("o".into()),
                    metadata: Value::Null,
                    models: None,
                    tpm_limit: None,
                },
            ]
        };
    }

    macro_rules! some_changes {
        ($name:ident) => {
            $name {
                organization_id: None,
                metadata: Some(json!({"x": 1})),
                models: Some(None),
                tpm_limit: Some(Some(1)),
            }
        };
    }

    /// The statement's text, without the values, which are shown as options in the one and not in the other.
    fn text(statement: &impl QueryFragment<Pg>) -> String {
        let shown = debug_query::<Pg, _>(statement).to_string();
        shown.split(" -- ").next().unwrap().to_owned()
    }

    fn is_prepared_once(statement: &impl QueryFragment<Pg>) -> bool {
        statement.is_safe_to_cache_prepared(&Pg).unwrap()
    }

    #[test]
    fn a_wide_row_is_inserted_as_a_narrow_one() {
        let wide = Insert {
            rows: &two!(Wide),
            on_conflict: " ON CONFLICT DO NOTHING",
        };
        let narrow = diesel::insert_into(teams::table)
            .values(Vec::from(two!(Narrow)))
            .on_conflict_do_nothing();
        assert_eq!(text(&wide), text(&narrow));
    }

    #[test]
    fn a_wide_row_is_selected_as_a_narrow_one() {
        let wide = teams::table.find("a").select(Wide::as_select());
        let narrow = teams::table.find("a").select(Narrow::as_select());
        assert_eq!(text(&wide), text(&narrow));
    }

    #[test]
    fn wide_changes_are_set_as_narrow_ones() {
        let wide = diesel::update(teams::table.find("a"))
            .set(some_changes!(WideChanges))
            .returning(Wide::as_returning());
        let narrow = diesel::update(teams::table.find("a"))
            .set(some_changes!(NarrowChanges))
            .returning(Narrow::as_returning());
        assert_eq!(text(&wide), text(&narrow));
    }

    #[test]
    fn wide_statements_are_prepared_once() {
        let insert = Insert {
            rows: &two!(Wide),
            on_conflict: "",
        };
        assert!(is_prepared_once(&insert));
        let select = teams::table.find("a").select(Wide::as_select());
        assert!(is_prepared_once(&select));
    }
}
