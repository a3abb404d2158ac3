//! What the parts of the input are called: files, and the sheets of workbooks of which several are read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::row::{FileId, Place};

/// The names of all files, by their number; shared by those who read, who may enter further ones.
#[derive(Debug, Clone, Default)]
pub struct FileNames(Arc<Mutex<Vec<String>>>);

impl FileNames {
    /// The names of the inputs.
    pub fn new(names: Vec<String>) -> FileNames {
        FileNames(Arc::new(Mutex::new(names)))
    }

    /// Enters a part of a file that counts as a file of its own, and tells its number.
    pub fn enter(&self, name: String) -> FileId {
        let mut names = self.names();
        names.push(name);
        (names.len() - 1) as FileId
    }

    /// All names so far, by number.
    pub fn all(&self) -> Vec<String> {
        self.names().clone()
    }

    /// A place for people.
    pub fn show(&self, place: Place, show: impl Fn(&[String], Place) -> String) -> String {
        show(&self.names(), place)
    }

    /// Nobody leaves the list half changed.
    fn names(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_files_are_numbered_behind_the_files() {
        let files = FileNames::new(vec!["a.xlsx".to_owned(), "b.csv".to_owned()]);
        let shared = files.clone();
        assert_eq!((shared.enter("a.xlsx (sheet 1)".to_owned()), shared.enter("a.xlsx (sheet 2)".to_owned())), (2, 3));
        assert_eq!(files.all().len(), 4);
        assert_eq!(files.show(Place { file: 3, line: 7 }, |names, place| place.show(names)), "a.xlsx (sheet 2):7");
    }
}
