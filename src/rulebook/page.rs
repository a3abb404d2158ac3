//! A page: data block, prose in both languages, examples.

use super::card::{Bilingual, Card};

/// A page taken apart.
#[derive(Debug, Clone)]
pub struct ParsedPage {
    /// The data block.
    pub card: Card,
    /// The heading of the prose.
    pub heading: String,
    /// The explanation for the owner of the subject, without headings.
    pub prose: Bilingual,
    /// The CSV of the examples, or nothing.
    pub examples: String,
    /// The line of the page on which the examples begin, from 1.
    pub examples_line: u64,
}

/// Why a page cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The page does not open with a data block.
    #[error("{page}, line 1: expected the page to open with a line ```toml; see src/rulebook/README.md")]
    NoDataBlock {
        /// The page.
        page: String,
    },
    /// A fence is not closed.
    #[error("{page}, line {line}: this block is never closed; end it with a line ```")]
    OpenFence {
        /// The page.
        page: String,
        /// Where the fence opens, from 1.
        line: u64,
    },
    /// The data block does not hold a card.
    #[error("{page}, in its toml block (line 1 of the block is line 2 of the page):\n{message}")]
    Card {
        /// The page.
        page: String,
        /// What is wrong, with line, column and candidates.
        message: String,
    },
    /// A part is missing or stands in the wrong place.
    #[error("{page}: {message}")]
    Shape {
        /// The page.
        page: String,
        /// What is wrong and what was expected.
        message: String,
    },
}

/// Takes a page apart. `name` is for messages.
///
/// # Errors
/// The page lacks a part, or its data block is not a card.
pub fn parse(name: &str, text: &str) -> Result<ParsedPage, PageError> {
    let text = text.replace("\r\n", "\n");
    let rest = text.strip_prefix("```toml\n").ok_or_else(|| PageError::NoDataBlock { page: name.to_owned() })?;
    let (toml, body) =
        rest.split_once("\n```\n").ok_or_else(|| PageError::OpenFence { page: name.to_owned(), line: 1 })?;
    let card: Card =
        toml::from_str(toml).map_err(|error| PageError::Card { page: name.to_owned(), message: error.to_string() })?;
    let body_line = 3 + toml.lines().count() as u64;
    let (prose, examples, examples_line) = split_examples(name, body, body_line)?;
    let (english, chinese) = prose.split_once("\n## 中文\n").ok_or_else(|| {
        let message = "the prose has no part `## 中文` after the English one".to_owned();
        PageError::Shape { page: name.to_owned(), message }
    })?;
    let english = english.trim();
    let (heading, en) = english.split_once('\n').unwrap_or((english, ""));
    let heading = heading.strip_prefix("# ").ok_or_else(|| {
        let message = format!("the prose must open with `# {}`", card.title.en);
        PageError::Shape { page: name.to_owned(), message }
    })?;
    Ok(ParsedPage {
        heading: heading.trim().to_owned(),
        prose: Bilingual { en: en.trim().to_owned(), zh: chinese.trim().to_owned() },
        card,
        examples,
        examples_line,
    })
}

/// Splits the closing block of examples from the prose before it.
fn split_examples<'t>(name: &str, body: &'t str, body_line: u64) -> Result<(&'t str, String, u64), PageError> {
    let Some((prose, rest)) = body.split_once("\n```csv\n") else {
        return Ok((body, String::new(), 0));
    };
    let line = body_line + prose.lines().count() as u64 + 1;
    let closed = rest.split_once("\n```").ok_or(PageError::OpenFence { page: name.to_owned(), line })?;
    if !closed.1.trim().is_empty() {
        let message = "nothing may follow the examples".to_owned();
        return Err(PageError::Shape { page: name.to_owned(), message });
    }
    Ok((prose, format!("{}\n", closed.0), line + 1))
}
