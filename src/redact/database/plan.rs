//! What a database is made of, and the new one with the same schema and no rows.

use rusqlite::{Connection, OptionalExtension};

use super::sql::{self, Replace};
use super::{cell, damaged, fault, source};
use crate::redact::category::Category;
use crate::redact::error::RedactError;
use crate::redact::keys::{KeyClass, key_hash};
use crate::redact::rules::Rules;

/// The new database, and where its rows come from.
pub(super) struct Plan {
    pub(super) new: Connection,
    pub(super) tables: Vec<Table>,
    /// Full-text indexes that are made from another table.
    pub(super) indexes: Vec<Virtual>,
    /// Statements that come when the rows are there, with the names of what they make.
    pub(super) later: Vec<(String, String)>,
    /// Tables and other objects that are not taken over, or empty.
    pub(super) lost: Vec<String>,
}

/// A table whose rows are taken over.
pub(super) struct Table {
    /// Its name in the old database, and in the new one.
    pub(super) old: String,
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// In a table of settings, the places of key and value.
    pub(super) settings: Option<(usize, usize)>,
}

/// A column that is written.
pub(super) struct Column {
    pub(super) old: String,
    pub(super) name: String,
    pub(super) class: Option<KeyClass>,
    /// Its name says that it is a number people type in: a PIN.
    pub(super) pin: bool,
    /// It is the number of the row.
    pub(super) rowid: bool,
    pub(super) nullable: bool,
    /// Text may stand in it, whatever its type.
    pub(super) holds_text: bool,
}

/// A virtual table in the new database.
pub(super) struct Virtual {
    pub(super) old: String,
    pub(super) name: String,
}

struct Object {
    kind: String,
    name: String,
    table: String,
    is_virtual: bool,
    sql: String,
}

impl Plan {
    /// Makes the new database. `replace` redacts names, literals and comments of the schema, or only looks at them.
    pub(super) fn new(source: &Connection, rules: &Rules, replace: &mut Replace<'_>) -> Result<Self, RedactError> {
        let objects = objects(source)?;
        let new = source::empty_like(source)?;
        new.execute_batch("BEGIN").map_err(fault)?;
        let mut plan = Self { new, tables: Vec::new(), indexes: Vec::new(), later: Vec::new(), lost: Vec::new() };
        let is_table = |object: &&Object| object.kind == "table" && !object.is_virtual;
        let virtuals: Vec<&Object> = objects.iter().filter(|o| o.kind == "table" && o.is_virtual).collect();
        // What bears the name of a virtual table and more may be part of it, and is then made by it.
        let (parts, tables): (Vec<&Object>, Vec<&Object>) = objects.iter().filter(is_table).partition(|object| {
            virtuals.iter().any(|owner| {
                let rest = object.name.get(owner.name.len()..).unwrap_or_default();
                rest.starts_with('_') && object.name[..owner.name.len()].eq_ignore_ascii_case(&owner.name)
            })
        });
        for object in tables {
            plan.table(source, rules, object, replace)?;
        }
        let mut made = Vec::new();
        for object in virtuals {
            match plan.make(rules, object, replace)? {
                Some(name) => made.push(Virtual { old: object.name.clone(), name }),
                None => plan.lost.push(object.name.clone()),
            }
        }
        let mut contents = Vec::new();
        for object in parts {
            let owner = made.iter().find(|owner| object.name.starts_with(&format!("{}_", owner.old)));
            let part = owner.map(|owner| format!("{}{}", owner.name, &object.name[owner.old.len()..]));
            match part {
                Some(part) if plan.exists("table", &part)? => contents.push(object.name.clone()),
                _ => plan.table(source, rules, object, replace)?,
            }
        }
        for owner in made {
            plan.fill_virtual(source, rules, owner, &contents)?;
        }
        for object in objects.iter().filter(|object| object.kind != "table") {
            let unique = object.kind == "index" && object.sql.to_ascii_lowercase().starts_with("create unique");
            if !unique {
                let name = replace(&object.name, None)?.unwrap_or_else(|| object.name.clone());
                plan.later.push((name, rewritten(rules, object, replace)?));
            } else if plan.make(rules, object, replace)?.is_none() {
                plan.lost.push(object.name.clone());
            }
        }
        // Tables before indexes before views before triggers, whatever the order was.
        let rank = |sql: &str| ["create i", "create v", "create t"].iter().position(|kind| starts(sql, kind));
        plan.later.sort_by_key(|(_, sql)| rank(sql));
        plan.parents_first()?;
        Ok(plan)
    }

