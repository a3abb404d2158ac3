//! A folder of the user's own cards, and of atoms declared from columns.
//!
//! The folder holds pages (`*.md`, as for built-in cards) and, if needed, `atoms.toml`:
//!
//! ```toml
//! [[atom]]
//! name = "marked-as-frozen"
//! doc = "The change calendar froze the key."
//! column = "freeze"
//! equals = ["yes", "frozen"]   # or: has = ["frozen"], for a cell that is a list
//! ```
//!
//! Each atom brings a fact of its own: known if the column's cell is, and never presumed.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::engine::facts::{Arity, AtomSpec, FactSpec, Settle, Text};

use super::page::{PageError, ParsedPage, parse};

/// What a user's folder adds to a rulebook.
#[derive(Debug, Clone, Default)]
pub struct UserRules {
    /// The cards.
    pub pages: Vec<ParsedPage>,
    /// Name and text of each page.
    pub texts: Vec<(String, String)>,
    /// One fact for each atom.
    pub facts: Vec<FactSpec>,
    /// The atoms.
    pub atoms: Vec<AtomSpec>,
    /// How each fact is read, in the order of `facts`.
    pub columns: Vec<ColumnTest>,
}

/// How a fact is read from a column.
#[derive(Debug, Clone)]
pub struct ColumnTest {
    /// The column, as the user wrote it.
    pub column: String,
    /// The values that make it true, in lower case.
    pub values: Vec<String>,
    /// Whether the cell is a list of which any element counts.
    pub list: bool,
}

impl ColumnTest {
    /// Whether a cell makes the fact true; the cell is not blank.
    pub fn holds(&self, cell: &str) -> bool {
        let matches = |text: &str| self.values.iter().any(|value| *value == text.trim().to_lowercase());
        if self.list { cell.split([';', ',', '|', '\u{1f}']).any(matches) } else { matches(cell) }
    }
}

/// Why a user's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UserRulesError {
    /// The folder or a file of it cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// What was read.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// `atoms.toml` is not as expected.
    #[error("{path}:\n{message}")]
    Atoms {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A page is not a page.
    #[error(transparent)]
    Page(#[from] PageError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AtomsFile {
    #[serde(default)]
    atom: Vec<DeclaredAtom>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeclaredAtom {
    name: String,
    doc: String,
    column: String,
    equals: Option<Vec<String>>,
    has: Option<Vec<String>>,
}

/// Reads a user's folder.
///
/// # Errors
/// The folder cannot be read, or a file in it is not as expected.
pub fn read(folder: &Path) -> Result<UserRules, UserRulesError> {
    let mut rules = UserRules::default();
    let entries = std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|source| unreadable(folder, source))?.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name == "atoms.toml" {
            declare(&mut rules, &path)?;
        } else if let Some(stem) = name.strip_suffix(".md").filter(|stem| *stem != "README") {
            let text = std::fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
            let page = parse(&path.display().to_string(), &text)?;
            check_id(&path, stem, &page)?;
            rules.pages.push(page);
            rules.texts.push((stem.to_owned(), text));
        }
    }
    Ok(rules)
}

fn unreadable(path: &Path, source: std::io::Error) -> UserRulesError {
    UserRulesError::Read { path: path.to_owned(), source }
}

fn check_id(path: &Path, stem: &str, page: &ParsedPage) -> Result<(), PageError> {
    if page.card.id == stem {
        return Ok(());
    }
    let message = format!("the id is `{}`, but the file is named `{stem}.md`; they must agree", page.card.id);
    Err(PageError::Shape { page: path.display().to_string(), message })
}

fn declare(rules: &mut UserRules, path: &Path) -> Result<(), UserRulesError> {
    let wrong = |message: String| UserRulesError::Atoms { path: path.to_owned(), message };
    let text = std::fs::read_to_string(path).map_err(|source| unreadable(path, source))?;
    let file: AtomsFile = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    for atom in file.atom {
        let (values, list) = match (atom.equals, atom.has) {
            (Some(values), None) => (values, false),
            (None, Some(values)) => (values, true),
            _ => {
                return Err(wrong(format!("atom `{}` needs either `equals` or `has`", atom.name)));
            }
        };
        let fact = format!("column:{}", atom.name);
        rules.facts.push(FactSpec {
            name: Cow::Owned(fact.clone()),
            label: Text { en: Cow::Owned(atom.doc.clone()), zh: Cow::Owned(atom.doc.clone()) },
            values: Cow::Borrowed(&["no", "yes"]),
            arity: Arity::One,
            presumption: None,
            settle: Settle { columns: Cow::Owned(atom.column.clone()), ..Settle::default() },
        });
        rules.atoms.push(AtomSpec {
            name: Cow::Owned(atom.name),
            doc: Cow::Owned(atom.doc),
            fact: Cow::Owned(fact),
            any_of: Cow::Borrowed(&["yes"]),
        });
        let values = values.into_iter().map(|value| value.trim().to_lowercase()).collect();
        rules.columns.push(ColumnTest { column: atom.column, values, list });
    }
    Ok(())
}
