//! Reading every row of the old database, and writing it redacted into the new one.

use rusqlite::{Connection, Row, Statement, ffi, params_from_iter};

use super::cell::{Cell, Cells, key_class, shape};
use super::plan::{Plan, Table};
use super::{LeaveOut, Teach, fault, quoted};
use crate::item::Reason;
use crate::redact::error::RedactError;
use crate::redact::keys::KeyClass;

/// How often a row is tried again; each time a number that is taken is passed over.
const TRIES: usize = 1000;

impl Plan {
    /// Fills the new database and gives its bytes.
    pub(super) fn fill(
        self,
        source: Connection,
        cells: &mut Cells<'_>,
        leave_out: &mut LeaveOut<'_>,
    ) -> Result<Vec<u8>, RedactError> {
        self.lost.iter().for_each(|name| leave_out(name, Reason::NotReadable));
        for table in &self.tables {
            copy(&source, &self.new, table, cells, leave_out)?;
        }
        self.sequences(&source)?;
        drop(source);
        for index in &self.indexes {
            let name = quoted(&index.name);
            if self.new.execute(&format!("INSERT INTO {name}({name}) VALUES('rebuild')"), []).is_err() {
                leave_out(&index.old, Reason::NotReadable);
            }
        }
        for (name, sql) in &self.later {
            if self.new.execute(sql, []).is_err() {
                leave_out(name, Reason::NotReadable);
            }
        }
        self.new.execute_batch("COMMIT").map_err(fault)?;
        let sound: String = self
            .new
            .query_row("SELECT integrity_check FROM pragma_integrity_check LIMIT 1", [], |row| row.get(0))
            .map_err(fault)?;
        if sound != "ok" {
            return Err(RedactError::NotReadable);
        }
        Ok(self.new.serialize(rusqlite::MAIN_DB).map_err(fault)?.to_vec())
    }

