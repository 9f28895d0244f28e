//! Stand-ins of names: numbered when the survey learned the value, computed when it did not.

use super::{StandIns, push};
use crate::redact::category::{Action, Category};
use crate::redact::hit::Group;
use crate::redact::learned::{Entry, Learned, canonical};
use crate::redact::unescape;

impl StandIns {
    /// Gives every learned value that has none yet its number in the ticket.
    pub(super) fn number_names(&mut self) {
        let Learned { entries, taken, .. } = &mut self.learned;
        taken.iter().for_each(|&(group, number)| self.given.pass_over(group, number));
        for entry in entries.iter_mut().filter(|entry| entry.number == 0) {
            let text = [entry.group.prefix(), &canonical(&entry.value)].concat();
            let mark = self.prf.text("mark", text.as_bytes());
            let mark = u128::from_be_bytes(mark[..16].try_into().expect("16 of 32 bytes"));
            entry.number = self.given.number(entry.group, mark, |number| taken.contains(&(entry.group, number)));
        }
    }

    /// Whether `number` is a stand-in of `group`.
    fn gave_out(&self, group: Group, number: u32) -> bool {
        (1..=self.given.last(group)).contains(&number) && !self.learned.taken.contains(&(group, number))
    }

    pub(super) fn is_text(&self, group: Group, bytes: &[u8]) -> bool {
        let Some(rest) = strip(bytes, group) else { return false };
        if let Some(tag) = rest.strip_prefix(b"k") {
            return tag.len() == 12 && tag[8..] == self.tag(group, &tag[..8])[..];
        }
        let number =
            std::str::from_utf8(rest).ok().filter(|text| !text.starts_with('0')).and_then(|text| text.parse().ok());
        number.is_some_and(|number| self.gave_out(group, number))
            && self.learned.find(group, &canonical(&String::from_utf8_lossy(bytes))).is_none()
    }

    /// Whether it is a stand-in of another group, where a value of this one was looked for, and no value of this one is called so.
    pub(super) fn is_text_of_another(&self, group: Group, bytes: &[u8]) -> bool {
        Group::ALL.into_iter().any(|other| other != group && self.is_text(other, bytes))
            && self.learned.find(group, &canonical(&String::from_utf8_lossy(bytes))).is_none()
    }

    pub(super) fn write_entry(&self, place: u32, out: &mut Vec<u8>) {
        let entry = &self.learned.entries[place as usize];
        out.extend_from_slice(entry.group.prefix().as_bytes());
        push(out, entry.number);
        out.extend_from_slice(entry.group.suffix().as_bytes());
    }

    pub(super) fn write_text(&self, group: Group, bytes: &[u8], out: &mut Vec<u8>) {
        if self.is_text(group, bytes) {
            out.extend_from_slice(bytes);
            return;
        }
        let key = canonical(&unescape::plain(bytes));
        if let Some(place) = self.learned.find(group, &key) {
            return self.write_entry(place, out);
        }
        let id = hex::encode(&self.prf.text(group.prefix(), key.as_bytes())[..4]);
        out.extend_from_slice(group.prefix().as_bytes());
        out.push(b'k');
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(&self.tag(group, id.as_bytes()));
        out.extend_from_slice(group.suffix().as_bytes());
    }

    fn tag(&self, group: Group, id: &[u8]) -> Vec<u8> {
        let label = format!("{}tag", group.prefix());
        hex::encode(&self.prf.text(&label, id)[..2]).into_bytes()
    }

    /// Whether stand-ins of a group are given out: by values of its category, or by addresses that have a part of it.
    fn gives(&self, group: Group) -> bool {
        let categories: &[Category] = match group {
            Group::Local => &[Category::Email, Category::Uri, Category::User],
            Group::Domain => &[Category::Host, Category::Email, Category::Uri, Category::User],
            other => &[other.category()],
        };
        categories.iter().any(|&category| self.action(category) == Action::StandIn)
    }

    /// An identifier for a path that is hidden as a whole.
    pub(crate) fn path_id(&self, path: &str) -> String {
        hex::encode(&self.prf.text("path", path.as_bytes())[..6])
    }

    /// What stands for an identifier in bytes: as many bytes, the last four of which prove that they were computed with this
    /// ticket's key. It has 8 bytes or more; of a longer one than 36 the rest are zeros.
    pub(crate) fn blob(&self, bytes: &[u8]) -> Vec<u8> {
        let mut new = self.prf.text("blob", bytes).to_vec();
        new.resize(bytes.len().max(8) - 4, 0);
        let tag = self.prf.text("blob tag", &new);
        new.extend_from_slice(&tag[..4]);
        new
    }

    /// Whether bytes are what stands for an identifier.
    pub(crate) fn is_blob(&self, bytes: &[u8]) -> bool {
        let Some((id, tag)) = bytes.split_last_chunk::<4>() else { return false };
        bytes.len() >= 8 && self.prf.text("blob tag", id)[..4] == *tag
    }

    /// Every learned value with its stand-in, where values of its kind get one.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (String, &str, Category)> {
        let given = |entry: &Entry| self.gives(entry.group);
        let entries = self.learned.entries.iter().enumerate().filter(move |(_, entry)| given(entry));
        entries.map(|(place, entry)| {
            let mut text = Vec::new();
            self.write_entry(u32::try_from(place).unwrap_or(0), &mut text);
            (String::from_utf8_lossy(&text).into_owned(), entry.value.as_str(), entry.group.category())
        })
    }
}

fn strip(bytes: &[u8], group: Group) -> Option<&[u8]> {
    bytes.strip_prefix(group.prefix().as_bytes())?.strip_suffix(group.suffix().as_bytes())
}

/// Reads a numbered stand-in, whoever wrote it.
pub(crate) fn numbered(bytes: &[u8], group: Group) -> Option<u32> {
    std::str::from_utf8(strip(bytes, group)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::learned::Sighting;
    use crate::redact::stand_in::tests::stand_ins;

    #[test]
    fn a_stand_in_that_the_input_holds_as_text_is_not_given_out() {
        let table = stand_ins(vec![
            Sighting::Value(Group::Person, "Ottilie Habersaat".into()),
            Sighting::Taken(Group::Person, 1),
        ]);
        assert_eq!(table.learned.entries[0].number, 2);
        assert!(!table.gave_out(Group::Person, 1) && table.gave_out(Group::Person, 2));
    }

    #[test]
    fn a_computed_text_proves_its_origin() {
        let table = stand_ins(vec![]);
        let mut text = Vec::new();
        table.write_text(Group::User, b"quirin", &mut text);
        assert!(table.is_text(Group::User, &text), "{text:?}");
        assert!(!table.is_text(Group::User, b"user-k123456789abc"));
        assert!(!table.is_text(Group::User, b"user-1"));
    }
}
