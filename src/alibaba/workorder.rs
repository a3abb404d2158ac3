//! Tickets of technical support: the API Workorder, version 2021-06-10.
//!
//! Source: its reference of 2026-03-30, and alibabacloud-workorder20210610 1.0.2 for where each parameter stands.

use serde_json::Value;

use super::call::{Api, CallError, Endpoint, Question};
use super::credentials::Credentials;
use crate::http::Limits;

/// The version of the API.
pub const VERSION: &str = "2021-06-10";

/// The endpoint for a region: two have their own, all others share the central one.
pub fn host(region: &str) -> &'static str {
    match region {
        "ap-southeast-1" => "workorder.ap-southeast-1.aliyuncs.com",
        "ap-northeast-1" => "workorder.ap-northeast-1.aliyuncs.com",
        _ => "workorder.aliyuncs.com",
    }
}

/// The API, called in one name.
#[derive(Debug)]
pub struct Workorder(Api);

/// Something that has an id and a name: a product, a category, or a ticket with its title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The id.
    pub id: String,
    /// The name or title.
    pub name: String,
}

impl Workorder {
    /// # Errors
    /// The certificates or the limits of this machine do not allow any call.
    pub fn new(endpoint: Endpoint, credentials: Credentials, limits: Limits) -> Result<Workorder, CallError> {
        Api::new(endpoint, VERSION, credentials, limits).map(Workorder)
    }

    /// The products whose names contain a text; the language is `en`, `zh` or `jp`.
    ///
    /// # Errors
    /// The call fails.
    pub async fn products(&self, name: &str, language: &str) -> Result<Vec<Named>, CallError> {
        let query = pairs(&[("Name", name), ("Language", language)]);
        let answer = self.0.call(&Question { action: "ListProducts", query, form: Vec::new() }).await?;
        let directories = list(&answer, "Data");
        Ok(directories
            .iter()
            .flat_map(|directory| named(list(directory, "ProductList"), "ProductId", "ProductName"))
            .collect())
    }

    /// The categories of questions about a product.
    ///
    /// # Errors
    /// The call fails.
    pub async fn categories(&self, product_id: &str, language: &str) -> Result<Vec<Named>, CallError> {
        let (query, form) = (pairs(&[("Language", language)]), pairs(&[("ProductId", product_id)]));
        let answer = self.0.call(&Question { action: "ListCategories", query, form }).await?;
        Ok(named(list(&answer, "Data"), "CategoryId", "CategoryName"))
    }

    /// Creates a ticket and gives its id. The parameters are `CategoryId`, `Description`, `Severity` (1 normal, 2 urgent),
    /// and optional ones such as `Title` and `Email`.
    ///
    /// # Errors
    /// The call fails; it may have happened.
    pub async fn create_ticket(&self, parameters: &[(String, String)]) -> Result<Option<String>, CallError> {
        let question = Question { action: "CreateTicket", query: Vec::new(), form: parameters.to_vec() };
        let answer = self.0.call(&question).await?;
        Ok(text(&answer, "Data").filter(|id| !id.is_empty()))
    }

    /// The tickets whose description contains a keyword, by a search that is called fuzzy; [`MOST_FOUND`] a page, the first of
    /// which is 1. Nothing if what came is no list of tickets, which does not mean that there are none.
    ///
    /// # Errors
    /// The call fails.
    pub async fn tickets(&self, keyword: &str, page: u32) -> Result<Option<Vec<Named>>, CallError> {
        let query = pairs(&[("PageNumber", &page.to_string()), ("PageSize", &MOST_FOUND.to_string())]);
        let answer =
            self.0.call(&Question { action: "ListTickets", query, form: pairs(&[("Keyword", keyword)]) }).await?;
        let Some(rows) = answer.get("Data").and_then(Value::as_array) else { return Ok(None) };
        let found = named(rows, "TicketId", "Title");
        Ok((found.len() == rows.len()).then_some(found))
    }
}

/// A page of a search has no more tickets.
pub const MOST_FOUND: usize = 50;

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value.get(member).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn named(values: &[Value], id: &str, name: &str) -> Vec<Named> {
    let named = |value| Some(Named { id: text(value, id)?, name: text(value, name).unwrap_or_default() });
    values.iter().filter_map(named).collect()
}

/// Ids come as numbers or as texts.
fn text(value: &Value, member: &str) -> Option<String> {
    match value.get(member)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
