//! `mimelake schema`: the tables and columns, and where each comes from and goes to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use mimelake_schema::{ECS_VERSION, EventType, Field, FieldRow, Kind};
use serde::Serialize;

use crate::args::{SchemaArgs, SchemaFormat};
use crate::exit::Exit;

/// Runs the command.
pub fn run(args: &SchemaArgs) -> anyhow::Result<Exit> {
    let mut tables: Vec<EventType> = args.table.map_or_else(|| EventType::ALL.to_vec(), |table| vec![table]);
    tables.sort_by_key(|table| table.table());
    let text = match args.format {
        SchemaFormat::Text => text(&tables),
        SchemaFormat::Json => json(&tables)?,
        SchemaFormat::Markdown => markdown(&tables),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Catalogue {
    version: u32,
    ecs_version: &'static str,
    tables: BTreeMap<&'static str, Table>,
}

#[derive(Serialize)]
struct Table {
    doc: &'static str,
    columns: Vec<Column>,
}

#[derive(Serialize)]
struct Column {
    name: &'static str,
    #[serde(rename = "type")]
    type_name: &'static str,
    kv: &'static [&'static str],
    json2: &'static [&'static str],
    ecs: Vec<String>,
    doc: &'static str,
    /// Whether it holds any number of structs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    list: bool,
    /// Of a column that holds records: their members.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<Member>,
}

#[derive(Serialize)]
struct Member {
    name: &'static str,
    #[serde(rename = "type")]
    type_name: &'static str,
    doc: &'static str,
}

/// The ECS fields of a column: those of the table, or its place under `mimecast`.
fn ecs(row: &FieldRow) -> Vec<String> {
    match row.ecs {
        [] => vec![format!("mimecast.{}", row.column)],
        paths => paths.iter().map(ToString::to_string).collect(),
    }
}

fn member(field: Field) -> Member {
    let row = field.row();
    Member { name: row.column, type_name: row.kind.type_name(), doc: row.doc }
}

fn json(tables: &[EventType]) -> anyhow::Result<String> {
    let column = |field: &Field| {
        let row = field.row();
        let (name, type_name) = (row.column, row.kind.type_name());
        let list = matches!(row.kind, Kind::Structs(_));
        let members = row.kind.members().iter().copied().map(member).collect();
        Column { name, type_name, kv: row.kv, json2: row.json2, ecs: ecs(row), doc: row.doc, list, members }
    };
    let table = |t: &EventType| {
        (t.table(), Table { doc: t.row().doc, columns: t.columns().iter().map(column).collect() })
    };
    let catalogue =
        Catalogue { version: 1, ecs_version: ECS_VERSION, tables: tables.iter().map(table).collect() };
    Ok(serde_json::to_string_pretty(&catalogue)? + "\n")
}

fn text(tables: &[EventType]) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    for table in tables {
        _ = writeln!(out, "{}: {}", table.table(), table.row().doc);
        for field in table.columns() {
            let row = field.row();
            _ = writeln!(out, "  {:<34} {:<13} {}", row.column, row.kind.type_name(), row.doc);
            for Member { name, type_name, doc } in row.kind.members().iter().copied().map(member) {
                _ = writeln!(out, "    .{name:<31} {type_name:<13} {doc}");
            }
        }
        _ = writeln!(out);
    }
    out
}

fn markdown(tables: &[EventType]) -> String {
    let mut out = String::from("# Tables and columns\n\n");
    _ = writeln!(
        out,
        "Made by `mimelake schema --format markdown`; change the field table in `crates/schema` instead.\n\
         ECS paths are those of version {ECS_VERSION}."
    );
    for table in tables {
        _ = writeln!(out, "\n## {}\n\n{}\n", table.table(), table.row().doc);
        _ = writeln!(
            out,
            "| column | type | API 1.0 key | API 2.0 key | ECS | what it says |\n|---|---|---|---|---|---|"
        );
        for field in table.columns() {
            let row = field.row();
            let code = |names: &mut dyn Iterator<Item = String>| {
                names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            };
            let keys = |names: &[&str]| code(&mut names.iter().map(ToString::to_string));
            let (kv, json2, ecs) = (keys(row.kv), keys(row.json2), code(&mut ecs(row).into_iter()));
            let doc = row.doc.replace('<', "&lt;").replace('>', "&gt;");
            _ = writeln!(
                out,
                "| `{}` | {} | {kv} | {json2} | {ecs} | {doc} |",
                row.column,
                row.kind.type_name()
            );
            for Member { name, type_name, doc } in row.kind.members().iter().copied().map(member) {
                let doc = doc.replace('<', "&lt;").replace('>', "&gt;");
                _ = writeln!(out, "| `{}.{name}` | {type_name} | | | | {doc} |", row.column);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Run with `MIMELAKE_ACCEPT=1` to take over what the field table says now.
    #[test]
    fn the_docs_say_what_the_table_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/fields.md");
        let mut tables = EventType::ALL.to_vec();
        tables.sort_by_key(|table| table.table());
        let now = markdown(&tables);
        if std::env::var_os("MIMELAKE_ACCEPT").is_some() {
            std::fs::write(path, &now).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap_or_default() == now,
            "docs/fields.md is old: MIMELAKE_ACCEPT=1 cargo test"
        );
    }

    #[test]
    fn every_column_is_printed() {
        let (json, text) = (json(EventType::ALL).unwrap(), text(EventType::ALL));
        for field in Field::ALL.iter().filter(|f| **f != Field::Original) {
            assert!(json.contains(&format!("\"name\": \"{}\"", field.column())), "{field:?}");
            assert!(text.contains(field.column()), "{field:?}");
        }
    }
}
