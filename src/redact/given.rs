//! What a ticket has given out: whoever was `person-17` in one snapshot of a ticket is that in the next one too, and nobody
//! else ever is.
//!
//! Values are known by marks computed with the ticket's key; no name stands in it. As bytes it is a line of text for each
//! stand-in, in their order, and a mark behind it, or `text` where the input itself held what reads like that stand-in:
//!
//! ```text
//! person-17 5b0d…
//! person-80 text
//! 240.17.3.0/24 c2f1…
//! 2001:db8:1:2::/64 88ae…
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, BufRead, ErrorKind, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::hit::Group;
use super::stand_in::numbered;

/// What a value is known by: 16 bytes that nobody can compute without the ticket's key.
pub(crate) type Mark = u128;

/// The stand-ins of names and networks that a ticket has given out, without what they stand for.
///
/// It belongs to one [`TicketKey`](super::TicketKey): under another key nothing in it is known again.
#[derive(Clone, Default)]
pub struct Given {
    numbers: BTreeMap<(Group, Mark), Vec<u32>>,
    /// The highest number of a group that was given out or passed over.
    last: BTreeMap<Group, u32>,
    /// Numbers that the input held as text.
    text: BTreeSet<(Group, u32)>,
    pub(crate) nets4: Networks<u32>,
    pub(crate) nets6: Networks<u64>,
}

/// The networks that stand for others.
#[derive(Clone, Default)]
pub(crate) struct Networks<N> {
    known: BTreeMap<Mark, N>,
    used: BTreeSet<N>,
}

impl<N: Copy + Ord> Networks<N> {
    /// What stands for the network with this mark.
    pub(crate) fn known(&self, mark: Mark) -> Option<N> {
        self.known.get(&mark).copied()
    }

    /// Whether a network was given out, or was in the input.
    pub(crate) fn is_used(&self, net: N) -> bool {
        self.used.contains(&net)
    }

    /// Notes what stands for a network.
    pub(crate) fn give(&mut self, mark: Mark, net: N) {
        self.known.insert(mark, net);
        self.used.insert(net);
    }

    /// Never gives out what was in the input.
    pub(crate) fn pass_over(&mut self, net: N) {
        self.used.insert(net);
    }

    /// What was in the input and stands for nothing.
    fn text(&self) -> impl Iterator<Item = N> {
        let given: BTreeSet<N> = self.known.values().copied().collect();
        self.used.iter().copied().filter(move |net| !given.contains(net))
    }
}

impl Given {
    /// The number of the value with this mark: its own, or the next one. A number in `text` is given to nobody, so a value
    /// has another one as long as the input holds its own as text.
    pub(crate) fn number(&mut self, group: Group, mark: Mark, text: impl Fn(u32) -> bool) -> u32 {
        let numbers = self.numbers.entry((group, mark)).or_default();
        if let Some(&number) = numbers.iter().find(|&&number| !text(number)) {
            return number;
        }
        let last = self.last.entry(group).or_default();
        loop {
            *last += 1;
            if !text(*last) && !self.text.contains(&(group, *last)) {
                numbers.push(*last);
                return *last;
            }
        }
    }

    /// Never gives out a number that the input holds as text.
    pub(crate) fn pass_over(&mut self, group: Group, number: u32) {
        if number > self.last(group) {
            self.text.insert((group, number));
        }
    }

    /// The highest number of a group that was given out or passed over.
    pub(crate) fn last(&self, group: Group) -> u32 {
        self.last.get(&group).copied().unwrap_or(0)
    }

