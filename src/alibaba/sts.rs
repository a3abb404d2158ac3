//! Whose credentials are used: the API Sts, version 2015-04-01.
//!
//! Source: its reference of 2025-08-08, "GetCallerIdentity"; whoever has credentials may call it.

use serde_json::Value;

use super::call::{Api, CallError, Endpoint, Question};
use super::credentials::Credentials;
use crate::http::Limits;

/// The version of the API.
pub const VERSION: &str = "2015-04-01";

/// The endpoint for a region: those with an endpoint of their own for tickets are asked there, too.
pub fn host(region: &str) -> &'static str {
    match region {
        "ap-southeast-1" => "sts.ap-southeast-1.aliyuncs.com",
        "ap-northeast-1" => "sts.ap-northeast-1.aliyuncs.com",
        _ => "sts.aliyuncs.com",
    }
}

/// The API, called in one name.
#[derive(Debug)]
pub struct Sts(Api);

impl Sts {
    /// # Errors
    /// The certificates or the limits of this machine do not allow any call.
    pub fn new(endpoint: Endpoint, credentials: Credentials, limits: Limits) -> Result<Sts, CallError> {
        Api::new(endpoint, VERSION, credentials, limits).map(Sts)
    }

    /// The id of the account to which the credentials belong; nothing if the answer has none.
    ///
    /// # Errors
    /// The call fails.
    pub async fn account(&self) -> Result<Option<String>, CallError> {
        let answer = self.0.call(&Question { action: "GetCallerIdentity", ..Question::default() }).await?;
        let account = answer.get("AccountId").and_then(Value::as_str);
        Ok(account.filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned))
    }
}
