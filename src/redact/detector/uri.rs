//! SIP, H.323 and tel addresses that hold a person's name or number without a domain behind it.

use super::email::{bracket_before, display_name, is_domain};
use super::host::push_host;
use super::ip::is_ip;
use super::phone;
use super::{Detector, Line};
use crate::redact::category::Category;
use crate::redact::common::is_no_value;
use crate::redact::hit::{Form, Group, Hits, rank};
use crate::redact::text::{self, DIGIT, WORD, byte, is, is_uuid};

pub(crate) struct Uri;

impl Detector for Uri {
    fn words(&self) -> &'static [&'static str] {
        &["sip", "sips", "h323", "tel", "callto", "xmpp", "im", "pres"]
    }

    fn at_word(&self, line: &Line<'_>, start: usize, end: usize, hits: &mut Hits) {
        let text = line.text;
        if byte(text, end) != b':' {
            return;
        }
        let from = end + 1;
        let tel = text[start..end].eq_ignore_ascii_case(b"tel") || text[start..end].eq_ignore_ascii_case(b"callto");
        if tel {
            let stop = number_end(text, from);
            if text[from..stop].iter().filter(|&&b| is(b, DIGIT)).count() >= 2 {
                // `tel` is a key as well, the value of which ends before the extension.
                let stop = phone::with_extension(text, stop);
                hits.push(from, stop, Category::Phone, Form::Phone, rank::KEYED);
                phone_context(text, stop, hits);
            }
        } else {
            address(text, from, hits);
        }
        if let Some(bracket) = bracket_before(text, start) {
            display_name(text, bracket, hits);
        }
    }
}

/// `;phone-context=amt.example`, `;phone-context=+49`: where a number is dialled (RFC 3966, section 5.1.5).
fn phone_context(text: &[u8], end: usize, hits: &mut Hits) {
    const MARK: &[u8] = b";phone-context=";
    let Some(mark) = text.get(end..end + MARK.len()) else { return };
    if !mark.eq_ignore_ascii_case(MARK) {
        return;
    }
    let from = end + MARK.len();
    let stop = text::run(text, from, text::IDENT);
    if is_domain(&text[from..stop], false) {
        push_host(text, from, stop, Category::Host, rank::ADDRESS, hits);
    }
}

fn number_end(text: &[u8], from: usize) -> usize {
    let of = |b: u8| is(b, DIGIT) || matches!(b, b'+' | b'-' | b'.' | b'(' | b')');
    let mut end = text[from.min(text.len())..].iter().position(|&b| !of(b)).map_or(text.len(), |length| from + length);
    while end > from && !is(text[end - 1], DIGIT) {
        end -= 1;
    }
    end
}

/// `sip:anna@10.0.0.1`, `sip:anna`, `h323:anna`, `sip:amt.example`; `sip:anna@amt.example` belongs to the e-mail detector.
fn address(text: &[u8], from: usize, hits: &mut Hits) {
    let of =
        |b: u8| is(b, WORD) || matches!(b, b'.' | b'_' | b'-' | b'+' | b'%' | b'~' | b'*' | b'!' | b'#' | b'$' | b'\'');
    let end = text[from.min(text.len())..].iter().position(|&b| !of(b)).map_or(text.len(), |length| from + length);
    let mut stop = end;
    while stop > from && matches!(text[stop - 1], b'.' | b'-' | b'\'') {
        stop -= 1;
    }
    let local = &text[from..stop];
    if local.is_empty() || is_no_value(&text::fold(local)) || is_ip(local) || is_uuid(local) {
        return;
    }
    let with_domain = byte(text, end) == b'@';
    if !with_domain && is_domain(local, false) {
        hits.push(from, stop, Category::Uri, Form::Text(Group::Domain), rank::ADDRESS);
        return;
    }
    let domain = &text[(end + 1).min(text.len())..text::run(text, (end + 1).min(text.len()), text::IDENT)];
    if with_domain && !is_ip(domain) && is_domain(domain, true) {
        return;
    }
    // A display of the port or of a scheme's own name is nobody's: sip:5060.
    if !with_domain && local.len() <= 5 && local.iter().all(|&b| is(b, DIGIT)) {
        return;
    }
    let dialled = local.strip_prefix(b"+").is_some_and(|rest| rest.len() >= 7 && rest.iter().all(|&b| is(b, DIGIT)));
    if dialled {
        hits.push(from, stop, Category::Phone, Form::Phone, rank::ADDRESS);
    } else {
        hits.push(from, stop, Category::Uri, Form::Text(Group::Local), rank::ADDRESS);
    }
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    #[test]
    fn a_name_before_an_address_or_alone_is_found() {
        finds("INVITE sip:otti@198.51.100.7:5060 SIP/2.0", &[("otti", "uri"), ("198.51.100.7", "ip")]);
        finds("h323:otti", &[("otti", "uri")]);
        finds("<sip:+49301234567@198.51.100.7>", &[("+49301234567", "phone"), ("198.51.100.7", "ip")]);
        finds("<tel:+49-30-1234567>", &[("+49-30-1234567", "phone")]);
        finds(
            "Contact: \"Otti H\" <sip:otti@[2a02:100::1]:5060>",
            &[("Otti H", "person"), ("otti", "uri"), ("2a02:100::1", "ip")],
        );
        finds("<tel:+49-30-1234567;ext=12>", &[("+49-30-1234567;ext=12", "phone")]);
        finds("h323:otti@amt.example", &[("otti@amt.example", "uri")]);
        finds("h323:+49301234567", &[("+49301234567", "phone")]);
        finds("xmpp:otti@amt.example im:otti", &[("otti@amt.example", "uri"), ("otti", "uri")]);
        finds("sips:otti@[2a02:100::1]:5061;transport=tls", &[("otti", "uri"), ("2a02:100::1", "ip")]);
        finds("sip:amt.example;lr", &[("amt.example", "uri")]);
        finds("tel:7042;phone-context=amt.example", &[("7042", "phone"), ("amt.example", "host")]);
        finds("tel:7042;phone-context=+49", &[("7042", "phone")]);
    }

    #[test]
    fn a_scheme_alone_is_nothing() {
        for line in ["SIP/2.0 200 OK", "sip: off", "sips:5061", "a hotel: open", "sip:198.51.100.7".split_at(4).0] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
