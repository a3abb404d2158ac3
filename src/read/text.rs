//! What the bytes of a text say: its encoding, found by a mark, by zeros or by the first bytes that are not ASCII.
//!
//! Text that is ASCII or UTF-8 passes untouched; any other is decoded. What cannot be decoded becomes U+FFFD, for which
//! `sieve` looks.

use std::io::{Cursor, Read};
use std::sync::{Arc, OnceLock};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Decoder, EUC_JP, EUC_KR, Encoding, GBK, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

use super::ReadError;
use super::asian;
use super::detect::fill;
use crate::inventory::row::{FileId, Note, NoteKind, Place};

/// How many bytes from the first that is not ASCII are looked at to find the encoding.
const SAMPLE: usize = 1 << 16;

/// How many bytes are decoded at a time.
const STEP: usize = 1 << 15;

/// What stands where something could not be decoded.
pub(super) const REPLACEMENT: char = '\u{fffd}';

/// Encodings that people name, for messages; in lower case.
const NAMED: [&str; 14] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "gb18030",
    "gbk",
    "big5",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1254",
    "koi8-r",
];

/// The encoding of a name (a label of the WHATWG Encoding Standard).
///
/// # Errors
/// There is none; the names that are likely meant.
pub fn encoding(label: &str) -> Result<&'static Encoding, &'static [&'static str]> {
    // One label means bytes that nobody has agreed upon.
    let known = Encoding::for_label_no_replacement(label.as_bytes()).filter(|known| known.name() != "x-user-defined");
    known.ok_or(&NAMED)
}

/// How the encoding was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Mark,
    Bytes,
    Option,
}

/// A text as a whole, in the encoding that is named or found.
///
/// # Errors
/// It is no text in that encoding, as a clause.
pub fn whole(bytes: Vec<u8>, named: Option<&'static Encoding>) -> Result<String, String> {
    let (mut text, found) = Text::new(bytes, Box::new(std::io::empty()), named)?;
    let mut read = Vec::new();
    text.read_to_end(&mut read).map_err(|error| error.to_string())?;
    let told = || found.told().unwrap_or_else(|| "it is not valid UTF-8".to_owned());
    let read = String::from_utf8(read).map_err(|_| told())?;
    match found.encoding().is_some() && read.contains(REPLACEMENT) {
        true => Err(format!("{}, and not all of it can be", told())),
        false => Ok(read),
    }
}

/// What was found out about the encoding of an input; filled in while it is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Found(Arc<OnceLock<(&'static Encoding, By)>>);

impl Found {
    /// The encoding, if the text is decoded.
    pub(super) fn encoding(&self) -> Option<&'static Encoding> {
        self.0.get().map(|(encoding, _)| *encoding)
    }

    /// What to know about it, if the text is decoded.
    pub(super) fn note(&self, file: FileId) -> Option<Note> {
        Some(Note { place: Place { file, line: 0 }, kind: NoteKind::Reading, text: self.told()? })
    }

    fn told(&self) -> Option<String> {
        let (encoding, by) = self.0.get()?;
        let how = match by {
            By::Mark => "by its byte order mark",
            By::Option => "as --input-encoding asks for",
            By::Bytes => "found by its bytes; if that is wrong, name the encoding with --input-encoding",
        };
        Some(format!("read as {}, {how}", encoding.name()))
    }

    /// What is wrong with content may come of how it was decoded.
    pub(super) fn explain(&self, error: ReadError) -> ReadError {
        match (error, self.told()) {
            (ReadError::Content { name, line, message }, Some(told)) => {
                ReadError::Content { name, line, message: format!("{message} ({told})") }
            }
            (error, _) => error,
        }
    }

    fn set(&self, encoding: &'static Encoding, by: By) {
        // It is found once for each input.
        let _ = self.0.set((encoding, by));
    }
}

/// The text of an input as UTF-8, as far as it is text.
pub(super) struct Text {
    inner: std::io::Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>,
    state: State,
    found: Found,
}

enum State {
    /// Nothing but ASCII until now.
    Ascii,
    /// UTF-8, or what is not to be decoded; these bytes first.
    AsItIs(Cursor<Vec<u8>>),
    Decoding(Box<Decoding>),
}

