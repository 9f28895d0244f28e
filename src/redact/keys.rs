//! Keys that say what their value is.

use std::sync::LazyLock;

use super::category::Category;
use super::fit::Fit;
use super::text::{ByHash, CLASS, WORD};

/// What the value beside a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Of its category when it has the form of one, else nothing.
    Fitting(Fit),
}

const PERSON: &str = "participant displayname participantname fullname realname firstname lastname surname givenname familyname \
    organizername organisername organizer organiser callerid calleridname calleridnum callername calleename caller callee \
    contactname attendee attendeename attendees ownername chairname guestname nickname gecos remotedisplayname localdisplayname \
    middlename maidenname personname patientname customername clientname employeename membername usersname username2 \
    participants hostdisplayname effectivename calleridnamefull effectivecalleridname originatordisplayname guest speakername \
    commonname legalname preferredname displaynameoverride lastknownname nachname vorname nom prenom \
    nick formatteddisplayname fromname callingpartyname calledpartyname originalcalledpartyname finalcalledpartyname \
    lastredirectingpartyname oldmoderator newmoderator moderatorname";
const USER: &str = "user username login loginname logname ruser luser account accountname acct userid uid usr samaccountname \
    userprincipalname subjectusername targetusername subjectuserid owner setid saslusername usrname logonname authuser \
    remoteuser srcuser dstuser duser suser sourceuser targetuser participantalias remotealias sourcealias alias contact \
    calltag sourceusername destinationusername loginuser dbuser pguser mysqluser sshuser smbuser ftpuser adminuser \
    accountid authid authusername authenticationuser identity screenname handle userlogin createdby updatedby modifiedby \
    requestedby assignee author memberuid loginid userdisplay unixuser principalname principal uname email emailaddress useremail targetaccountname subjectaccountname \
    callinguser runasuser effectiveuser realuser sudouser remoteusername radiususer eapidentity xuser xremoteuser webuser vpnuser clientuser oldlogin newlogin \
    sipfromuser siptouser sipcontactuser sipfromuserstripped extuserid nameid securityid subjectusersid targetusersid usersid objectsid \
    sambasid membersid targetsid";
const HOST: &str = "host hostname workstation workstationname computer computername machine machinename nodename node fqdn \
    rhost servername clienthost clienthostname remotehost domain domainname srchost dsthost shost dhost devicename dvchost";
const PHONE: &str = "phone phonenumber telephone telephonenumber tel mobile mobilephone mobilenumber cell cellphone \
    msisdn callernumber callingnumber callednumber fax faxnumber callbacknumber homephone workphone dialednumber dialledunmber \
    dnis ani ddi rdnis callerphone contactnumber contactphone calleridnumber handy telefon telefonnummer rufnummer \
    diallednumber deskphone callercalleridnumber callercalleeidnumber callerdestinationnumber callerani callerrdnis \
    calleeidnumber effectivecalleridnumber variableeffectivecalleridnumber originationcalleridnumber \
    variableoriginationcalleridnumber outboundcalleridnumber callingpartynumber calledpartynumber callingnum callednum \
    connectedlinenum connectedlinenumber redirectingnumber destinationnumber variabledialednumber callernum phoneno mobileno";
const DEVICE: &str = "imei imeisv imsi iccid meid serial serialnumber serialno deviceserial deviceid udid androidid hardwareid idfa \
    simserial simnumber systemserialnumber productserial boardserial chassisserial seriennummer";
const CONFERENCE: &str = "conference conferencename conferencealias localalias destinationalias servicename meetingname vmr \
    vmrname roomname serviceName room";
