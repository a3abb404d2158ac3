//! How much there is of the lists that replies are part of: pages that are missing, and what a complete list means for
//! keys that it does not name.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::engine::facts::Grade;

use super::row::{Note, NoteKind, Place};

/// What a list names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listed {
    /// The keys of an account and region (`ListKeys`).
    Keys,
    /// Aliases of an account and region (`ListAliases`), or of one key (`ListAliasesByKeyId`), which look alike.
    Aliases,
    /// The resources of an account (Resource Center, Cloud Config).
    Resources,
}

/// One reply that is a page of a list, or the whole list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Where the reply begins.
    pub place: Place,
    /// What it names.
    pub what: Listed,
    /// How many there are in all, if the reply says so (`TotalCount`).
    pub total: Option<u64>,
    /// Which page it is (`PageNumber`).
    pub page: Option<u64>,
    /// Whether the reply says that more follow (`NextToken`).
    pub more: bool,
    /// Account and region, by the ARN of its first element.
    pub scope: (String, String),
    /// The key, if all elements are about the same one.
    pub only_key: Option<String>,
    /// Its elements, by hash.
    pub items: Vec<u64>,
}

/// The pages of one list together.
#[derive(Debug, Default)]
struct Pages {
    place: Option<Place>,
    total: Option<u64>,
    items: HashSet<u64>,
    /// Whether the last page, by its own word, is not the last.
    more: bool,
    /// What each page with a number holds, by hash.
    numbered: BTreeMap<u64, u64>,
    /// Whether these are pages of different lists, or of one list that has changed.
    is_mixed: bool,
}

/// All lists, each with its pages.
#[derive(Debug, Default)]
pub(super) struct Lists {
    lists: BTreeMap<(Listed, String, String, Option<String>), Pages>,
}

impl Lists {
    pub(super) fn new(listings: &[Listing]) -> Lists {
        let scope = |listing: &Listing| (listing.what, listing.scope.clone(), listing.total);
        // The last page of a long list may hold elements of one key only.
        let long: BTreeSet<_> = listings.iter().filter(|listing| listing.only_key.is_none()).map(scope).collect();
        let mut lists: BTreeMap<_, Pages> = BTreeMap::new();
        for listing in listings {
            let only_key = listing.only_key.clone().filter(|_| !long.contains(&scope(listing)));
            let (account, region) = listing.scope.clone();
            let pages = lists.entry((listing.what, account, region, only_key)).or_default();
            pages.place.get_or_insert(listing.place);
            pages.is_mixed |= pages.total.is_some() && listing.total.is_some() && pages.total != listing.total;
            pages.is_mixed |= listing.total.is_some_and(|total| listing.items.len() as u64 > total);
            if let Some(number) = listing.page {
                let mut items = listing.items.clone();
                items.sort_unstable();
                items.dedup();
                let items = FixedState::default().hash_one(items);
                pages.is_mixed |= *pages.numbered.entry(number).or_insert(items) != items;
            }
            pages.total = pages.total.max(listing.total);
            let before = pages.items.len();
            pages.items.extend(&listing.items);
            pages.more = listing.more && (before == 0 || pages.items.len() > before);
        }
        Lists { lists }
    }

    /// How it is known that keys of an account and region that no alias names have none; nothing if it is not.
    pub(super) fn without_alias(&self, account: &str, region: &str) -> Option<Grade> {
        // A list of nobody knows which region says nothing of the keys of nobody knows which.
        if account.is_empty() || region.is_empty() {
            return None;
        }
        let pages = self.lists.get(&(Listed::Aliases, account.to_owned(), region.to_owned(), None))?;
        match pages.total {
            // More than there are have been put together from several lists, and page numbers that differ in what they
            // hold, too; nobody knows what is missing of each.
            Some(total) => (!pages.is_mixed && pages.items.len() as u64 == total).then_some(Grade::Measured),
            None => (!pages.more && !pages.is_mixed).then_some(Grade::Inferred),
        }
    }

    /// Whether a list of the aliases of an account and region, or of a key, lacks some, so that a key may have others
    /// than those that are here.
    pub(super) fn lacks_aliases(&self, account: &str, region: &str, key_id: &str) -> bool {
        let lacks = |only_key: Option<String>| {
            let list = (Listed::Aliases, account.to_owned(), region.to_owned(), only_key);
            self.lists.get(&list).is_some_and(|pages| {
                pages.is_mixed || pages.total.map_or(pages.more, |total| (pages.items.len() as u64) < total)
            })
        };
        lacks(None) || lacks(Some(key_id.to_owned()))
    }