impl Text {
    /// The text that begins with `start`. `named` is its encoding if somebody knows it; a byte order mark knows better.
    ///
    /// # Errors
    /// It is no text; the message says why.
    pub(super) fn new(
        mut start: Vec<u8>,
        rest: Box<dyn Read + Send>,
        named: Option<&'static Encoding>,
    ) -> Result<(Text, Found), &'static str> {
        let found = Found::default();
        let zeros = Zeros::count(&start);
        let marked = Encoding::for_bom(&start);
        let decided = match (marked, named) {
            _ if start.starts_with(&[0xff, 0xfe, 0, 0]) => return Err(NOT_TEXT),
            (Some((encoding, length)), _) => {
                start.drain(..length);
                Some((encoding, By::Mark))
            }
            (None, Some(encoding)) => Some((encoding, By::Option)),
            (None, None) => zeros.utf_16().map(|encoding| (encoding, By::Bytes)),
        };
        let state = match decided {
            Some((encoding, _)) if encoding == UTF_8 => State::AsItIs(Cursor::default()),
            Some((encoding, by)) => {
                found.set(encoding, by);
                State::Decoding(Box::new(Decoding::new(encoding, Vec::new())))
            }
            None => State::Ascii,
        };
        if !matches!(state, State::Decoding(_)) && zeros.are_many() {
            return Err(NOT_TEXT);
        }
        let inner = Cursor::new(start).chain(rest);
        Ok((Text { inner, state, found: found.clone() }, found))
    }

    /// Decides by the bytes from the first on that is not ASCII, some of which are here.
    fn decide(&mut self, first: &[u8]) {
        let mut sample = first.to_vec();
        // A failure comes again when the bytes behind the sample are asked for.
        let ended = fill(&mut self.inner, &mut sample, SAMPLE).unwrap_or(false);
        self.state = match guess(&sample, ended) {
            None => State::AsItIs(Cursor::new(sample)),
            Some(encoding) => {
                self.found.set(encoding, By::Bytes);
                State::Decoding(Box::new(Decoding::new(encoding, sample)))
            }
        };
    }
}

const NOT_TEXT: &str = "not text (it holds many NUL bytes): UTF-32 or a binary file; save it as UTF-8";

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match &mut self.state {
            State::Ascii => {
                let read = self.inner.read(buffer)?;
                let ascii = Encoding::ascii_valid_up_to(&buffer[..read]);
                if ascii == read {
                    return Ok(read);
                }
                self.decide(&buffer[ascii..read]);
                if ascii > 0 { Ok(ascii) } else { self.read(buffer) }
            }
            State::AsItIs(before) => match before.read(buffer)? {
                0 => self.inner.read(buffer),
                read => Ok(read),
            },
            State::Decoding(decoding) => decoding.read(&mut self.inner, buffer),
        }
    }
}

/// NUL bytes of a sample, by their place.
struct Zeros {
    even: usize,
    odd: usize,
    length: usize,
}

impl Zeros {
    fn count(sample: &[u8]) -> Zeros {
        let (mut even, mut odd) = (0, 0);
        for at in memchr::memchr_iter(0, sample) {
            *(if at % 2 == 0 { &mut even } else { &mut odd }) += 1;
        }
        Zeros { even, odd, length: sample.len() }
    }

    /// UTF-16 by the halves of ASCII characters. A few other characters have a zero in the other half.
    fn utf_16(&self) -> Option<&'static Encoding> {
        let prevail = |these: usize, those: usize| these >= 4 && these >= self.length / 8 && those <= these / 16;
        if prevail(self.odd, self.even) {
            Some(UTF_16LE)
        } else if prevail(self.even, self.odd) {
            Some(UTF_16BE)
        } else {
            None
        }
    }

    /// Whether there are more than damage to single records would explain.
    fn are_many(&self) -> bool {
        self.even + self.odd > self.length / 4
    }
}