    fn table(
        &mut self,
        source: &Connection,
        rules: &Rules,
        object: &Object,
        replace: &mut Replace<'_>,
    ) -> Result<(), RedactError> {
        source::check(source, &object.name)?;
        let name = self.make(rules, object, replace)?.ok_or(RedactError::NotReadable)?;
        let (without_rowid, strict) = self
            .new
            .query_row("SELECT wr, strict FROM pragma_table_list(?1) WHERE schema = 'main'", [&name], |row| {
                Ok((row.get::<_, bool>(0)?, row.get::<_, bool>(1)?))
            })
            .map_err(fault)?;
        let old = infos(source, &object.name)?;
        let new = infos(&self.new, &name)?;
        if old.len() != new.len() || old.is_empty() {
            return Err(damaged());
        }
        let keys = new.iter().filter(|info| info.key > 0).count();
        let own_index = self
            .new
            .query_row("SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk'", [&name], |_| Ok(()))
            .optional()
            .map_err(fault)?;
        let alias = |info: &Info| {
            info.key > 0
                && keys == 1
                && !without_rowid
                && own_index.is_none()
                && info.kind.eq_ignore_ascii_case("integer")
        };
        let settings = settings(&old);
        let mut columns = Vec::with_capacity(new.len() + 1);
        if !without_rowid && !new.iter().any(alias) {
            // The number of the row, by the first of its words that is not the name of a column.
            let free = |word: &&&str| !old.iter().chain(&new).any(|info| info.name.eq_ignore_ascii_case(word));
            if let Some(word) = ["rowid", "_rowid_", "oid"].iter().find(free) {
                columns.push(Column::rowid(word, word));
            }
        }
        let mut places = Vec::new();
        for (old, new) in old.iter().zip(&new) {
            if new.hidden != 0 {
                places.push(None);
                continue; // computed from others
            }
            places.push(Some(columns.len()));
            let rowid = alias(new);
            columns.push(Column {
                old: old.name.clone(),
                name: new.name.clone(),
                class: cell::class_of(rules, &object.name, &old.name, settings.is_some()),
                pin: cell::is_pin(&old.name),
                rowid,
                nullable: !(new.not_null || rowid || (without_rowid || strict) && new.key > 0),
                holds_text: !rowid && (!strict || matches!(new.kind.to_ascii_uppercase().as_str(), "TEXT" | "ANY")),
            });
        }
        // A person's title is one; a meeting's is not.
        let named = |name: &str| old.iter().any(|info| key_hash(info.name.as_bytes()) == key_hash(name.as_bytes()));
        if (named("firstname") || named("givenname")) && rules.column(&object.name, "title").is_none() {
            for column in columns.iter_mut().filter(|column| column.old.eq_ignore_ascii_case("title")) {
                column.class.get_or_insert(KeyClass::Drop(Category::Title));
            }
        }
        let settings = settings.and_then(|(key, value)| Some((places[key]?, places[value]?)));
        self.tables.push(Table { old: object.name.clone(), name, columns, settings });
        Ok(())
    }

    /// Makes an object in the new database and gives its name there; `None` when SQLite cannot make it.
    fn make(&self, rules: &Rules, object: &Object, replace: &mut Replace<'_>) -> Result<Option<String>, RedactError> {
        let sql = rewritten(rules, object, replace)?;
        let name = replace(&object.name, None)?.unwrap_or_else(|| object.name.clone());
        match self.new.execute(&sql, []) {
            Ok(_) if self.exists(&object.kind, &name)? => Ok(Some(name)),
            Ok(_) => Err(damaged()),
            Err(_) => Ok(None),
        }
    }

    fn exists(&self, kind: &str, name: &str) -> Result<bool, RedactError> {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = ?1 AND name = ?2 COLLATE nocase";
        self.new.query_row(sql, [kind, name], |row| row.get::<_, bool>(0)).map_err(fault)
    }

    /// A full-text index that holds its texts is filled like a table; one over another table is made from that again.
    fn fill_virtual(
        &mut self,
        source: &Connection,
        rules: &Rules,
        owner: Virtual,
        parts: &[String],
    ) -> Result<(), RedactError> {
        let part = |ending: &str| self.exists("table", &format!("{}_{ending}", owner.name));
        if !part("segdir")? && !part("config")? {
            self.lost.push(owner.old);
            return Ok(());
        }
        let content = format!("{}_content", owner.old);
        if !part("content")? || !parts.contains(&content) {
            self.indexes.push(owner);
            return Ok(());
        }
        source::check(source, &content)?;
        let old = infos(source, &content)?;
        let new: Vec<Info> = infos(&self.new, &owner.name)?.into_iter().filter(|info| info.hidden == 0).collect();
        let Some((id, texts)) = old.split_first().filter(|(_, texts)| texts.len() >= new.len()) else {
            return Err(damaged());
        };
        let mut columns = vec![Column::rowid(&id.name, "rowid")];
        columns.extend(texts.iter().zip(&new).map(|(old, new)| Column {
            old: old.name.clone(),
            name: new.name.clone(),
            class: cell::class_of(rules, &owner.old, &new.name, false),
            pin: cell::is_pin(&new.name),
            rowid: false,
            nullable: true,
            holds_text: true,
        }));
        self.tables.push(Table { old: content, name: owner.name, columns, settings: None });
        Ok(())
    }

