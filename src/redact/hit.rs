//! What a detector found, and how findings that overlap are settled.

use super::category::Category;
use super::text::{WORD, is};

/// What a learned value is; each kind has its own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Group {
    /// `person-17`
    Person,
    /// `user-4`
    User,
    /// `host-2`
    Host,
    /// `device-3`
    Device,
    /// The part of an address before `@`: `u-17`
    Local,
    /// The part after it, and any domain: `d-3.invalid`
    Domain,
    /// `conference-3`, where a profile asks for it
    Conference,
}

impl Group {
    pub(crate) const ALL: [Self; 7] =
        [Self::Person, Self::User, Self::Host, Self::Device, Self::Local, Self::Domain, Self::Conference];

    /// What a stand-in of this group begins with.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Person => "person-",
            Self::User => "user-",
            Self::Host => "host-",
            Self::Device => "device-",
            Self::Local => "u-",
            Self::Domain => "d-",
            Self::Conference => "conference-",
        }
    }

    /// What it ends with.
    pub(crate) const fn suffix(self) -> &'static str {
        if matches!(self, Self::Domain) { ".invalid" } else { "" }
    }

    /// The category of a bare value of this group.
    pub(crate) const fn category(self) -> Category {
        match self {
            Self::Person => Category::Person,
            Self::User => Category::User,
            Self::Host | Self::Domain => Category::Host,
            Self::Device => Category::DeviceId,
            Self::Local => Category::Email,
            Self::Conference => Category::Conference,
        }
    }
}

/// How the stand-in of a finding is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A value of a group; it is looked up by its text.
    Text(Group),
    /// A learned name, by its place in the table.
    Entry(u32),
    /// `local@domain`, each looked up by its text.
    Address,
    /// An IPv4 address.
    Ip4(u32),
    /// An IPv4 address whose parts stand in reverse, as in `in-addr.arpa`.
    Ip4Reversed(u32),
    /// An IPv4 address whose parts are divided by another byte.
    Ip4Joined(u32, u8),
    /// An IPv6 address.
    Ip6(u128),
    /// An IPv6 address whose last 32 bits are written as IPv4.
    Ip6Mixed(u128),
    /// A hardware address.
    Mac,
    /// A telephone number.
    Phone,
    /// Dropped: the category in brackets.
    Drop,
    /// The first part of a value that goes on in other lines, by its place in the table: the stand-in of the whole.
    Divided(u32),
    /// Another part of such a value: nothing.
    Gone,
}

/// A personal value at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) category: Category,
    pub(crate) form: Form,
    pub(crate) rank: u8,
}

/// Who is right when findings overlap: the higher rank.
pub(crate) mod rank {
    pub(crate) const ENCODED: u8 = 1;
    pub(crate) const NAME: u8 = 2;
    pub(crate) const HOST: u8 = 3;
    pub(crate) const USER: u8 = 4;
    pub(crate) const NUMBER: u8 = 5;
    pub(crate) const ADDRESS: u8 = 6;
    pub(crate) const KEYED: u8 = 7;
    pub(crate) const DISPLAY_NAME: u8 = 8;
    pub(crate) const SECRET: u8 = 9;
    /// What a profile itself names.
    pub(crate) const OWN: u8 = 10;
    /// What was not read; it is never kept.
    pub(crate) const UNREAD: u8 = 11;
    pub(crate) const DIVIDED: u8 = 12;
    /// A line of a private key.
    pub(crate) const KEY: u8 = 13;
}

/// The findings of one line.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    pub(crate) found: Vec<Hit>,
    spare: Vec<Hit>,
}

impl Hits {
    #[inline]
    pub(crate) fn push(&mut self, start: usize, end: usize, category: Category, form: Form, rank: u8) {
        if start < end {
            self.found.push(Hit { start, end, category, form, rank });
        }
    }

    /// Gives every finding of a category another rank.
    pub(crate) fn raise(&mut self, category: Category, rank: u8) {
        self.found.iter_mut().filter(|hit| hit.category == category).for_each(|hit| hit.rank = rank);
    }

    /// Leaves findings that do not overlap, in the order of the text. Where two overlap, the higher rank keeps its place
    /// and the other keeps what sticks out.
    pub(crate) fn settle(&mut self, text: &[u8]) {
        if self.found.len() < 2 {
            return;
        }
        let order = |hit: &Hit| (hit.start, std::cmp::Reverse(hit.rank), std::cmp::Reverse(hit.end));
        self.found.sort_by_key(order);
        if self.found.windows(2).all(|pair| pair[0].end <= pair[1].start) {
            return;
        }
        // Taken from the end, so that what sticks out can be put back in its place cheaply.
        self.found.reverse();
        self.spare.clear();
        while let Some(mut hit) = self.found.pop() {
            let Some(last) = self.spare.last_mut().filter(|last| hit.start < last.end) else {
                self.spare.push(hit);
                continue;
            };
            let rest = if hit.rank > last.rank {
                let after = Hit { start: hit.end, ..*last };
                last.end = hit.start;
                if !sticks_out(text, last) {
                    self.spare.pop();
                } else {
                    last.form = cut_form(last.form, last.category);
                }
                self.spare.push(hit);
                after
            } else {
                hit.start = last.end;
                hit
            };
            if rest.start < rest.end && sticks_out(text, &rest) {
                let rest = Hit { form: cut_form(rest.form, rest.category), ..rest };
                let place = self.found.partition_point(|other| order(other) > order(&rest));
                self.found.insert(place, rest);
            }
        }
        std::mem::swap(&mut self.found, &mut self.spare);
    }
}

fn sticks_out(text: &[u8], hit: &Hit) -> bool {
    hit.start < hit.end && text[hit.start..hit.end].iter().any(|&byte| is(byte, WORD))
}

/// What is left of a finding is no longer an address or number of its kind; a name's entry is still the right one.
pub(crate) const fn cut_form(form: Form, category: Category) -> Form {
    match form {
        Form::Entry(_) | Form::Drop | Form::Divided(_) | Form::Gone => form,
        Form::Text(group) => Form::Text(group),
        Form::Phone
        | Form::Mac
        | Form::Ip4(_)
        | Form::Ip4Reversed(_)
        | Form::Ip4Joined(..)
        | Form::Ip6(_)
        | Form::Ip6Mixed(_) => Form::Drop,
        Form::Address => match category {
            Category::User => Form::Text(Group::User),
            _ => Form::Text(Group::Local),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(start: usize, end: usize, rank: u8) -> Hit {
        Hit { start, end, category: Category::Person, form: Form::Entry(0), rank }
    }

    #[test]
    fn what_sticks_out_of_a_better_finding_is_not_forgotten() {
        let text = b"anna mueller anna b";
        let mut hits = Hits { found: vec![hit(0, 19, 1), hit(5, 12, 9)], ..Hits::default() };
        hits.settle(text);
        let spans: Vec<_> = hits.found.iter().map(|hit| (hit.start, hit.end)).collect();
        assert_eq!(spans, [(0, 5), (5, 12), (12, 19)]);
    }

    #[test]
    fn the_longer_of_two_equals_wins() {
        let mut hits = Hits { found: vec![hit(0, 4, 2), hit(0, 12, 2), hit(5, 12, 2)], ..Hits::default() };
        hits.settle(b"anna mueller");
        assert_eq!(hits.found, [hit(0, 12, 2)]);
    }
}
