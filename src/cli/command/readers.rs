//! Who read a snapshot, as the portal's log tells its customer.

use std::collections::BTreeSet;

use super::remote::Remote;
use crate::clock::Timestamp;
use crate::ids::{FileId, TicketId};
use crate::send::SendError;
use crate::track::log::Exported;

/// Pages of the log that are looked at for one snapshot at most; each has up to two hundred records.
const PAGES: usize = 100;

/// How many different technicians read the content, and when the last did; `None` when nobody did, or the log is not told.
pub fn readers(remote: &Remote, ticket: &TicketId, snapshot: &FileId) -> Result<Option<(u64, Timestamp)>, SendError> {
    let query = [("ticket", ticket.to_string()), ("act", "read-content".into()), ("limit", "200".into())];
    let object = snapshot.to_string();
    let (mut who, mut last, mut cursor) = (BTreeSet::new(), None, None);
    for _ in 0..PAGES {
        let page = match remote.client.audit(&query, cursor.as_deref()) {
            Ok(page) => page,
            // The log is for the sender's own token and for those who watch.
            Err(SendError::Refused(_) | SendError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        // The first line of all is a heading, which is no record.
        for exported in page.text.lines().filter_map(|line| serde_json::from_str::<Exported>(line).ok()) {
            let record = exported.record;
            if record.object == object && record.outcome == "done" {
                last = last.max(Some(record.at));
                who.insert(record.actor);
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(last.map(|last| (who.len() as u64, last)))
}