const CALL_ID: &str = "callid messageid inreplyto references callidheader legid";
const DROPPED: &[(&str, Category)] = &[
    (
        "nationalid nationalidnumber socialsecuritynumber socialsecurity taxid personalnumber \
      aadhaar idcard idcardnumber identitynumber steuerid personnummer fodselsnummer cprnummer \
      rodnecislo codicefiscale fiscalcode nhsnumber medicarenumber employeenumber employeeid employeeno personnelnumber \
      taxidentificationnumber taxnumber vatnumber vatid ustid ustidnr steuernummer sozialversicherungsnummer \
      versichertennummer personalausweis ausweisnummer nationalinsurancenumber burgerservicenummer rijksregisternummer",
        Category::NationalId,
    ),
    (
        "passport passportnumber passportno passportnr passnummer reisepass reisepassnummer pasaporte passeport passaporto",
        Category::Passport,
    ),
    (
        "licencenumber driverlicence driverslicense driverlicense drivinglicence drivinglicense licencenumber driverslicensenumber driverlicensenumber fuehrerscheinnummer",
        Category::Licence,
    ),
    (
        "licenseplate numberplate licenceplate licenseplatenumber vehicleid vehicleregistration kennzeichen immatriculation",
        Category::Vehicle,
    ),
    (
        "bankaccount bankaccountnumber accountnumber biccode swiftcode routingnumber abarouting sortcode \
      kontonummer bankleitzahl walletaddress",
        Category::Bank,
    ),
    ("cardnumber creditcard creditcardnumber cardno ccnumber ccnum debitcard kreditkarte kartennummer", Category::Card),
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
      jsessionid phpsessid csrf csrftoken xsrftoken connectionstring authkey encryptionkey masterkey \
      sharedkey presharedkey psk certkey signingkey sessionkey licensekey licencekey kennwort passwort sshkey privkey privacykey communitystring \
      accountkey storagekey sharedaccesskey sharedaccesssignature opaque bindpw rootpw sshpass pgpass userpw psk0 psk1 wpapassphrase \
      mysqlpwd authpassphrase privpassphrase radiussecret bearer refreshtoken idtoken accesstoken csrfmiddlewaretoken \
      authenticitytoken viewstate samlresponse samlrequest clientassertion codeverifier mfacode totp otpcode onetimepassword \
      verificationcode recoverycode backupcode puk kerberoskey keytab unlockcode doorcode attendeepw moderatorpw",
        Category::Secret,
    ),
];