/// The encoding of text that is not ASCII only; nothing if it is UTF-8, perhaps with damaged places.
fn guess(sample: &[u8], ended: bool) -> Option<&'static Encoding> {
    let (mut well_formed, mut longer, mut malformed, mut at) = (0_usize, 0_usize, 0_usize, 0);
    for chunk in sample.utf8_chunks() {
        well_formed += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        longer += chunk.valid().chars().filter(|c| c.len_utf8() > 2).count();
        at += chunk.valid().len() + chunk.invalid().len();
        // A character that the sample cuts is no fault.
        let is_cut = at == sample.len() && !ended && chunk.invalid().len() < 4;
        malformed += usize::from(!chunk.invalid().is_empty() && !is_cut);
    }
    if malformed == 0 {
        let is_by_chance = longer == 0 && std::str::from_utf8(sample).is_ok_and(asian::is_utf_8_by_chance);
        return is_by_chance.then_some(GBK);
    }
    let asian = asian::encoding(sample);
    // Text of another encoding looks like UTF-8 in a few places only; pairs of bytes of GB18030 do so more often, but
    // never like the characters of three bytes of which Chinese consists in UTF-8.
    if well_formed > malformed && (longer > 0 || asian != Some(GBK)) {
        return None;
    }
    if asian == Some(GBK) {
        return asian;
    }
    let guessed = detect(sample, ended);
    Some(match asian {
        Some(other) if guessed.is_single_byte() || guessed == GBK => other,
        _ if guessed.is_single_byte() => without_damage(sample).unwrap_or(guessed),
        _ => guessed,
    })
}

fn detect(sample: &[u8], ended: bool) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, ended);
    detector.guess(None, Utf8Detection::Deny)
}

/// The encoding of most pieces of the sample, if it has two bytes for a character: a single damaged place rules such an
/// encoding out for the detector.
fn without_damage(sample: &[u8]) -> Option<&'static Encoding> {
    // None of these is ever part of a longer character.
    let pieces = sample.split(|byte| matches!(byte, b'\n' | b'\r' | b'\t' | b',' | b'"'));
    let pieces: Vec<&[u8]> = pieces.filter(|piece| !piece.is_ascii()).collect();
    [GBK, BIG5, SHIFT_JIS, EUC_KR, EUC_JP].into_iter().find(|encoding| {
        let sound = |piece: &&&[u8]| encoding.decode_without_bom_handling_and_without_replacement(piece).is_some();
        let whole: Vec<&[u8]> = pieces.iter().filter(sound).copied().collect();
        2 * whole.len() >= pieces.len() && detect(&whole.join(&b'\n'), true) == *encoding
    })
}

/// Turns the bytes of one encoding into UTF-8.
struct Decoding {
    decoder: Decoder,
    /// Bytes that are not decoded yet, from `raw_at`.
    raw: Vec<u8>,
    raw_at: usize,
    /// What was decoded, from `text_at`.
    text: Vec<u8>,
    text_at: usize,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Reading,
    /// No more bytes come.
    Ended,
    /// Nothing more comes out either.
    Finished,
}

impl Decoding {
    fn new(encoding: &'static Encoding, raw: Vec<u8>) -> Decoding {
        let decoder = encoding.new_decoder_without_bom_handling();
        Decoding { decoder, raw, raw_at: 0, text: Vec::new(), text_at: 0, progress: Progress::Reading }
    }

    fn read(&mut self, inner: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.text_at == self.text.len() && self.progress != Progress::Finished {
            if self.raw_at == self.raw.len() && self.progress == Progress::Reading {
                self.raw.clear();
                self.raw_at = 0;
                if fill(inner, &mut self.raw, STEP)? {
                    self.progress = Progress::Ended;
                }
            }
            self.step();
        }
        let ready = &self.text[self.text_at..];
        let read = ready.len().min(buffer.len());
        buffer[..read].copy_from_slice(&ready[..read]);
        self.text_at += read;
        Ok(read)
    }

