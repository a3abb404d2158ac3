//! What the paragraphs of a cell say.

use quick_xml::events::Event;

use super::super::markup::{Xml, append, attribute, cut_off};
use super::super::row::bounded;

/// Reads the paragraphs of a cell that has begun, one a line; without its comments and drawings.
pub(super) fn paragraphs(xml: &mut Xml<'_>, cell: &str, into: &mut String) -> Result<(), String> {
    into.clear();
    let mut is_first = true;
    loop {
        match xml.event()? {
            Event::Start(element) if element.local_name().as_ref() == "p" => {
                if !is_first {
                    into.push('\n');
                }
                is_first = false;
                paragraph(xml, into)?;
            }
            Event::Start(element) => xml.skip(&element)?,
            Event::End(element) if element.local_name().as_ref() == cell => return Ok(()),
            Event::Eof => return Err(cut_off(cell)),
            _ => {}
        }
    }
}

/// Appends a paragraph that has begun. White space counts as one blank, if it is not written by elements.
fn paragraph(xml: &mut Xml<'_>, into: &mut String) -> Result<(), String> {
    let (from, mut piece) = (into.len(), String::new());
    // Up to where blanks count at the end.
    let mut counts = from;
    loop {
        match xml.event()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "s" => {
                    let count = attribute(&element, "c")?.map_or(Ok(1), |count| count.parse::<u16>());
                    let count = count.map_err(|_| "a text has more than 65,535 blanks in one place".to_owned())?;
                    into.extend(std::iter::repeat_n(' ', usize::from(count)));
                    counts = into.len();
                }
                "tab" => into.push('\t'),
                "line-break" => into.push('\n'),
                "annotation" | "note" | "ruby-text" | "frame" => xml.skip(&element)?,
                _ => {}
            },
            Event::End(element) if element.local_name().as_ref() == "p" => {
                let end = into.trim_end_matches(' ').len().max(counts);
                into.truncate(end);
                return Ok(());
            }
            Event::Eof => return Err(cut_off("p")),
            event => {
                piece.clear();
                append(&event, &mut piece)?;
                for c in piece.chars() {
                    if !matches!(c, ' ' | '\t' | '\r' | '\n') {
                        into.push(c);
                    } else if into.len() > from && !into.ends_with([' ', '\n', '\t']) {
                        into.push(' ');
                    }
                }
            }
        }
        bounded(into.len())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(content: &str) -> Result<String, String> {
        let mut into = "before".to_owned();
        paragraphs(&mut Xml::new(&format!("{content}</t:table-cell>")), "table-cell", &mut into).map(|()| into)
    }

    #[test]
    fn paragraphs_are_lines() {
        for (content, text) in [
            ("", ""),
            ("<x:p/>", ""),
            ("<x:p>a &amp; b</x:p><x:p/><x:p>c</x:p>", "a & b\n\nc"),
            ("<x:p>\n  a\n  <x:span>b<x:span> c</x:span></x:span>\n</x:p>", "a b c"),
            ("<x:p>a<x:s/>b<x:s x:c='3'/>c<x:tab/>d<x:line-break/>e</x:p>", "a b   c\td\ne"),
            ("<x:p>a<x:a>link</x:a><o:annotation><x:p>aside</x:p></o:annotation></x:p>", "alink"),
            ("<o:annotation><x:p>aside</x:p></o:annotation><x:p>a</x:p><d:frame><x:p>b</x:p></d:frame>", "a"),
            ("<x:p><x:ruby><x:ruby-base>钥</x:ruby-base><x:ruby-text>yao</x:ruby-text></x:ruby></x:p>", "钥"),
        ] {
            assert_eq!(said(content).as_deref(), Ok(text), "{content}");
        }
    }

    #[test]
    fn blanks_are_bounded() {
        assert!(said("<x:p><x:s x:c='4294967295'/></x:p>").is_err());
        assert!(
            said(&format!("<x:p>{}</x:p>", "<x:s x:c='65535'/>".repeat(1100)))
                .unwrap_err()
                .contains("longer than 4 MiB")
        );
    }
}