/// Keys that mean other things as well.
const FITTING: &[(&str, Fit)] = &[
    ("pan", Fit::Card),
    ("cvv cvc", Fit::CardCode),
    ("vin", Fit::Vehicle),
    (
        "ssn nino pesel bsn cpf niss nif nie curp svnr hetu oib cnp egn amka insee dni ppsn tfn nric rrn cuit rut",
        Fit::NationalId,
    ),
    ("iban", Fit::Account),
    ("bic", Fit::Bank),
    ("sessionid sid", Fit::Session),
    ("dsn", Fit::Source),
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
        let fitting = FITTING.iter().map(|&(words, fit)| (words, KeyClass::Fitting(fit)));
        let mut keys = Self { classes: ByHash::default(), filter: Box::new([0; 256]) };
        for (words, class) in lists.into_iter().chain(dropped).chain(fitting) {
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
    match class_of(key) {
        Some(KeyClass::Drop(Category::Secret)) => return true,
        Some(KeyClass::Fitting(fit)) if fit.category() == Category::Secret => return true,
        _ => {}
    }
    // What those endings end with.
    let may_end = matches!(key.last().map(|b| b | 0x20), Some(b'd' | b'e' | b'n' | b's' | b't' | b'y'));
    if may_end
        && (SECRET_ENDINGS.iter().any(|ending| ends_with(key, ending))
            || ends_with(key, "api-key")
            || ends_with(key, "api_key")
            || ends_with(key, "pass") && !NOT_PASS.iter().any(|word| ends_with(key, word)))
    {
        return true;
    }
    let mut secret = false;
    for word in words_of(key) {
        if secret && NOT_SECRET_AFTER.iter().any(|last| word.eq_ignore_ascii_case(last.as_bytes())) {
            return false;
        }
        secret = secret || SECRET_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    }
    secret
}

/// Whether a key may be a secret's, so that its value must look like one: `access_key`, `signing-key`, `credentials`.
pub(crate) fn may_be_secret_key(key: &[u8]) -> bool {
    let mut words = words_of(key);
    let Some(last) = words.next_back() else { return false };
    let one_of = |word: &[u8], list: &[&str]| list.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    if one_of(last, &["creds", "cred", "credential", "credentials", "auth", "hmac"]) {
        return true;
    }
    one_of(last, &["key", "signature", "sig"]) && words.next_back().is_some_and(|word| one_of(word, &KEY_OF))
}

/// Whether a key is an account's by its last word: `bind_user`, `JVB_AUTH_USER`. Which account it is decides its value.
pub(crate) fn is_login_key(key: &[u8]) -> bool {
    let mut words = words_of(key);
    let one_of = |word: &[u8], list: &[&str]| list.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    words.next_back().is_some_and(|last| one_of(last, &["user", "username"]))
        && words.next_back().is_some_and(|word| !word.is_empty() && !one_of(word, &NOT_LOGIN))
}

/// Words before "user" that make it another thing than an account: `max_user`, `multi-user`.
const NOT_LOGIN: [&str; 18] = [
    "multi", "single", "per", "max", "min", "num", "number", "count", "total", "is", "has", "no", "non", "any", "all",
    "every", "log", "end",
];

/// What a key is of when it is one that opens something.
const KEY_OF: [&str; 40] = [
    "api",
    "app",
    "access",
    "account",
    "admin",
    "aes",
    "amz",
    "application",
    "auth",
    "client",
    "consumer",
    "crypt",
    "crypto",
    "decryption",
    "developer",
    "device",
    "enc",
    "encryption",
    "google",
    "goog",
    "gpg",
    "hmac",
    "integration",
    "jwt",
    "licence",
    "license",
    "master",
    "maps",
    "private",
    "rest",
    "secret",
    "server",
    "service",
    "session",
    "shared",
    "signing",
    "ssh",
    "storage",
    "stream",
    "webhook",
];

/// The words of a key in `snake_case`, `kebab-case` or `camelCase`; between two joints stands an empty one.
struct Words<'k>(Option<&'k [u8]>);

fn words_of(key: &[u8]) -> Words<'_> {
    Words(Some(key))
}

fn of_word(b: u8) -> bool {
    CLASS[usize::from(b)] & WORD != 0
}

/// Whether one word ends and another begins between two bytes of a part without joints.
fn divides(before: u8, next: u8) -> bool {
    next.is_ascii_uppercase() && !before.is_ascii_uppercase()
}

impl<'k> Iterator for Words<'k> {
    type Item = &'k [u8];

    fn next(&mut self) -> Option<&'k [u8]> {
        let key = self.0.take()?;
        let end = (0..key.len()).find(|&at| !of_word(key[at]) || at > 0 && divides(key[at - 1], key[at]));
        let Some(end) = end else { return Some(key) };
        self.0 = Some(&key[end + usize::from(!of_word(key[end]))..]);
        Some(&key[..end])
    }
}

impl DoubleEndedIterator for Words<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let key = self.0.take()?;
        let start =
            (1..=key.len()).rfind(|&at| !of_word(key[at - 1]) || at < key.len() && divides(key[at - 1], key[at]));
        let Some(start) = start else { return Some(key) };
        self.0 = Some(&key[..start - usize::from(!of_word(key[start - 1]))]);
        Some(&key[start..])
    }
}

/// What makes any key that ends so the key of a secret.
const SECRET_ENDINGS: [&str; 10] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "passphrase",
    "passwort",
];

