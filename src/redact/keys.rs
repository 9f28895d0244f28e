//! Keys that say what their value is.

use std::sync::LazyLock;

use super::category::Category;
use super::text::{ByHash, CLASS, WORD};

/// What the value beside a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyClass {
    /// A person's name.
    Person,
    /// A login name, or an address of any kind.
    User,
    /// A computer's name.
    Host,
    /// A telephone number.
    Phone,
    /// A serial number or the like.
    Device,
    /// A conference's name: kept, and not to be learned as a person.
    Conference,
    /// An identifier whose part before `@` stays readable.
    CallId,
    /// Dropped whatever it is.
    Drop(Category),
}

const PERSON: &str = "participant displayname participantname fullname realname firstname lastname surname givenname familyname \
    organizername organisername organizer organiser callerid calleridname calleridnum callername calleename caller callee \
    contactname attendee attendeename attendees ownername chairname guestname nickname gecos remotedisplayname localdisplayname \
    middlename maidenname personname patientname customername clientname employeename membername usersname username2 \
    participants hostdisplayname effectivename calleridnamefull effectivecalleridname originatordisplayname guest speakername \
    commonname legalname preferredname displaynameoverride lastknownname nachname vorname nom prenom";
const USER: &str = "user username login loginname logname ruser luser account accountname acct userid uid usr samaccountname \
    userprincipalname subjectusername targetusername subjectuserid owner setid saslusername usrname logonname authuser \
    remoteuser srcuser dstuser duser suser sourceuser targetuser participantalias remotealias sourcealias alias contact \
    calltag sourceusername destinationusername loginuser dbuser pguser mysqluser sshuser smbuser ftpuser adminuser \
    accountid authid authusername authenticationuser identity screenname handle userlogin createdby updatedby modifiedby \
    requestedby assignee author memberuid loginid userdisplay xuser xremoteuser webuser vpnuser clientuser oldlogin newlogin";
const HOST: &str = "host hostname workstation workstationname computer computername machine machinename nodename node fqdn \
    rhost servername clienthost clienthostname remotehost domain domainname srchost dsthost shost dhost devicename dvchost";
const PHONE: &str = "phone phonenumber telephone telephonenumber tel mobile mobilephone mobilenumber cell cellphone \
    msisdn callernumber callingnumber callednumber fax faxnumber callbacknumber homephone workphone dialednumber dialledunmber \
    dnis ani ddi callerphone contactnumber contactphone calleridnumber handy telefon telefonnummer";
const DEVICE: &str =
    "imei imsi iccid serial serialnumber serialno deviceserial deviceid udid androidid hardwareid idfa";
const CONFERENCE: &str = "conference conferencename conferencealias localalias destinationalias servicename meetingname vmr \
    vmrname roomname serviceName room";
const CALL_ID: &str = "callid messageid inreplyto references callidheader legid";
const DROPPED: &[(&str, Category)] = &[
    (
        "nationalid nationalidnumber ssn socialsecuritynumber socialsecurity taxid nino personalnumber pesel bsn cpf niss nif nie \
      curp aadhaar idcard idcardnumber identitynumber svnr steuerid",
        Category::NationalId,
    ),
    ("passport passportnumber passportno", Category::Passport),
    ("licencenumber driverlicence driverslicense driverlicense drivinglicence drivinglicense", Category::Licence),
    ("licenseplate numberplate licenceplate vin vehicleid", Category::Vehicle),
    ("iban bankaccount accountnumber bic routingnumber sortcode kontonummer", Category::Bank),
    ("cardnumber creditcard creditcardnumber pan cardno", Category::Card),
    ("birthdate birthday dateofbirth dob geburtsdatum birthplace placeofbirth yearofbirth", Category::BirthDate),
    ("sex gender geschlecht", Category::Sex),
    ("nationality citizenship", Category::Nationality),
    (
        "street streetaddress postaladdress homeaddress mailingaddress billingaddress shippingaddress postcode zipcode postalcode \
      addressline1 addressline2",
        Category::Address,
    ),
    (
        "employer company companyname organization organisation organizationname department departmentname",
        Category::Employer,
    ),
    ("jobtitle salutation honorific", Category::Title),
    (
        "religion ethnicity bloodtype diagnosis disability maritalstatus tradeunion sexualorientation politicalparty fingerprintdata \
      healthinsurance",
        Category::Special,
    ),
    (
        "cookie setcookie pin guestpin hostpin chairpin authorization proxyauthorization xapikey xauthtoken apikey appkey \
      secretkey privatekey accesskey community snmpcommunity nonce cnonce response otp passcode pwd passwd passphrase \
      sessionid sid jsessionid phpsessid csrf csrftoken xsrftoken connectionstring dsn authkey encryptionkey masterkey \
      sharedkey presharedkey psk certkey signingkey sessionkey licensekey licencekey kennwort passwort sshkey privkey privacykey communitystring \
      accountkey storagekey sharedaccesskey",
        Category::Secret,
    ),
];

/// Words that make any key they are part of the key of a secret.
pub(crate) const SECRET_WORDS: [&str; 14] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "passphrase",
    "credential",
    "apikey",
    "authtoken",
    "accesstoken",
    "clientsecret",
    "pass",
    "kennwort",
    "passwort",
];