    /// Whether nothing was given out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty() && self.nets4.known.is_empty() && self.nets6.known.is_empty()
    }

    /// Writes it, the same for the same content.
    pub fn write(&self, mut output: impl Write) -> io::Result<()> {
        for (&(group, mark), numbers) in &self.numbers {
            for number in numbers {
                writeln!(output, "{}{number}{} {mark:032x}", group.prefix(), group.suffix())?;
            }
        }
        for &(group, number) in self.text.iter().filter(|&&(group, number)| number > self.last(group)) {
            writeln!(output, "{}{number}{} text", group.prefix(), group.suffix())?;
        }
        for (mark, &net) in &self.nets4.known {
            writeln!(output, "{}/24 {mark:032x}", Ipv4Addr::from(net << 8))?;
        }
        for net in self.nets4.text() {
            writeln!(output, "{}/24 text", Ipv4Addr::from(net << 8))?;
        }
        for (mark, &net) in &self.nets6.known {
            writeln!(output, "{}/64 {mark:032x}", Ipv6Addr::from(u128::from(net) << 64))?;
        }
        for net in self.nets6.text() {
            writeln!(output, "{}/64 text", Ipv6Addr::from(u128::from(net) << 64))?;
        }
        Ok(())
    }

    /// Reads it back. A line that is no stand-in and mark is an error of kind `InvalidData`.
    pub fn read(input: impl BufRead) -> io::Result<Self> {
        let mut given = Self::default();
        for line in input.lines() {
            given.enter(&line?).ok_or(ErrorKind::InvalidData)?;
        }
        given.numbers.values_mut().for_each(|numbers| numbers.sort_unstable());
        Ok(given)
    }

    fn enter(&mut self, line: &str) -> Option<()> {
        let (stand_in, mark) = line.split_once(' ')?;
        let mark = match mark {
            "text" => None,
            hex if hex.len() == 32 => Some(Mark::from_str_radix(hex, 16).ok()?),
            _ => return None,
        };
        if let Some(net) = stand_in.strip_suffix("/24") {
            let net = net.parse::<Ipv4Addr>().ok()?.to_bits() >> 8;
            self.nets4.enter(mark, net);
        } else if let Some(net) = stand_in.strip_suffix("/64") {
            let net = u64::try_from(net.parse::<Ipv6Addr>().ok()?.to_bits() >> 64).ok()?;
            self.nets6.enter(mark, net);
        } else {
            let named = |&group: &Group| Some((group, numbered(stand_in.as_bytes(), group)?));
            let (group, number) = Group::ALL.iter().find_map(named).filter(|&(_, number)| number > 0)?;
            match mark {
                None => drop(self.text.insert((group, number))),
                Some(mark) => {
                    self.numbers.entry((group, mark)).or_default().push(number);
                    let last = self.last.entry(group).or_default();
                    *last = number.max(*last);
                }
            }
        }
        Some(())
    }
}

impl<N: Copy + Ord> Networks<N> {
    fn enter(&mut self, mark: Option<Mark>, net: N) {
        match mark {
            Some(mark) => self.give(mark, net),
            None => self.pass_over(net),
        }
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("names", &self.numbers.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(given: &Given) -> String {
        let mut bytes = Vec::new();
        given.write(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn it_says_the_same_when_it_is_written_and_read_again() {
        let mut given = Given::default();
        for (mark, group) in [(7, Group::Person), (8, Group::Person), (7, Group::Domain), (9, Group::Local)] {
            given.number(group, mark, |number| number == 1);
        }
        given.pass_over(Group::Person, 80);
        given.nets4.give(5, 240 << 16 | 4);
        given.nets4.pass_over(241 << 16);
        given.nets6.give(6, 0x2001_0db8_0000_0001);
        let text = bytes(&given);
        assert!(
            text.contains("\nperson-80 text\n240.0.4.0/24 0000") && text.contains("\n2001:db8:0:1::/64 0"),
            "{text}"
        );
        let mut again = Given::read(text.as_bytes()).unwrap();
        assert_eq!(bytes(&again), text);
        assert_eq!(again.number(Group::Person, 8, |_| false), 3);
        assert_eq!(again.number(Group::Person, 9, |_| false), 4);
        assert_eq!(again.nets4.known(5), Some(240 << 16 | 4));
        assert!(again.nets4.is_used(241 << 16) && !again.is_empty());
    }

    #[test]
    fn a_number_that_the_input_holds_as_text_is_given_to_nobody_and_its_owner_gets_it_back() {
        let mut given = Given::default();
        assert_eq!(given.number(Group::Person, 7, |_| false), 1);
        assert_eq!(given.number(Group::Person, 7, |number| number == 1), 2);
        assert_eq!(given.number(Group::Person, 7, |_| false), 1);
        given.pass_over(Group::Person, 3);
        assert_eq!(given.number(Group::Person, 8, |_| false), 4);
    }

    #[test]
    fn what_is_no_line_of_it_is_told() {
        for line in ["person-1", "person-0 text", "person-1 5b", "240.1.2/24 text", "badge-7 text", "person-x text"] {
            assert_eq!(Given::read(line.as_bytes()).unwrap_err().kind(), ErrorKind::InvalidData, "{line}");
        }
    }
}