    /// Orders the tables so that one comes after those it refers to, as far as there is such an order.
    fn parents_first(&mut self) -> Result<(), RedactError> {
        let mut parents: Vec<Vec<String>> = Vec::new();
        for table in &self.tables {
            let mut statement =
                self.new.prepare("SELECT lower(\"table\") FROM pragma_foreign_key_list(?1)").map_err(fault)?;
            let rows = statement.query_map([&table.name], |row| row.get(0)).map_err(fault)?;
            parents.push(rows.collect::<Result<_, _>>().map_err(fault)?);
        }
        let names: Vec<String> = self.tables.iter().map(|table| table.name.to_ascii_lowercase()).collect();
        let mut depths = vec![0_u32; names.len()];
        // A chain longer than this, or a circle, ends somewhere.
        for _ in 0..names.len().min(64) {
            let before = depths.clone();
            for (place, parents) in parents.iter().enumerate() {
                let deepest =
                    names.iter().zip(&before).filter(|(name, _)| **name != names[place] && parents.contains(name));
                depths[place] = deepest.map(|(_, depth)| depth + 1).max().unwrap_or(0);
            }
            if depths == before {
                break;
            }
        }
        let mut order = depths.into_iter();
        self.tables.sort_by_cached_key(|_| order.next());
        Ok(())
    }
}

impl Column {
    fn rowid(old: &str, name: &str) -> Self {
        Self {
            old: old.to_owned(),
            name: name.to_owned(),
            class: None,
            pin: false,
            rowid: true,
            nullable: false,
            holds_text: false,
        }
    }
}

fn starts(sql: &str, with: &str) -> bool {
    sql.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
}

fn rewritten(rules: &Rules, object: &Object, replace: &mut Replace<'_>) -> Result<String, RedactError> {
    let class = |name: &str| cell::class_of(rules, &object.table, name, false);
    sql::rewrite(&object.sql, &class, replace)
}

/// Everything in the schema but what SQLite makes itself.
fn objects(source: &Connection) -> Result<Vec<Object>, RedactError> {
    let sql = "SELECT type, name, tbl_name, coalesce(rootpage, 0), sql FROM sqlite_schema ORDER BY rowid";
    let mut statement = source.prepare(sql).map_err(fault)?;
    let rows = statement.query_map([], |row| {
        let (kind, sql) = (row.get::<_, String>(0)?, row.get::<_, Option<String>>(4)?);
        let is_virtual = kind == "table" && row.get::<_, i64>(3)? == 0;
        Ok(Object { kind, name: row.get(1)?, table: row.get(2)?, is_virtual, sql: sql.unwrap_or_default() })
    });
    let mut objects = Vec::new();
    for object in rows.map_err(fault)? {
        let object = object.map_err(|_| damaged())?;
        if starts(&object.name, "sqlite_") {
            continue;
        }
        let makes = match object.kind.as_str() {
            "table" if object.is_virtual => starts(&object.sql, "create virtual table "),
            "table" => starts(&object.sql, "create table "),
            "index" => starts(&object.sql, "create index ") || starts(&object.sql, "create unique index "),
            "view" => starts(&object.sql, "create view "),
            "trigger" => starts(&object.sql, "create trigger "),
            _ => false,
        };
        if !makes {
            return Err(damaged());
        }
        objects.push(object);
    }
    Ok(objects)
}

struct Info {
    name: String,
    kind: String,
    not_null: bool,
    key: i64,
    hidden: i64,
}

fn infos(connection: &Connection, table: &str) -> Result<Vec<Info>, RedactError> {
    let sql = "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?1)";
    let mut statement = connection.prepare(sql).map_err(fault)?;
    let rows = statement.query_map([table], |row| {
        Ok(Info { name: row.get(0)?, kind: row.get(1)?, not_null: row.get(2)?, key: row.get(3)?, hidden: row.get(4)? })
    });
    rows.and_then(Iterator::collect).map_err(fault)
}

/// The places of key and value in a table of settings.
fn settings(columns: &[Info]) -> Option<(usize, usize)> {
    const KEYS: &[&str] = &[
        "key",
        "name",
        "option",
        "setting",
        "property",
        "param",
        "parameter",
        "attribute",
        "field",
        "variable",
        "k",
        "config_key",
        "option_name",
        "setting_name",
        "meta_key",
        "setting_key",
        "config_name",
        "attr",
    ];
    const VALUES: &[&str] = &[
        "value",
        "val",
        "v",
        "option_value",
        "setting_value",
        "config_value",
        "meta_value",
        "value_text",
        "data",
        "string_value",
        "text_value",
    ];
    let place = |names: &[&str]| {
        columns.iter().position(|column| names.iter().any(|name| column.name.eq_ignore_ascii_case(name)))
    };
    Some((place(KEYS)?, place(VALUES)?))
}
