//! The command `schema`: JSON Schemas of what is read and written.

use crate::plan::model;
use crate::rulebook::compile::nearest;
use crate::write::schema::{self, Named};

use super::args;
use super::exit::Exit;
use super::output::{Ink, write_to};
use super::run::Failure;

fn all() -> impl Iterator<Item = &'static Named> {
    schema::ALL.iter().chain([&model::SCHEMA])
}

/// `schema`.
pub(super) fn schema(command: &args::Schema) -> Result<Exit, Failure> {
    let text = match &command.name {
        None => list(),
        Some(name) => {
            let names: Vec<&str> = all().map(|named| named.name).collect();
            let named = all().find(|named| named.name == name);
            let named = named
                .ok_or_else(|| Failure::Usage(format!("there is no schema `{name}`; {}", nearest(name, &names))))?;
            format!("{:#}\n", named.schema())
        }
    };
    write_to(None, Ink::Data, |out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Done)
}

/// The names, with what each schema describes.
fn list() -> String {
    let width = all().map(|named| named.name.len()).max().unwrap_or(0);
    all().map(|named| format!("{:<width$}  {}\n", named.name, named.about)).collect()
}
