//! `rules new`: a page to fill in, and its line in the list.

use std::path::{Path, PathBuf};

use super::lint::is_kebab;

/// The page that a new card starts from.
const TEMPLATE: &str = include_str!("template.md");

/// Why a page cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// The id is not usable.
    #[error("`{0}` cannot be an id; use kebab-case, naming the state found, such as `rotation-on`")]
    Id(String),
    /// There is a page of that name.
    #[error("{0} exists already; ids are for ever, choose another")]
    Exists(PathBuf),
    /// The list of pages has not the expected shape.
    #[error(
        "{0} has no line `crate::rules! {{`; run the command in the root of the source tree, or name it with --root"
    )]
    List(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {source}; run the command in the root of the source tree, or name it with --root")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Writes the page `id` of a domain under the source tree `root` and enters it in the list. Returns
/// the page's path.
///
/// # Errors
/// The id is not usable or taken, or the tree cannot be written.
pub fn start_page(root: &Path, domain: &str, edition: &str, id: &str) -> Result<PathBuf, ScaffoldError> {
    if !is_kebab(id) {
        return Err(ScaffoldError::Id(id.to_owned()));
    }
    let folder = root.join("src/domains").join(domain);
    let (list, page) = (folder.join("rules.rs"), folder.join("rules").join(format!("{id}.md")));
    if page.exists() {
        return Err(ScaffoldError::Exists(page));
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ScaffoldError::File { path, source }
    };
    let text = std::fs::read_to_string(&list).map_err(failed(&list))?;
    let entered = enter(&text, id).ok_or_else(|| ScaffoldError::List(list.clone()))?;
    let filled = TEMPLATE.replace("{id}", id).replace("{edition}", edition);
    std::fs::write(&page, filled).map_err(failed(&page))?;
    std::fs::write(&list, entered).map_err(failed(&list))?;
    Ok(page)
}

/// The list with one more line, in alphabetical order.
fn enter(list: &str, id: &str) -> Option<String> {
    let (head, rest) = list.split_once("crate::rules! {\n")?;
    let (body, tail) = rest.split_once("\n}")?;
    let mut lines: Vec<String> = body.lines().map(str::to_owned).collect();
    lines.push(format!("    \"{id}\","));
    lines.sort();
    Some(format!("{head}crate::rules! {{\n{}\n}}{tail}", lines.join("\n")))
}