    /// Decodes some of the bytes that are there.
    fn step(&mut self) {
        self.text.resize(3 * STEP, 0);
        let last = self.progress == Progress::Ended;
        let (result, read, written, _) = self.decoder.decode_to_utf8(&self.raw[self.raw_at..], &mut self.text, last);
        self.raw_at += read;
        self.text.truncate(written);
        self.text_at = 0;
        if last && result == encoding_rs::CoderResult::InputEmpty {
            self.progress = Progress::Finished;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::asian::WORDS;
    use super::*;
    use crate::domains::cmk::fields::FIELDS;

    /// Gives a few bytes at a time.
    struct Trickle(Vec<u8>, usize);

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let read = self.1.min(buffer.len()).min(self.0.len());
            buffer[..read].copy_from_slice(&self.0[..read]);
            self.0.drain(..read);
            Ok(read)
        }
    }

    /// The text and the name of its encoding; the first bytes are there, the others come a few at a time.
    fn read(bytes: &[u8], there: usize, step: usize, named: Option<&'static Encoding>) -> (Vec<u8>, &'static str) {
        let (start, rest) = bytes.split_at(there.min(bytes.len()));
        let (mut text, found) =
            Text::new(start.to_vec(), Box::new(Trickle(rest.to_vec(), step)), named).expect("it is text");
        let mut out = Vec::new();
        text.read_to_end(&mut out).expect("nothing fails");
        (out, found.encoding().map_or("UTF-8", Encoding::name))
    }

    fn as_text(bytes: &[u8]) -> (String, &'static str) {
        let (out, name) = read(bytes, 1 << 16, 4096, None);
        (String::from_utf8_lossy(&out).into_owned(), name)
    }

    fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    const CHINESE: &str = "key_id,别名,密钥材料来源,自动轮转,密钥版本数,负责人\n\
        0f5a1c1e-8a51-4b0e-9a5e-3d0c6a7b1f01,alias/orders,EXTERNAL,已开启,1,支付团队\n";

    #[test]
    fn text_is_read_in_the_encoding_in_which_it_was_written() {
        let encoded = |name: &str, text: &str| {
            let encoding = Encoding::for_label(name.as_bytes()).expect("it is known");
            let (bytes, _, lost) = encoding.encode(text);
            assert!(!lost, "{name} has no bytes for {text}");
            bytes.into_owned()
        };
        let german = "key_id,owner\nk1,Zahlungsverkehr für Geschäftskunden\nk2,Prüfgruppe Köln\n";
        let russian = "key_id,owner\nk1,Отдел платежей\nk2,Бухгалтерия и отчётность\n";
        let japanese = "key_id,owner\nk1,決済チームのための鍵です\nk2,データベース担当者\n";
        let traditional = "key_id,owner\nk1,支付團隊的加密金鑰\nk2,資料庫與備份服務\n";
        for (name, text) in [
            ("GBK", CHINESE),
            ("windows-1252", german),
            ("windows-1251", russian),
            ("Shift_JIS", japanese),
            ("Big5", traditional),
        ] {
            assert_eq!(as_text(&encoded(name, text)), (text.to_owned(), name));
        }
        for text in [CHINESE, german, russian, japanese, traditional, "key_id\nk\n", ""] {
            assert_eq!(as_text(text.as_bytes()), (text.to_owned(), "UTF-8"));
            let marked = format!("\u{feff}{text}");
            assert_eq!(as_text(marked.as_bytes()), (text.to_owned(), "UTF-8"));
            assert_eq!(as_text(&utf_16(&marked, u16::to_le_bytes)), (text.to_owned(), "UTF-16LE"));
            assert_eq!(as_text(&utf_16(&marked, u16::to_be_bytes)), (text.to_owned(), "UTF-16BE"));
            if text.len() > 4 {
                assert_eq!(as_text(&utf_16(text, u16::to_le_bytes)), (text.to_owned(), "UTF-16LE"));
                assert_eq!(as_text(&utf_16(text, u16::to_be_bytes)), (text.to_owned(), "UTF-16BE"));
            }
        }
        // Four bytes for one character are what tells GB18030 from GBK.
        let rare = "key_id,owner\nk1,密钥的负责人是𠀀先生\n";
        assert_eq!(as_text(&encoded("GB18030", rare)), (rare.to_owned(), "GBK"));
    }