    /// Shows every text, and numbers that a column gives a meaning to.
    pub(super) fn read(&self, source: &Connection, teach: &mut Teach<'_>) -> Result<(), RedactError> {
        for table in &self.tables {
            let mut statement = source.prepare(&select(table)).map_err(fault)?;
            let mut rows = statement.query([]).map_err(fault)?;
            while let Some(row) = rows.next().map_err(fault)? {
                let old = read(row, table)?;
                for (place, cell) in old.iter().enumerate() {
                    let class = class(table, &old, place);
                    match cell {
                        Cell::Text(text) | Cell::Blob(text) => teach(text, class)?,
                        Cell::Integer(number) if matches!(class, Some(KeyClass::Phone | KeyClass::Device)) => {
                            teach(number.to_string().as_bytes(), class)?;
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes over the last numbers that were given to rows, unless the numbers are personal.
    fn sequences(&self, source: &Connection) -> Result<(), RedactError> {
        let has = |connection: &Connection| {
            let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'";
            connection.query_row(sql, [], |row| row.get::<_, bool>(0)).map_err(fault)
        };
        if !has(source)? || !has(&self.new)? {
            return Ok(());
        }
        for table in &self.tables {
            if table.columns.iter().any(|column| column.rowid && column.class.is_some()) {
                continue;
            }
            let mut statement = source
                .prepare("SELECT seq FROM sqlite_sequence WHERE name = ?1 AND typeof(seq) = 'integer'")
                .map_err(fault)?;
            let mut rows = statement.query([&table.old]).map_err(fault)?;
            if let Some(row) = rows.next().map_err(fault)? {
                let number: i64 = row.get(0).map_err(fault)?;
                let execute = |sql: &str| self.new.execute(sql, (&table.name, number)).map_err(fault);
                if execute("UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1")? == 0 {
                    execute("INSERT INTO sqlite_sequence(name, seq) VALUES(?1, ?2)")?;
                }
            }
        }
        Ok(())
    }
}

fn copy(
    source: &Connection,
    new: &Connection,
    table: &Table,
    cells: &mut Cells<'_>,
    leave_out: &mut LeaveOut<'_>,
) -> Result<(), RedactError> {
    let mut writer = Writer { table, statement: new.prepare(&insert(table)).map_err(fault)? };
    let mut emptied = vec![false; table.columns.len()];
    let mut statement = source.prepare(&select(table)).map_err(fault)?;
    let mut rows = statement.query([]).map_err(fault)?;
    while let Some(row) = rows.next().map_err(fault)? {
        let old = read(row, table)?;
        let mut replaced = Vec::with_capacity(old.len());
        for (place, (cell, column)) in old.iter().zip(&table.columns).enumerate() {
            let before = cells.emptied;
            replaced.push(cells.redact(cell, column, class(table, &old, place))?);
            emptied[place] |= cells.emptied > before;
        }
        writer.write(&old, replaced, cells)?;
    }
    for (column, _) in table.columns.iter().zip(&emptied).filter(|(_, emptied)| **emptied) {
        leave_out(&format!("{}.{}", table.old, column.old), Reason::NotReadable);
    }
    Ok(())
}

/// What the cell at `place` is: what its column says, or in a table of settings the row's key.
fn class(table: &Table, row: &[Cell], place: usize) -> Option<KeyClass> {
    let column = &table.columns[place];
    match table.settings {
        Some((key, value)) if value == place && column.class.is_none() => match &row[key] {
            Cell::Text(key) => key_class(key),
            _ => None,
        },
        _ => column.class,
    }
}

fn read(row: &Row<'_>, table: &Table) -> Result<Vec<Cell>, RedactError> {
    (0..table.columns.len()).map(|place| row.get_ref(place).map(Cell::from).map_err(fault)).collect()
}

fn select(table: &Table) -> String {
    let columns: Vec<_> = table.columns.iter().map(|column| quoted(&column.old)).collect();
    format!("SELECT {} FROM {} NOT INDEXED", columns.join(", "), quoted(&table.old))
}

fn insert(table: &Table) -> String {
    let columns: Vec<_> = table.columns.iter().map(|column| quoted(&column.name)).collect();
    let values = vec!["?"; columns.len()].join(", ");
    format!("INSERT INTO {}({}) VALUES({values})", quoted(&table.name), columns.join(", "))
}

/// Writes rows of one table.
struct Writer<'a> {
    table: &'a Table,
    statement: Statement<'a>,
}

impl Writer<'_> {
    /// Writes a row. Where its stand-ins break a rule of the table, others are tried; the row is never lost.
    fn write(
        &mut self,
        old: &[Cell],
        mut replaced: Vec<Option<Cell>>,
        cells: &mut Cells<'_>,
    ) -> Result<(), RedactError> {
        let mut steps = vec![0; replaced.len()];
        for _ in 0..TRIES {
            let row = old.iter().zip(&replaced).map(|(old, new)| new.as_ref().unwrap_or(old));
            let Err(error) = self.statement.execute(params_from_iter(row)) else { return Ok(()) };
            let rusqlite::Error::SqliteFailure(code, rule) = &error else { return Err(fault(error)) };
            let rule = rule.as_deref().unwrap_or_default();
            match code.extended_code {
                ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
                    self.number(rule, old, &mut replaced, cells)?;
                }
                ffi::SQLITE_CONSTRAINT_CHECK => self.weaken(rule, old, &mut replaced, &mut steps)?,
                _ => return Err(fault(error)),
            }
        }
        Err(RedactError::NotReadable)
    }

    /// Gives the first replaced cell of what is to be unique its next stand-in.
    fn number(
        &self,
        rule: &str,
        old: &[Cell],
        replaced: &mut [Option<Cell>],
        cells: &mut Cells<'_>,
    ) -> Result<(), RedactError> {
        // "UNIQUE constraint failed: table.column, table.other", or the name of an index over expressions.
        let columns = rule.split_once("failed: ").map_or(rule, |(_, columns)| columns);
        let named = |name: &str| columns.split(", ").any(|part| part == format!("{}.{name}", self.table.name));
        let any = self.table.columns.iter().any(|column| named(&column.name));
        for (place, column) in self.table.columns.iter().enumerate() {
            let Some(taken) = replaced[place].as_ref().filter(|_| !any || named(&column.name)) else { continue };
            if let Some(next) = cells.next(&old[place], taken, class(self.table, old, place)) {
                replaced[place] = Some(next);
                return Ok(());
            }
        }
        Err(RedactError::NotReadable)
    }

    /// Puts something weaker into the replaced cells that a rule speaks of: nothing at all, then a text of the same shape.
    fn weaken(
        &self,
        rule: &str,
        old: &[Cell],
        replaced: &mut [Option<Cell>],
        steps: &mut [u8],
    ) -> Result<(), RedactError> {
        // "CHECK constraint failed: length(pin) = 4", or the rule's name.
        let rule = rule.to_lowercase();
        let named = |name: &str| rule.contains(&name.to_lowercase());
        let any = self.table.columns.iter().zip(&*replaced).any(|(column, new)| new.is_some() && named(&column.name));
        let mut weaker = false;
        for (place, column) in self.table.columns.iter().enumerate() {
            if replaced[place].is_none() || any && !named(&column.name) {
                continue;
            }
            steps[place] += 1;
            let new = match (steps[place], &old[place]) {
                (1, _) if column.nullable => Cell::Null,
                (1 | 2, Cell::Text(text)) => Cell::Text(shape(text)),
                _ => continue,
            };
            steps[place] += u8::from(new != Cell::Null);
            (replaced[place], weaker) = (Some(new), true);
        }
        if weaker { Ok(()) } else { Err(RedactError::NotReadable) }
    }
}
