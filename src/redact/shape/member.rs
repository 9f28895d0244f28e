//! What a member of something is: `name` says little, the `name` of a `user` says all.

use super::super::category::Category;
use super::super::keys::{KeyClass, key_hash};

/// Names of a thing's name, number or text.
const NAMES: &str =
    "name value attributevalue text label display title item string entry element li member plain content";
/// Names of parts of a person's name.
const PARTS: &str = "first last full given family middle formatted displayas";
/// Names of what tells one account from another.
const IDS: &str = "id login nick";
const NUMBERS: &str = "number value e164 formatted digits text item string";

/// What a member is whose own key says nothing, by what it is a member of.
pub(super) fn class(outer: KeyClass, key: &[u8]) -> Option<KeyClass> {
    let any = |list: &str| {
        let hash = key_hash(key);
        list.split(' ').any(|word| key_hash(word.as_bytes()) == hash)
    };
    match outer {
        KeyClass::Person if any(NAMES) || any(PARTS) => Some(outer),
        KeyClass::Person | KeyClass::User if any(IDS) => Some(KeyClass::User),
        KeyClass::User if any(PARTS) => Some(KeyClass::Person),
        KeyClass::User | KeyClass::Host | KeyClass::Conference if any(NAMES) => Some(outer),
        KeyClass::Phone | KeyClass::Device if any(NUMBERS) => Some(outer),
        KeyClass::Drop(Category::Secret)
            if any("value attributevalue text data plain content item string entry current old new") =>
        {
            Some(outer)
        }
        KeyClass::Drop(Category::Address) if !any("type id kind country") => Some(outer),
        KeyClass::Drop(category) if category != Category::Secret && (any(NAMES) || any("number code date")) => {
            Some(outer)
        }
        KeyClass::Fitting(_) if any(NAMES) || any("number code") => Some(outer),
        _ => None,
    }
}

/// What the items of a list are whose key is a plural: `users:` above `- anna`.
pub(super) fn class_of_list(key: &[u8]) -> Option<KeyClass> {
    const LISTS: [&[u8]; 14] = [
        b"users",
        b"accounts",
        b"logins",
        b"members",
        b"owners",
        b"admins",
        b"administrators",
        b"operators",
        b"guests",
        b"maintainers",
        b"moderators",
        b"presenters",
        b"authors",
        b"contributors",
    ];
    LISTS.iter().any(|known| key.eq_ignore_ascii_case(known)).then_some(KeyClass::User)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_name_of_what_it_belongs_to() {
        assert_eq!(class(KeyClass::User, b"name"), Some(KeyClass::User));
        assert_eq!(class(KeyClass::User, b"first"), Some(KeyClass::Person));
        assert_eq!(class(KeyClass::Host, b"name"), Some(KeyClass::Host));
        assert_eq!(class(KeyClass::Person, b"state"), None);
        assert_eq!(class(KeyClass::Drop(Category::Secret), b"issuer"), None);
    }
}