    /// A text in each encoding, and how the text that is found differs from it.
    fn misread(label: &str, texts: &[&str]) -> Vec<String> {
        let encoding = Encoding::for_label(label.as_bytes()).expect("it is known");
        let read = texts.iter().filter_map(|text| {
            let (bytes, _, lost) = encoding.encode(text);
            assert!(!lost, "{label} has no bytes for {text}");
            let (found, name) = as_text(&bytes);
            (found != *text).then(|| format!("{text:?} in {label} was read as {name}: {found:?}"))
        });
        read.collect()
    }

    /// What Chinese spreadsheets save: a table of ASCII with a few words.
    const OF_GBK: [&str; 36] = [
        "密钥ID,别名,轮转状态\nk1,alias/a,Enabled\n",
        "密钥ID,alias\nk1,a\n",
        "key_id,别名\nk1,a\n",
        "key_id,负责人\nk1,\n",
        "key_id,rotation\nk1,启用\nk2,禁用\n",
        "key_id,rotation\nk1,启用\n",
        "key_id,rotation\nk1,已开启\n",
        "key_id,rotation\nk1,关闭\n",
        "key_id,rotation\nk1,不开启\n",
        "key_id,origin\nk1,外部\n",
        "key_id,origin\nk1,阿里云KMS\n",
        "key_id,network\nk1,专有网络\n",
        "key_id,network\nk1,自建机房\n",
        "key_id,instance\nk1,默认\n",
        "key_id,instance\nk1,默认实例\n",
        "key_id,aliases\nk1,无\n",
        "key_id,versions\nk1,未知\n",
        "key_id,state\nk1,启用中\n",
        "key_id,state\nk1,待删除\n",
        "key_id,owner\nk1,支付团队\n",
        "key_id,owner\nk1,张伟\n",
        "key_id,owner\nk1,李娜\nk2,王芳\n",
        "key_id,owner\nk1,订单\n",
        "key_id,owner\nk1,运维组\n",
        "key_id,owner\nk1,数据库小组\n",
        "key_id,remark\nk1,是\nk2,否\n",
        "key_id,remark\nk1,生产环境，请勿删除\n",
        "key_id,aliases\nk1,alias/模板\n",
        "key_id,版本\nk1,1\n",
        "主密钥ID;版本数\nk1;1\n",
        "用户主密钥ID\t接口\nk1\tEncrypt\n",
        "密钥标识|地域\nk1|cn-hangzhou\n",
        "密钥清单\nkey_id,aliases\nk1,a\n",
        "key_id,aliases\nk1,a\n合计,1\n",
        "[{\"key_id\": \"k1\", \"owner\": \"风控\"}]",
        "key_id,key_usage\nk1,加密/解密\n",
    ];

    const OF_OTHERS: [(&str, &[&str]); 7] = [
        (
            "windows-1252",
            &[
                "Clé,Région\nk1,cn-hangzhou\n",
                "key_id,owner\nk1,Équipe paiements\n",
                "key_id,owner\nk1,équipe sécurité\n",
                "key_id,propriétaire\nk1,a\n",
                "key_id,owner\nk1,Benoît Lefèvre\n",
                "key_id,owner\nk1,Müller\n",
                "key_id,owner\nk1,Schlüssel für Geschäftskunden\n",
                "Schlüssel;Größe\nk1;256\n",
                "key_id,owner\nk1,José Núñez\n",
                "key_id,owner\nk1,Contraseñas y cifrado\nk2,Gestión de claves\n",
                "key_id,dueño\nk1,a\n",
                "key_id,região\nk1,produção\n",
                "key_id,owner\nk1,Åsa Öberg\n",
                "key_id,remark\nk1,30 °C\n",
                "key_id,remark\nk1,5 € / mois – «test»\n",
            ],
        ),
        ("windows-1250", &["key_id,owner\nk1,Płatności i księgowość\n", "key_id,owner\nk1,Žluťoučký kůň\n"]),
        (
            "windows-1251",
            &["key_id,owner\nk1,Отдел платежей\n", "key_id,owner\nk1,Бухгалтерия\n", "Ключ,Владелец\nk1,Иванов\n"],
        ),
        (
            "big5",
            &[
                "key_id,owner\nk1,支付團隊\n",
                "金鑰ID,別名\nk1,a\n",
                "key_id,owner\nk1,資料庫\n",
                "key_id,owner\nk1,資訊安全部門\n",
                "key_id,owner\nk1,訂單與倉庫\n",
                "key_id,rotation\nk1,已啟用\n",
            ],
        ),
        (
            "shift_jis",
            &[
                "key_id,owner\nk1,決済チーム\n",
                "キーID,エイリアス\nk1,a\n",
                "key_id,owner\nk1,データベース担当\n",
                "key_id,owner\nk1,山田さん\n",
                "key_id,rotation\nk1,有効\n",
                "key_id,owner\nk1,セキュリティ\n",
            ],
        ),
        ("euc-jp", &["key_id,owner\nk1,決済チームのための鍵です\n", "key_id,owner\nk1,データベース担当者\n"]),
        (
            "euc-kr",
            &[
                "key_id,owner\nk1,결제팀\n",
                "키 ID,별칭\nk1,a\n",
                "key_id,owner\nk1,데이터베이스 담당자\n",
                "key_id,owner\nk1,보안 부서\n",
                "key_id,owner\nk1,홍길동\n",
                "key_id,rotation\nk1,사용 안 함\n",
            ],
        ),
    ];

