//! What is in this log? Its files, frames and operations as text, for people and for tests.
//!
//! It reads what [`replay`](super::replay()) reads and changes nothing; it goes on behind damage with the next file.

use std::{fmt::Write, path::Path};

use super::{Change, Operation, file::LogFile, list};
use crate::{
    disk::Store,
    error::Result,
    point::{Point, Vector},
};

/// Every file of the log in `dir`, every frame with its place, and every operation in words.
pub fn dump(store: &dyn Store, dir: &Path) -> Result<String> {
    let mut text = String::new();
    for number in list(store, dir)? {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{number:06}.wal");
        match LogFile::open(store, dir, number) {
            Ok(file) => dump_file(&mut text, &file)?,
            Err(error) => drop(writeln!(text, "  {error}")),
        }
    }
    Ok(text)
}

fn dump_file(text: &mut String, file: &LogFile) -> Result<()> {
    let end = file.walk(&mut |offset, frame| {
        let _ = writeln!(text, "  {offset}: record of {} bytes", frame.end - offset);
        match frame.operations() {
            Ok(operations) => operations.iter().for_each(|operation| dump_operation(text, operation)),
            Err(what) => drop(writeln!(text, "    {what}")),
        }
        Ok(())
    })?;
    let _ = match file.len() - end {
        0 => writeln!(text, "  {end}: end"),
        rest => writeln!(text, "  {end}: {rest} bytes that are no record"),
    };
    Ok(())
}

fn dump_operation(text: &mut String, Operation { lsn, changes }: &Operation) {
    let changes: Vec<_> = changes.iter().map(describe).collect();
    let _ = writeln!(
        text,
        "    lsn {lsn}: {}",
        if changes.is_empty() { "nothing".into() } else { changes.join(", ") }
    );
}

fn describe(change: &Change) -> String {
    match change {
        Change::Delete(id) => format!("delete {id}"),
        Change::Schema(_) => "schema".into(),
        Change::Upsert(Point { id, vectors, payload }) => {
            let mut text = format!("upsert {id}");
            for (name, Vector::Dense(values)) in vectors {
                let _ = write!(text, " {name:?} {values:?}");
            }
            match payload.is_empty() {
                true => text,
                false => format!("{text} {}", serde_json::Value::Object(payload.clone())),
            }
        }
    }
}
