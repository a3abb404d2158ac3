//! What the parts of a workbook have in common: XML of which names matter without their prefix, and texts in runs.

use std::borrow::Cow;
use std::fmt::Display;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::row::bounded;

/// The reader remembers each element that is open; no workbook has elements so deep in each other.
const MAX_DEPTH: usize = 1000;

/// Reads a part, or a part from some place in its middle. Empty elements begin and end as any other.
pub(super) struct Xml<'x> {
    reader: Reader<&'x [u8]>,
    /// How many elements are open.
    depth: usize,
}

impl<'x> Xml<'x> {
    pub(super) fn new(text: &'x str) -> Xml<'x> {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.allow_unmatched_ends = true;
        Xml { reader, depth: 0 }
    }

    /// What comes next.
    pub(super) fn event(&mut self) -> Result<Event<'x>, String> {
        let event = self.reader.read_event().map_err(broken)?;
        match event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > MAX_DEPTH {
            return Err(broken(format!("more than {MAX_DEPTH} elements in each other")));
        }
        Ok(event)
    }

    /// Passes over what is left of an element that has begun.
    pub(super) fn skip(&mut self, element: &BytesStart<'_>) -> Result<(), String> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if self.event()? == Event::Eof {
                return Err(cut_off(element.local_name().as_ref()));
            }
        }
        Ok(())
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> usize {
        self.reader.buffer_position() as usize
    }
}

/// The message for XML that is none.
pub(super) fn broken(error: impl Display) -> String {
    format!("broken XML ({error})")
}

/// The message for an element that is never closed.
pub(super) fn cut_off(element: &str) -> String {
    format!("broken XML (`{element}` is never closed)")
}

/// An attribute, by its name without prefix.
pub(super) fn attribute<'e>(element: &'e BytesStart<'_>, name: &str) -> Result<Option<Cow<'e, str>>, String> {
    let mut attributes = element.attributes();
    // To look for twins takes time by the square of their number.
    attributes.with_checks(false);
    for attribute in attributes {
        let attribute = attribute.map_err(broken)?;
        if attribute.key.local_name().as_ref() == name {
            return attribute.normalized_value(XmlVersion::Implicit1_0).map(Some).map_err(broken);
        }
    }
    Ok(None)
}

/// Appends the text of an element that has begun, with that of the elements inside.
pub(super) fn plain_text(xml: &mut Xml<'_>, element: &str, into: &mut String) -> Result<(), String> {
    let from = into.len();
    text_up_to(xml, element, from, into)
}

/// The same, of a text that begins at `from` and may get no longer than a record.
fn text_up_to(xml: &mut Xml<'_>, element: &str, from: usize, into: &mut String) -> Result<(), String> {
    loop {
        match xml.event()? {
            Event::End(end) if end.local_name().as_ref() == element => return Ok(()),
            Event::Eof => return Err(cut_off(element)),
            event => append(&event, into)?,
        }
        bounded(into.len() - from)?;
    }
}

/// Appends the text of an element that has begun and holds runs of text, without the reading aids for them.
pub(super) fn text_of_runs(xml: &mut Xml<'_>, element: &str, into: &mut String) -> Result<(), String> {
    let from = into.len();
    loop {
        match xml.event()? {
            Event::Start(start) if start.local_name().as_ref() == "t" => text_up_to(xml, "t", from, into)?,
            Event::Start(start) if start.local_name().as_ref() == "rPh" => xml.skip(&start)?,
            Event::End(end) if end.local_name().as_ref() == element => break,
            Event::Eof => return Err(cut_off(element)),
            _ => {}
        }
    }
    resolve_escapes(into, from);
    Ok(())
}

/// Appends what an event says, if it is a piece of text.
pub(super) fn append(event: &Event<'_>, into: &mut String) -> Result<(), String> {
    // What is too long is not even taken apart.
    match event {
        Event::Text(text) => bounded(text.len())?,
        Event::CData(text) => bounded(text.len())?,
        _ => {}
    }
    match event {
        Event::Text(text) => into.push_str(&text.xml10_content()),
        Event::CData(text) => into.push_str(&text.xml10_content()),
        Event::GeneralRef(entity) => match entity.resolve_char_ref().map_err(broken)? {
            Some(c) => into.push(c),
            None => into.push_str(
                resolve_predefined_entity(entity).ok_or_else(|| broken(format!("`&{}` is not known", &**entity)))?,
            ),
        },
        _ => {}
    }
    Ok(())
}