static KEYS: LazyLock<Keys> = LazyLock::new(Keys::new);

struct Keys {
    classes: ByHash<(KeyClass, &'static str)>,
    filter: Box<[u64; 256]>,
}

impl Keys {
    fn new() -> Self {
        let lists = [
            (PERSON, KeyClass::Person),
            (USER, KeyClass::User),
            (HOST, KeyClass::Host),
            (PHONE, KeyClass::Phone),
            (DEVICE, KeyClass::Device),
            (CONFERENCE, KeyClass::Conference),
            (CALL_ID, KeyClass::CallId),
        ];
        let dropped = DROPPED.iter().map(|&(words, category)| (words, KeyClass::Drop(category)));
        let mut keys = Self { classes: ByHash::default(), filter: Box::new([0; 256]) };
        for (words, class) in lists.into_iter().chain(dropped) {
            for word in words.split_whitespace() {
                let hash = key_hash(word.as_bytes());
                keys.classes.insert(hash, (class, word));
                keys.filter[(hash >> 6 & 255) as usize] |= 1 << (hash & 63);
            }
        }
        keys
    }
}

/// A number for a key in which case and `_`, `-`, `.` make no difference.
#[inline]
pub(crate) fn key_hash(key: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for &byte in key {
        if CLASS[byte as usize] & WORD != 0 {
            hash = (hash ^ u64::from(byte | 0x20)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash ^ hash >> 32
}

/// What the value beside `key` is, if the key says so.
#[inline]
pub(crate) fn class_of(key: &[u8]) -> Option<KeyClass> {
    class_of_hash(key_hash(key), key.iter().copied())
}

/// The same for a key in two words.
pub(crate) fn class_of_two(first: &[u8], second: &[u8]) -> Option<KeyClass> {
    let both: Vec<u8> = [first, second].concat();
    class_of(&both)
}

#[inline]
fn class_of_hash(hash: u64, key: impl Iterator<Item = u8>) -> Option<KeyClass> {
    if KEYS.filter[(hash >> 6 & 255) as usize] & 1 << (hash & 63) == 0 {
        return None;
    }
    let (class, word) = KEYS.classes.get(&hash)?;
    let same = key.filter(|&b| CLASS[b as usize] & WORD != 0).map(|b| b.to_ascii_lowercase()).eq(word.bytes());
    same.then_some(*class)
}

/// Whether a key is a secret's: one of its words says so, in `snake_case`, `kebab-case` or `camelCase`.
pub(crate) fn is_secret_key(key: &[u8]) -> bool {
    if matches!(class_of(key), Some(KeyClass::Drop(Category::Secret))) {
        return true;
    }
    if SECRET_ENDINGS.iter().any(|ending| ends_with(key, ending))
        || ends_with(key, "api-key")
        || ends_with(key, "api_key")
    {
        return true;
    }
    let mut from = 0;
    for at in 0..=key.len() {
        let split = at == key.len()
            || CLASS[key[at] as usize] & WORD == 0
            || at > from && key[at].is_ascii_uppercase() && !key[at - 1].is_ascii_uppercase();
        if !split {
            continue;
        }
        let word = &key[from..at];
        if SECRET_WORDS.iter().any(|secret| word.eq_ignore_ascii_case(secret.as_bytes())) {
            let rest = &key[at..];
            return !NOT_SECRET_AFTER.iter().any(|last| ends_with(rest, last));
        }
        from = if at < key.len() && CLASS[key[at] as usize] & WORD == 0 { at + 1 } else { at };
    }
    false
}

/// What makes any key that ends so the key of a secret.
const SECRET_ENDINGS: [&str; 8] =
    ["password", "passwd", "secret", "token", "apikey", "secretkey", "accesskey", "privatekey"];

/// Last words of keys that speak about a secret without holding it.
const NOT_SECRET_AFTER: [&str; 16] = [
    "type", "count", "length", "age", "expires", "expiry", "changed", "url", "endpoint", "policy", "id", "name",
    "file", "path", "limit", "status",
];

fn ends_with(key: &[u8], word: &str) -> bool {
    key.len() >= word.len() && key[key.len() - word.len()..].eq_ignore_ascii_case(word.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_in_any_spelling() {
        for key in ["Display-Name", "display_name", "displayName", "DISPLAY.NAME"] {
            assert_eq!(class_of(key.as_bytes()), Some(KeyClass::Person), "{key}");
        }
        assert_eq!(class_of(b"user-agent"), None);
        assert_eq!(class_of(b"date_of_birth"), Some(KeyClass::Drop(Category::BirthDate)));
    }

    #[test]
    fn a_secret_is_known_by_one_word_of_its_key() {
        for key in
            ["mysql_password", "clientSecret", "password_mysql", "X-Auth-Token", "cert_key_password", "authKey", "PIN"]
        {
            assert!(is_secret_key(key.as_bytes()), "{key}");
        }
        for key in ["tokens", "passenger", "token_type", "password_changed", "compass", "key", "secretary"] {
            assert!(!is_secret_key(key.as_bytes()), "{key}");
        }
    }
}