    /// Whether any list of aliases lacks some.
    pub(super) fn lack_aliases(&self) -> bool {
        self.lists.iter().any(|((what, account, region, key), _)| {
            *what == Listed::Aliases && self.lacks_aliases(account, region, key.as_deref().unwrap_or_default())
        })
    }

    /// Whether any list of aliases may be complete.
    pub(super) fn has_aliases(&self) -> bool {
        self.lists.keys().any(|(what, _, _, only_key)| *what == Listed::Aliases && only_key.is_none())
    }

    /// The lists of which parts are missing.
    pub(super) fn notes(&self) -> impl Iterator<Item = Note> {
        self.lists.iter().filter_map(|((what, account, region, only_key), pages)| {
            let have = pages.items.len() as u64;
            let missing = pages.total.map_or(pages.more, |total| have < total);
            let place = pages.place.filter(|_| missing)?;
            let whose = match (account.as_str(), region.as_str()) {
                ("", "") => String::new(),
                (account, "") => format!(" of account {account}"),
                (account, region) => format!(" of account {account} in {region}"),
            };
            let of_key = only_key.as_ref().map(|key| format!(" of the key {key}")).unwrap_or_default();
            let (noun, next) = match what {
                Listed::Keys => ("keys", "list them with --PageSize 100 and every --PageNumber, or with --pager"),
                Listed::Aliases => {
                    ("aliases", "list them with --PageSize 100 and every --PageNumber, or with --pager; keys whose aliases are not here stay undetermined")
                }
                Listed::Resources => ("resources", "fetch the pages that follow by NextToken"),
            };
            let all = pages.total.map_or_else(|| "more".to_owned(), |total| total.to_string());
            let text = format!(
                "the inventory is incomplete: the list{whose}{of_key} has {all} {noun}, of which {have} are here; {next}"
            );
            Some(Note { place, kind: NoteKind::Incomplete, text })
        })
    }
}

/// The keys that one note is about: how many, and the first.
#[derive(Debug, Default)]
pub(super) struct Concerned {
    count: u64,
    first: Option<(Place, String)>,
}

impl Concerned {
    pub(super) fn add(&mut self, place: Option<Place>, key_id: &str) {
        self.count += 1;
        if self.first.is_none() {
            self.first = place.map(|place| (place, key_id.to_owned()));
        }
    }

    /// One note about all of them; `what` says what is known of them, `next` what to do.
    pub(super) fn note(self, what: &str, next: &str) -> Option<Note> {
        let (place, key_id) = self.first?;
        let count = self.count;
        let text = format!("the inventory is incomplete: {count} key(s) {what}, first {key_id}; {next}");
        Some(Note { place, kind: NoteKind::Incomplete, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(total: Option<u64>, only_key: Option<&str>, items: &[u64]) -> Listing {
        Listing {
            place: Place { file: 0, line: 1 },
            what: Listed::Aliases,
            total,
            page: None,
            more: false,
            scope: ("1".to_owned(), "cn-hangzhou".to_owned()),
            only_key: only_key.map(str::to_owned),
            items: items.to_vec(),
        }
    }

    fn grade(listings: &[Listing]) -> Option<Grade> {
        Lists::new(listings).without_alias("1", "cn-hangzhou")
    }

    #[test]
    fn only_a_list_of_all_aliases_tells_that_a_key_has_none() {
        assert_eq!(grade(&[listing(Some(2), None, &[1, 2])]), Some(Grade::Measured));
        assert_eq!(grade(&[listing(None, None, &[1, 2])]), Some(Grade::Inferred), "it does not say how many there are");
        assert_eq!(grade(&[listing(Some(3), None, &[1, 2])]), None, "a page is missing");
        assert_eq!(grade(&[listing(Some(3), None, &[1, 2]), listing(Some(3), Some("k"), &[3])]), Some(Grade::Measured));
        assert_eq!(grade(&[listing(Some(3), None, &[1, 2]), listing(Some(3), None, &[1, 2])]), None, "the same page");
        assert_eq!(grade(&[listing(Some(1), Some("k"), &[1])]), None, "perhaps the aliases of this key only");
        assert_eq!(Lists::new(&[listing(Some(2), None, &[1, 2])]).without_alias("1", "cn-beijing"), None);
    }

    #[test]
    fn a_list_of_which_a_page_is_missing_is_told() {
        let notes: Vec<Note> = Lists::new(&[listing(Some(23), None, &[1, 2])]).notes().collect();
        assert_eq!(notes.len(), 1);
        assert!(notes[0].text.contains("23 aliases, of which 2 are here"), "{}", notes[0].text);
        assert_eq!(Lists::new(&[listing(Some(2), None, &[1, 2])]).notes().count(), 0);
    }
}