    fn is_hanzi(c: char) -> bool {
        matches!(c, '\u{4e00}'..='\u{9fff}')
    }

    #[test]
    fn short_texts_are_read_in_the_encodings_of_those_who_use_this() {
        assert_eq!(misread("gb18030", &OF_GBK), [""; 0]);
        // Every word that is understood, alone in a column of its own.
        let words = WORDS.iter().flat_map(|words| words.split('"')).map(str::to_owned);
        let spellings = FIELDS.iter().flat_map(|field| field.spellings).map(|spelling| (*spelling).to_owned());
        let of_words = words.chain(spellings).filter(|word| word.contains(is_hanzi) && !word.contains('\n'));
        // Which stands before other words only.
        let of_words = of_words.filter(|word| word != "每");
        let of_words: Vec<String> = of_words.map(|word| format!("key_id,x\nk1,{word}\n")).collect();
        assert!(of_words.len() > 50, "the words were not found");
        assert_eq!(misread("gb18030", &of_words.iter().map(String::as_str).collect::<Vec<_>>()), [""; 0]);
        let (mut count, mut wrong) = (0, Vec::new());
        for (label, texts) in OF_OTHERS {
            count += texts.len();
            wrong.extend(misread(label, texts));
        }
        let all: Vec<&str> =
            OF_GBK.into_iter().chain(OF_OTHERS.iter().flat_map(|(_, texts)| texts.iter().copied())).collect();
        for text in &all {
            let marked = format!("\u{feff}{text}");
            for (bytes, name) in [
                (utf_16(&marked, u16::to_le_bytes), "UTF-16LE"),
                (utf_16(&marked, u16::to_be_bytes), "UTF-16BE"),
                (utf_16(text, u16::to_le_bytes), "UTF-16LE"),
                (utf_16(text, u16::to_be_bytes), "UTF-16BE"),
                (text.as_bytes().to_vec(), "UTF-8"),
            ] {
                assert_eq!(as_text(&bytes), ((*text).to_owned(), name));
            }
        }
        assert!(all.len() >= 60 && wrong.len() * 10 <= count, "{} of {count}: {wrong:#?}", wrong.len());
    }

    #[test]
    fn a_few_words_are_enough() {
        for words in ["负责人", "密钥", "别名", "已开启", "阿里云", "默认实例"] {
            let text = format!("key_id,owner\nk1,{words}\n");
            let (bytes, ..) = encoding_rs::GBK.encode(&text);
            assert_eq!(as_text(&bytes), (text, "GBK"));
        }
    }

    #[test]
    fn the_encoding_may_show_late() {
        let ascii = "k,alias/a,Aliyun_KMS\n".repeat(10_000);
        let (chinese, ..) = encoding_rs::GBK.encode(CHINESE);
        let bytes = [ascii.as_bytes(), &chinese, ascii.as_bytes()].concat();
        assert_eq!(as_text(&bytes), (format!("{ascii}{CHINESE}{ascii}"), "GBK"));
    }

