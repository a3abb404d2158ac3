//! What is known by its first bytes and never read: archives, other kinds of compression, files of other programs.

use super::document;

/// First bytes, what they stand for, and what to do about it.
const KINDS: [(&[u8], &str, &str); 12] = [
    (b"BZh", "compressed with bzip2", "unpack it with `bunzip2`"),
    (b"\xfd7zXZ\0", "compressed with xz", "unpack it with `unxz`"),
    (b"\x5d\0\0\x80\0", "compressed with lzma", "unpack it with `unlzma`"),
    (b"\x04\x22\x4d\x18", "compressed with lz4", "unpack it with `unlz4`"),
    (b"\x1f\x9d", "compressed with compress", "unpack it with `uncompress`"),
    (b"\xff\x06\0\0sNaPpY", "compressed with snappy", "unpack it with `snzip -d`"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it with `7z x`"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it with `unrar x`"),
    (b"PAR1", "a Parquet file", "write it as CSV or JSON Lines"),
    (b"Obj\x01", "an Avro file", "write it as CSV or JSON Lines"),
    (b"SQLite format 3\0", "an SQLite database", "write the table as CSV with `sqlite3 -header -csv`"),
    (b"%PDF-", "a PDF file", "export the table as CSV or as a workbook"),
];

/// Where the mark of a tar archive stands.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// Where, in the first part of a tar archive, that part's name ends at the latest.
const TAR_NAME: usize = 100;

/// What an input is and what to do about it, if it begins as something that is never read.
pub(crate) fn recognise(start: &[u8]) -> Option<String> {
    let told =
        |what: &str, do_this: &str| format!("{what}, which is not read; {do_this} and give what comes out of it");
    if start.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) && start[..TAR_NAME].contains(&0) {
        return Some(told("a tar archive", "unpack it with `tar -xf`"));
    }
    let kind = KINDS.iter().find(|(mark, ..)| start.starts_with(mark))?;
    // Text may begin with the letters of a mark; where it is no text, it goes on with other bytes.
    let is_text = start.iter().take(64).all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'));
    (!is_text || kind.0 == b"%PDF-").then(|| told(kind.1, kind.2))
}

/// What to say of templates.
pub(super) const TEMPLATE: &str = "a template of Resource Orchestration Service: it says which keys are to be made (ALIYUN::KMS::Key), not which there are; list the keys, such as with `aliyun kms ListKeys --PageSize 100`";

/// Whether a text, in YAML or JSON, is such a template.
pub(super) fn is_template(start: &[u8]) -> bool {
    const VERSION: &str = "ROSTemplateFormatVersion";
    let start = start.trim_ascii_start();
    let lines = || start.split(|byte| *byte == b'\n').take(50);
    document::top_members(start).iter().any(|(name, _)| name == VERSION)
        || !start.starts_with(b"{") && lines().any(|line| line.starts_with(VERSION.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_recognised_and_text_is_none() {
        for (start, says) in [
            (&b"BZh91AY&SY\x8e\x01"[..], "bunzip2"),
            (b"\xfd7zXZ\0\0\x04", "unxz"),
            (b"7z\xbc\xaf\x27\x1c\0\x04", "7z x"),
            (b"PAR1\x15\x04", "Parquet"),
            (b"%PDF-1.7\n", "PDF"),
        ] {
            assert!(recognise(start).is_some_and(|told| told.contains(says)), "{says}");
        }
        let mut tar = vec![0; 512];
        tar[..8].copy_from_slice(b"keys.csv");
        tar[257..262].copy_from_slice(b"ustar");
        assert!(recognise(&tar).is_some_and(|told| told.contains("tar -xf")));
        let mut text = vec![b'a'; 512];
        text[257..262].copy_from_slice(b"ustar");
        for start in [&b""[..], b"key_id", b"BZhard,key_id\nk,1\n", b"PAR1,key_id\n", &text] {
            assert_eq!(recognise(start), None);
        }
    }
}
