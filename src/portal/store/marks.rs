//! Marks: how far unfinished uploads have come, as the store of their bytes needs to know it.

use super::uploads::Upload;
use super::{Connection, Result, signed};
use crate::clock::Timestamp;
use crate::portal::blobs::Mark;

/// The mark of an upload, and the state of its digest there.
pub(crate) async fn find(connection: &mut Connection, upload: &Upload) -> Result<(Mark, Option<Vec<u8>>)> {
    let mut mark = Mark { received: upload.received, ..Mark::default() };
    type Columns = (Option<Vec<u8>>, Option<String>, Option<String>);
    let row: Option<Columns> =
        sqlx::query_as("SELECT digest, multipart, tail FROM marks WHERE tenant = $1 AND upload = $2")
            .bind(upload.tenant.as_str())
            .bind(&upload.id)
            .fetch_optional(&mut *connection)
            .await?;
    let Some((digest, multipart, tail)) = row else { return Ok((mark, None)) };
    (mark.multipart, mark.tail) = (multipart, tail);
    if mark.multipart.is_some() {
        let parts: Vec<(String,)> =
            sqlx::query_as("SELECT tag FROM parts WHERE tenant = $1 AND upload = $2 ORDER BY number")
                .bind(upload.tenant.as_str())
                .bind(&upload.id)
                .fetch_all(connection)
                .await?;
        mark.parts = parts.into_iter().map(|(tag,)| tag).collect();
    }
    Ok((mark, digest))
}

/// Moves an upload from where it stands to its new mark; false when it stands elsewhere by now, ends, or is not there.
pub(crate) async fn keep(
    connection: &mut Connection,
    upload: &Upload,
    mark: &Mark,
    digest: &[u8],
    expires_at: Timestamp,
) -> Result<bool> {
    let moved = sqlx::query(
        "UPDATE uploads SET received = $1, expires_at = $2 WHERE tenant = $3 AND id = $4 AND received = $5 AND ending = 0",
    )
    .bind(signed(mark.received))
    .bind(expires_at.seconds())
    .bind(upload.tenant.as_str())
    .bind(&upload.id)
    .bind(signed(upload.received))
    .execute(&mut *connection)
    .await?;
    if moved.rows_affected() != 1 {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO marks (tenant, upload, digest, multipart, tail) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant, upload) DO UPDATE SET digest = $3, multipart = $4, tail = $5",
    )
    .bind(upload.tenant.as_str())
    .bind(&upload.id)
    .bind(digest)
    .bind(mark.multipart.as_deref())
    .bind(mark.tail.as_deref())
    .execute(&mut *connection)
    .await?;
    let (known,): (i64,) = sqlx::query_as(
        "SELECT CAST(coalesce(max(number) + 1, 0) AS BIGINT) FROM parts WHERE tenant = $1 AND upload = $2",
    )
    .bind(upload.tenant.as_str())
    .bind(&upload.id)
    .fetch_one(&mut *connection)
    .await?;
    for (number, tag) in mark.parts.iter().enumerate().skip(usize::try_from(known).unwrap_or(0)) {
        sqlx::query("INSERT INTO parts (tenant, upload, number, tag) VALUES ($1, $2, $3, $4)")
            .bind(upload.tenant.as_str())
            .bind(&upload.id)
            .bind(signed(number as u64))
            .bind(tag)
            .execute(&mut *connection)
            .await?;
    }
    Ok(true)
}

/// Names the multipart upload by which an upload is about to become whole; false when the upload stands elsewhere by now, ends,
/// is not there, or becomes whole by another.
pub(crate) async fn claim(connection: &mut Connection, upload: &Upload, multipart: &str) -> Result<bool> {
    let (there,): (i64,) = sqlx::query_as(
        "SELECT CAST(count(*) AS BIGINT) FROM uploads WHERE tenant = $1 AND id = $2 AND received = $3 AND ending = 0",
    )
    .bind(upload.tenant.as_str())
    .bind(&upload.id)
    .bind(signed(upload.received))
    .fetch_one(&mut *connection)
    .await?;
    if there != 1 {
        return Ok(false);
    }
    let claimed = sqlx::query(
        "INSERT INTO marks (tenant, upload, multipart) VALUES ($1, $2, $3)
         ON CONFLICT (tenant, upload) DO UPDATE SET multipart = excluded.multipart
         WHERE marks.multipart IS NULL OR marks.multipart = excluded.multipart",
    )
    .bind(upload.tenant.as_str())
    .bind(&upload.id)
    .bind(multipart)
    .execute(connection)
    .await?;
    Ok(claimed.rows_affected() == 1)
}