    #[test]
    fn damaged_places_do_not_hide_the_encoding() {
        // A file in UTF-8 into which somebody pasted something else.
        let bytes = [CHINESE.as_bytes(), b"k,\xfc\n"].concat();
        assert_eq!(read(&bytes, 1 << 16, 4096, None), (bytes.clone(), "UTF-8"));
        // A character that the end of the sample cuts is no damage, one that the end of the file cuts is.
        let long = format!("k{}", "钥".repeat(SAMPLE / 3 + 10));
        for cut in 0..3 {
            assert_eq!(as_text(&long.as_bytes()[cut.min(1)..long.len() - 3 * cut]).1, "UTF-8");
        }
        assert_eq!(as_text(b"key_id\nk\xe9").1, "windows-1252");
        let (gbk, ..) = encoding_rs::GBK.encode(CHINESE);
        let (text, name) = as_text(&[&gbk, &b"k,\xb0\n"[..]].concat());
        assert_eq!((text.contains(REPLACEMENT), name), (true, "GBK"));
        assert!(text.starts_with(CHINESE));
    }

    #[test]
    fn what_is_no_text_is_refused_and_a_few_zeros_are_not() {
        let refused = |bytes: &[u8]| Text::new(bytes.to_vec(), Box::new(std::io::empty()), None).is_err();
        let utf_32: Vec<u8> = CHINESE.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        assert!(refused(&utf_32) && refused(&[&b"\xff\xfe\0\0"[..], &utf_32].concat()) && refused(&[0; 100]));
        for bytes in [&b"key_id,owner\nk1\0\0\0,a\nk2,b\n"[..], b"a,b\0\n", b"k,v\na\0,b\nc\0,d\n"] {
            assert_eq!(read(bytes, 1 << 16, 4096, None), (bytes.to_vec(), "UTF-8"));
        }
    }

    #[test]
    fn a_named_encoding_is_believed_unless_a_mark_knows_better() {
        let named = |label: &str| Some(encoding(label).expect("it is known"));
        assert_eq!(read(b"k\xfc", 1 << 16, 1, named("latin1")), ("kü".as_bytes().to_vec(), "windows-1252"));
        assert_eq!(read(b"k\xfc", 1 << 16, 1, named("utf8")), (b"k\xfc".to_vec(), "UTF-8"));
        assert_eq!(read("\u{feff}ü".as_bytes(), 1 << 16, 1, named("gbk")), ("ü".as_bytes().to_vec(), "UTF-8"));
        assert_eq!(read(b"\xfe\xff\0k", 1 << 16, 1, named("utf-16")), (b"k".to_vec(), "UTF-16BE"));
        for unknown in ["", "gb", "replacement", "iso-2022-cn", "x-user-defined"] {
            assert!(encoding(unknown).is_err(), "{unknown}");
        }
        assert!(NAMED.iter().all(|name| encoding(name).is_ok_and(|known| known.name().eq_ignore_ascii_case(name))));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        #[test]
        fn text_is_the_same_however_it_arrives(
            pieces in prop::collection::vec(
                select(vec![&b"ab,c\n"[..], "钥匙".as_bytes(), b"\xb3\xd4", b"\xfc", b"\xe9\x92", b"\x81", b"\x84\x31\xa4\x37"]),
                0..40,
            ),
            there in 8..60_usize,
            step in 1..9_usize,
            named in select(vec![None, Some(encoding_rs::GBK), Some(UTF_16LE), Some(UTF_8)]),
        ) {
            let bytes = [b"key_id,a".to_vec(), pieces.concat()].concat();
            let whole = read(&bytes, bytes.len(), 4096, named);
            prop_assert_eq!(&read(&bytes, there, step, named), &whole);
            if whole.1 == "UTF-8" {
                prop_assert_eq!(whole.0, bytes);
            } else {
                prop_assert!(std::str::from_utf8(&whole.0).is_ok());
            }
        }
    }
}
