//! Facts: what all processes of a portal must agree on.

use super::{Connection, Result};

/// What is known as `name`, if anything is.
pub(crate) async fn find(connection: &mut Connection, name: &str) -> Result<Option<String>> {
    let known: Option<(String,)> =
        sqlx::query_as("SELECT value FROM facts WHERE name = $1").bind(name).fetch_optional(connection).await?;
    Ok(known.map(|(value,)| value))
}

/// Says that `name` is `value`, the first time; afterwards true when it is.
pub(crate) async fn agree(connection: &mut Connection, name: &str, value: &str) -> Result<bool> {
    sqlx::query("INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(value)
        .execute(&mut *connection)
        .await?;
    let (known,): (String,) =
        sqlx::query_as("SELECT value FROM facts WHERE name = $1").bind(name).fetch_one(connection).await?;
    Ok(known == value)
}