/// Replaces `_x000D_` and the like, by which workbooks write characters that XML cannot hold.
pub(super) fn resolve_escapes(text: &mut String, from: usize) {
    if !text[from..].contains("_x") {
        return;
    }
    let written = text.split_off(from);
    let mut rest = written.as_str();
    while let Some(at) = rest.find("_x") {
        let (before, escape) = rest.split_at(at);
        text.push_str(before);
        let (c, behind) = escaped(escape).unwrap_or(('_', &escape[1..]));
        text.push(c);
        rest = behind;
    }
    text.push_str(rest);
}

/// The character that is written at the beginning of a text, and what follows it.
fn escaped(text: &str) -> Option<(char, &str)> {
    let (digits, behind) = text.strip_prefix("_x")?.split_at_checked(4)?;
    let behind = behind.strip_prefix('_').filter(|_| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    Some((char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::MAX_RECORD;

    fn runs(text: &str) -> Result<String, String> {
        let mut into = "before ".to_owned();
        text_of_runs(&mut Xml::new(text), "si", &mut into).map(|()| into["before ".len()..].to_owned())
    }

    #[test]
    fn the_text_of_runs_is_joined() {
        assert_eq!(runs("<t>a &amp; &#x94a5; <![CDATA[<b>]]></t></si><t>next</t>").unwrap(), "a & 钥 <b>");
        let rich = "<x:r><x:rPr><x:b/></x:rPr><x:t> a\r\n</x:t></x:r><x:rPh sb='0'><x:t>aid</x:t></x:rPh><x:r><x:t>b </x:t></x:r></x:si>";
        assert_eq!(runs(rich).unwrap(), " a\nb ");
        assert_eq!(runs("<t/></si>").unwrap(), "");
    }

    #[test]
    fn a_text_that_is_too_long_is_not_collected() {
        let most = MAX_RECORD;
        let piece = format!("<![CDATA[{}]]>", "a".repeat(most / 2));
        for text in [
            format!("<t>{}</t></si>", "a".repeat(8 * most)),
            format!("<t>{}</t></si>", piece.repeat(16)),
            format!("{}</si>", format!("<t>{piece}</t>").repeat(16)),
        ] {
            let mut into = "before".repeat(most);
            let before = into.len();
            let error = text_of_runs(&mut Xml::new(&text), "si", &mut into).unwrap_err();
            assert!(error.contains("longer than 4 MiB"), "{error}");
            assert!(into.len() - before <= 2 * most, "{}", into.len());
        }
    }

    #[test]
    fn characters_that_xml_cannot_hold_are_read_as_workbooks_write_them() {
        for (written, meant) in [
            ("a_x000D_\nb", "a\r\nb"),
            ("_x005F_x0041_", "_x0041_"),
            ("_x0041_x0042_", "Ax0042_"),
            ("_x00", "_x00"),
            ("_xD800_", "_xD800_"),
            ("_x+041_", "_x+041_"),
            ("_x钥a_", "_x钥a_"),
            ("__x0041_", "_A"),
        ] {
            assert_eq!(runs(&format!("<t>{written}</t></si>")).unwrap(), meant, "{written}");
        }
    }

    #[test]
    fn what_is_no_xml_says_so() {
        let deep = "<a>".repeat(MAX_DEPTH + 1);
        for text in [
            &deep,
            &format!("<rPh>{deep}"),
            "<t>a",
            "<t>a</t>",
            "<t>a</b></si>",
            "<t>&lol;</t></si>",
            "<t>&#0;</t></si>",
            "<t",
            "<rPh><t>",
        ] {
            assert!(runs(text).unwrap_err().contains("broken XML"), "{text}");
        }
    }
}
