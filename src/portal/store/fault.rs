//! What the databases' errors mean to whoever asked.

use std::io;

/// What can be done about an error of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There is no room for the database: nothing is lost, nothing more can be taken.
    NoRoom,
    /// The database cannot be reached, is too busy, or undid the transaction: the same again may well succeed.
    Passing,
    /// Nothing but to look at it.
    Lasting,
}

/// Tells what kind of trouble an error of the store is.
pub(crate) fn trouble(fault: &sqlx::Error) -> Trouble {
    match fault {
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Trouble::Passing,
        sqlx::Error::Io(fault) if fault.kind() == io::ErrorKind::StorageFull => Trouble::NoRoom,
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => Trouble::Passing,
        sqlx::Error::Database(fault) => fault.code().map_or(Trouble::Lasting, |code| of_code(&code)),
        _ => Trouble::Lasting,
    }
}

/// Tells it by the code: `SQLite`'s are decimal numbers whose low byte counts, `PostgreSQL`'s are five characters
/// (`PostgreSQL` manual, appendix A).
fn of_code(code: &str) -> Trouble {
    match code {
        // disk_full; a quota of the server's file system is an insufficient resource.
        "53100" | "53000" => Trouble::NoRoom,
        // serialization_failure, deadlock_detected, lock_not_available, too_many_connections, and the server going down,
        // starting, or ending an idle transaction.
        "40001" | "40P01" | "55P03" | "53300" | "57P01" | "57P02" | "57P03" | "25P03" => Trouble::Passing,
        // Class 08: the connection.
        code if code.len() == 5 && code.starts_with("08") => Trouble::Passing,
        code if code.len() == 5 => Trouble::Lasting,
        code => match code.parse::<u32>().map(|number| number & 0xff) {
            Ok(13) => Trouble::NoRoom,
            // BUSY and LOCKED.
            Ok(5 | 6) => Trouble::Passing,
            _ => Trouble::Lasting,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_on_both_databases() {
        assert_eq!(of_code("13"), Trouble::NoRoom);
        assert_eq!(of_code("53100"), Trouble::NoRoom);
    }

    #[test]
    fn what_passes_is_told_from_what_lasts() {
        for code in ["5", "517", "6", "40001", "40P01", "08006", "57P01", "55P03"] {
            assert_eq!(of_code(code), Trouble::Passing, "{code}");
        }
        for code in ["1", "11", "26", "2067", "23505", "42P01", "XX001", "", "08"] {
            assert_eq!(of_code(code), Trouble::Lasting, "{code}");
        }
    }
}
