//! Which key a record is about: key id, account and region, from columns or from an ARN.

use crate::domains::cell::is_damaged_number;

use super::tidy::{self, Scope, bare};

/// Longer ids than this are no key ids; in bytes.
const MAX_ID: usize = 512;

/// A key's identity as one record gives it; account and region may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Identity<'a> {
    /// The key id.
    pub key_id: &'a str,
    /// The account, or nothing.
    pub account_id: &'a str,
    /// The region, or nothing.
    pub region: &'a str,
}

/// Takes an ARN of a key apart: `acs:kms:<region>:<account>:key/<id>`
/// (KMS API 2016-01-20, `KeyArn` of `ListKeys`).
pub fn parse_arn(arn: &str) -> Option<Identity<'_>> {
    let (region, account_id, resource) = arn_parts(arn)?;
    let key_id = resource.strip_prefix("key/").filter(|key_id| !key_id.is_empty())?;
    Some(Identity { key_id, account_id, region })
}

/// Region, account and resource of an ARN of KMS: `acs:kms:<region>:<account>:<resource>`.
pub fn arn_parts(arn: &str) -> Option<(&str, &str, &str)> {
    const START: &str = "acs:kms:";
    let rest =
        arn.get(START.len()..).filter(|_| arn.as_bytes()[..START.len()].eq_ignore_ascii_case(START.as_bytes()))?;
    let mut parts = rest.splitn(3, ':');
    Some((parts.next()?, parts.next()?, parts.next()?))
}

/// What stands in the four identifying columns of a record; nothing where a column is missing or blank.
#[derive(Debug, Clone, Copy, Default)]
pub struct IdentityCells<'a> {
    /// `key_id`.
    pub key_id: &'a str,
    /// `arn`.
    pub arn: &'a str,
    /// `account_id`.
    pub account_id: &'a str,
    /// `region`.
    pub region: &'a str,
}

impl<'a> IdentityCells<'a> {
    /// The identity, if the columns give one and agree.
    ///
    /// # Errors
    /// The column to blame, what stands there, and why it cannot be.
    pub fn identity(self) -> Result<Identity<'a>, (&'static str, &'a str, String)> {
        let key_id = bare(self.key_id);
        let mut identity = Identity { key_id, account_id: self.account_id, region: self.region };
        if key_id.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("acs:")) {
            let named = parse_arn(key_id).ok_or_else(|| not_an_arn("key_id", self.key_id))?;
            identity.key_id = named.key_id;
            agree(&mut identity, named, "key_id", self.key_id)?;
        }
        if !self.arn.is_empty() {
            let named = parse_arn(bare(self.arn)).ok_or_else(|| not_an_arn("arn", self.arn))?;
            agree(&mut identity, named, "arn", self.arn)?;
        }
        if identity.key_id.is_empty() {
            return Err(("key_id", "", "the record names no key; fill in key_id or arn".to_owned()));
        }
        if tidy::is_nothing_but_mask(identity.key_id) {
            return Err(("key_id", identity.key_id, "not a key id; export the ids in full".to_owned()));
        }
        if identity.key_id.len() > MAX_ID {
            return Err(("key_id", identity.key_id, format!("longer than {MAX_ID} bytes, so no key id")));
        }
        Ok(identity)
    }
}

/// Whether a spreadsheet has taken digits from the account id: it is shown as `1.54036E+15`, or ends in 0 where an ARN of
/// the record says otherwise. No verdict needs the account. What is left of it must not contradict the ARN.
pub fn is_account_damaged(cells: &IdentityCells<'_>) -> bool {
    let account = cells.account_id;
    let is_shortened = is_damaged_number(account);
    if !is_shortened && !may_be_rounded(account) {
        return false;
    }
    let mut named = [cells.arn, cells.key_id].into_iter().filter_map(arn_parts).map(|(_, named, _)| named);
    if is_shortened {
        named.all(|named| shortened_like(account, named).is_none_or(|shortened| shortened == account.replace(',', ".")))
    } else {
        let kept = |text: &'_ str| text.get(..KEPT_DIGITS).map(str::to_owned);
        named.any(|named| named != account && named.len() == account.len() && kept(named) == kept(account))
    }
}

/// How a number would be shown with as many digits as one that is shown.
fn shortened_like(shown: &str, whole: &str) -> Option<String> {
    let digits = shown.split(['E', 'e']).next()?.len().saturating_sub(2);
    let number: f64 = whole.parse().ok()?;
    Some(format!("{number:.digits$e}").replace('e', "E+"))
}