/// Words that end in "pass" and have nothing to do with secrets.
const NOT_PASS: [&str; 14] = [
    "bypass",
    "compass",
    "encompass",
    "trespass",
    "lowpass",
    "highpass",
    "bandpass",
    "allpass",
    "multipass",
    "firstpass",
    "onepass",
    "twopass",
    "proxypass",
    "fastpass",
];

/// Later words of keys that speak about a secret without holding it.
const NOT_SECRET_AFTER: [&str; 62] = [
    "type",
    "types",
    "count",
    "counts",
    "length",
    "len",
    "age",
    "expires",
    "expiry",
    "expired",
    "expiration",
    "changed",
    "url",
    "uri",
    "endpoint",
    "policy",
    "id",
    "ids",
    "name",
    "names",
    "file",
    "path",
    "dir",
    "limit",
    "limits",
    "status",
    "at",
    "on",
    "date",
    "time",
    "timeout",
    "ttl",
    "lifetime",
    "validity",
    "size",
    "min",
    "max",
    "hint",
    "enabled",
    "disabled",
    "required",
    "reset",
    "strength",
    "rotation",
    "issuer",
    "audience",
    "scope",
    "scopes",
    "ref",
    "version",
    "label",
    "title",
    "description",
    "placeholder",
    "message",
    "error",
    "field",
    "prefix",
    "format",
    "mode",
    "store",
    "manager",
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
    fn no_key_reads_like_a_part_of_an_address() {
        let part = |word: &str| {
            word.bytes().all(|b| b.is_ascii_hexdigit()) && word.bytes().any(|b| b.is_ascii_digit()) && word.len() <= 4
        };
        assert!(KEYS.classes.values().all(|(_, word)| !part(word)));
        assert!(SECRET_WORDS.iter().chain(&SECRET_ENDINGS).chain(&KEY_OF).all(|word| !part(word)));
    }

    #[test]
    fn the_words_of_a_key_are_the_same_from_either_end() {
        for (key, expected) in [
            ("access_key", &["access", "key"][..]),
            ("signingKey", &["signing", "Key"]),
            ("X-AMZKey", &["X", "AMZKey"]),
            ("_a__b.", &["", "a", "", "b", ""]),
            ("aB", &["a", "B"]),
            ("", &[""]),
        ] {
            let words: Vec<_> = words_of(key.as_bytes()).collect();
            let mut back: Vec<_> = words_of(key.as_bytes()).rev().collect();
            back.reverse();
            let expected: Vec<_> = expected.iter().map(|word| word.as_bytes()).collect();
            assert_eq!((&words, &back), (&expected, &expected), "{key}");
        }
    }

    #[test]
    fn a_key_that_may_be_a_secret_s_needs_a_value_that_looks_like_one() {
        for key in ["access_key", "signingKey", "X-Amz-Signature", "aws-credentials"] {
            assert!(may_be_secret_key(key.as_bytes()), "{key}");
        }
        for key in ["key", "cache_key", "public_key", "primaryKey", "author", "keyboard"] {
            assert!(!may_be_secret_key(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn an_account_is_known_by_the_last_word_of_its_key() {
        for key in ["bind_user", "JVB_AUTH_USER", "smtpUsername", "x-auth-user"] {
            assert!(is_login_key(key.as_bytes()), "{key}");
        }
        for key in ["user", "multi-user", "max_user", "user_count", "superuser", "_user", "userAgent"] {
            assert!(!is_login_key(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn a_secret_is_known_by_one_word_of_its_key() {
        for key in
            ["mysql_password", "clientSecret", "password_mysql", "X-Auth-Token", "cert_key_password", "authKey", "PIN"]
        {
            assert!(is_secret_key(key.as_bytes()), "{key}");
        }
        for key in [
            "secretName",
            "passwordPolicy",
            "token_expires_in",
            "bypass",
            "password_file",
            "tokens",
            "passenger",
            "token_type",
            "password_changed",
            "compass",
            "key",
            "secretary",
        ] {
            assert!(!is_secret_key(key.as_bytes()), "{key}");
        }
    }
}
