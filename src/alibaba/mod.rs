//! Calls of Alibaba Cloud: [`credentials`] finds keys, [`sign`] signs requests, [`call`] makes one call of an API in RPC
//! style, [`workorder`] is the API for tickets of technical support, [`sts`] that which tells whose credentials they are.
//!
//! Nothing here judges or retries; whoever calls is told whether a call that failed may have happened.

pub mod call;
pub mod credentials;
pub mod sign;
pub mod sts;
#[cfg(test)]
mod tests;
pub mod workorder;

pub use call::{Api, CallError, Endpoint};
pub use credentials::{Credentials, CredentialsError};