/// Whether a spreadsheet may have written 0 for the last digit of an account id: it keeps 15, and account ids have 16.
pub fn may_be_rounded(account: &str) -> bool {
    account.len() == KEPT_DIGITS + 1 && account.ends_with('0') && account.bytes().all(|byte| byte.is_ascii_digit())
}

/// So many digits of a number are kept by spreadsheets.
const KEPT_DIGITS: usize = 15;

fn not_an_arn<'a>(column: &'static str, value: &'a str) -> (&'static str, &'a str, String) {
    (column, value, "not the ARN of a key; expected acs:kms:<region>:<account>:key/<id>".to_owned())
}

/// Fills what is missing from an ARN; what is there must agree with it.
fn agree<'a>(
    identity: &mut Identity<'a>,
    named: Identity<'a>,
    column: &'static str,
    value: &'a str,
) -> Result<(), (&'static str, &'a str, String)> {
    let pairs = [
        ("key_id", &mut identity.key_id, named.key_id),
        ("account_id", &mut identity.account_id, named.account_id),
        ("region", &mut identity.region, named.region),
    ];
    for (name, have, arn) in pairs {
        if have.is_empty() {
            *have = arn;
        } else if !arn.is_empty() && *have != arn && !is_same(name, have, arn) {
            return Err((column, value, format!("the ARN says `{arn}`, but {name} is `{have}`; they must agree")));
        }
    }
    Ok(())
}

/// Whether two texts are spellings of one id, account or region, or one of them tells of none.
fn is_same(name: &str, a: &str, b: &str) -> bool {
    let scope = match name {
        "key_id" => return tidy::key_id(a).is_ok_and(|id| tidy::key_id(b) == Ok(id)),
        "region" => tidy::region,
        _ => tidy::account_id,
    };
    matches!(scope(a), Scope::Unclear(_)) || scope(a) == scope(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "acs:kms:cn-hangzhou:1234567890123456:key/0f5a1c1e";

    #[test]
    fn an_arn_gives_account_region_and_id_in_either_column() {
        let expected = Identity { key_id: "0f5a1c1e", account_id: "1234567890123456", region: "cn-hangzhou" };
        for cells in [
            IdentityCells { arn: ARN, ..IdentityCells::default() },
            IdentityCells { key_id: ARN, ..IdentityCells::default() },
            IdentityCells { key_id: "0f5a1c1e", arn: ARN, account_id: "1234567890123456", region: "" },
        ] {
            assert_eq!(cells.identity(), Ok(expected));
        }
    }

    #[test]
    fn an_account_that_a_spreadsheet_has_shortened_is_known() {
        let is_damaged =
            |account_id, arn| is_account_damaged(&IdentityCells { key_id: "k", account_id, arn, region: "" });
        for shortened in ["1.54036E+15", "1,54036E+15", "2E+15"] {
            assert!(is_damaged(shortened, ""), "{shortened}");
        }
        for whole in ["1540361234567890", "", "E", "1E", "E+15", "12E5a", "team-1e5"] {
            assert!(!is_damaged(whole, "") && !is_damaged(whole, ARN), "{whole}");
        }
        assert!(is_damaged("1.23457E+15", ARN) && is_damaged("1,23457E+15", ARN) && !is_damaged("1.54036E+15", ARN));
        assert!(is_damaged("1234567890123450", ARN), "the ARN says 6 where the account says 0");
        assert!(!is_damaged("1234567890123456", ARN) && !is_damaged("1234567890123457", ARN));
    }

    #[test]
    fn a_masked_id_is_an_id_if_anything_of_it_is_left() {
        let id = |key_id| IdentityCells { key_id, ..IdentityCells::default() }.identity();
        assert!(id("key-hzz****1234").is_ok() && id("acs:kms:cn-hangzhou:1:key/0f5a****").is_ok());
        assert!(id("****").is_err() && id("--").is_err());
    }

    #[test]
    fn columns_that_contradict_the_arn_are_refused() {
        let cells = IdentityCells { key_id: "another", arn: ARN, ..IdentityCells::default() };
        assert_eq!(cells.identity().unwrap_err().0, "arn");
        let alias = IdentityCells { arn: "acs:kms:cn-hangzhou:1:alias/orders", ..IdentityCells::default() };
        assert!(alias.identity().is_err());
        assert!(IdentityCells::default().identity().is_err());
    }
}
