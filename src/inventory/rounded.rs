//! Account ids of which spreadsheets have written the last digit as 0.

use super::identity::may_be_rounded;
use super::row::{Note, NoteKind};
use super::store::Store;

/// Makes all accounts unknown if spreadsheets have rounded them: of two or more that differ, all end in 0.
pub fn forget_rounded(store: &Store, accounts: &mut [String]) -> Option<Note> {
    let named = || accounts.iter().filter(|account| !account.is_empty());
    if named().count() < 2 || !named().all(|account| may_be_rounded(account)) {
        return None;
    }
    let place =
        store.first_of_account(|account| accounts.get(account as usize).is_some_and(|name| !name.is_empty()))?;
    let count = named().count();
    accounts.iter_mut().for_each(String::clear);
    let text = format!(
        "all {count} account ids end in 0, as spreadsheets write numbers of more than 15 digits, and count as unknown; format the column as text, enter them again and export again"
    );
    Some(Note { place, kind: NoteKind::Reading, text })
}
