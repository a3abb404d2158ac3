//! The texts that cells name by number.

/// Texts one behind the other, for there may be millions. All that is unpacked is shorter than 4 GiB.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    /// The text of a number, from 0.
    pub(super) fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.all.get(start as usize..end as usize)
    }

    /// Adds what is written.
    pub(super) fn add<E>(&mut self, write: impl FnOnce(&mut String) -> Result<(), E>) -> Result<(), E> {
        write(&mut self.all)?;
        self.ends.push(self.all.len() as u32);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn of(texts: &[&str]) -> Texts {
        let ends = texts.iter().scan(0, |end, text| {
            *end += text.len() as u32;
            Some(*end)
        });
        Texts { all: texts.concat(), ends: ends.collect() }
    }
}
