//! Tokens of known services: how each begins, and what follows.
//!
//! One row a kind. A token that was cut or mistyped is still a token: the shortest length that counts is below the one its
//! service uses, where the beginning leaves no doubt. Examples of one sign repeated stay readable.

use std::sync::LazyLock;

use super::{base64, drop, hex, random, token, upper, url64, varied};
use crate::redact::hit::Hits;
use crate::redact::text::{self, DIGIT, HEX, IDENT, WORD, before, byte, is};

/// What the signs behind a beginning are.
type Alphabet = fn(u8) -> bool;

/// A kind of token.
struct Token {
    begins: &'static str,
    of: Alphabet,
    /// Fewest signs behind the beginning.
    least: usize,
    /// The beginning alone says little: the rest must be as random as a token.
    common: bool,
}

const fn row(begins: &'static str, of: Alphabet, least: usize) -> Token {
    Token { begins, of, least, common: false }
}

const fn common(begins: &'static str, of: Alphabet, least: usize) -> Token {
    Token { begins, of, least, common: true }
}

fn alnum(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

/// Tokens whose beginning ends with a sign that is no letter or digit, by the word before that sign.
static WORDED: &[Token] = &[
    // source code
    row("ghp_", alnum, 20),
    row("gho_", alnum, 20),
    row("ghu_", alnum, 20),
    row("ghs_", alnum, 20),
    row("ghr_", alnum, 20),
    row("github_pat_", url64, 20),
    row("glpat-", token, 20),
    row("glptt-", url64, 40),
    row("gldt-", url64, 20),
    row("glrt-", url64, 20),
    row("glrtr-", url64, 20),
    row("glcbt-", url64, 20),
    row("glsoat-", url64, 20),
    row("glffct-", url64, 20),
    row("glimt-", url64, 25),
    row("glagent-", url64, 50),
    row("gloas-", url64, 64),
    row("glft-", url64, 20),
    row("glwt-", url64, 20),
    row("sgp_", url64, 32),
    row("sgd_", url64, 32),
    row("slk_", hex, 32),
    row("npm_", alnum, 24),
    row("pypi-", url64, 40),
    row("rubygems_", hex, 32),
    row("CLOJARS_", alnum, 40),
    row("dckr_pat_", url64, 16),
    row("dckr_oat_", url64, 16),
    row("rdme_", alnum, 40),
    row("figd_", url64, 24),
    row("figo_", url64, 24),
    row("ntn_", alnum, 30),
    row("lin_api_", alnum, 24),
    row("lin_oauth_", alnum, 24),
    row("PMAK-", url64, 40),
    row("sntrys_", base64, 40),
    row("sntryu_", hex, 40),
    row("sqp_", hex, 40),
    row("squ_", hex, 40),
    row("sqa_", hex, 40),
    row("pul-", hex, 40),
    row("pnu_", alnum, 30),
    // messages and mail
    row("xoxb-", url64, 16),
    row("xoxp-", url64, 16),
    row("xoxa-", url64, 10),
    row("xoxr-", url64, 10),
    row("xoxs-", url64, 16),
    row("xoxo-", url64, 16),
    row("xoxc-", url64, 16),
    row("xoxd-", base64, 16),
    row("xoxe-", url64, 16),
    row("xoxe.xoxb-", url64, 16),
    row("xoxe.xoxp-", url64, 16),
    row("xapp-", url64, 16),
    row("SG.", token, 30),
    row("xkeysib-", url64, 40),
    row("xsmtpsib-", url64, 40),
    row("key-", hex, 32),
    row("pubkey-", hex, 32),
    row("ico-", hex, 32),
    row("sk_us_", alnum, 24),
    // clouds and operations
    row("dop_v1_", hex, 32),
    row("doo_v1_", hex, 32),
    row("dor_v1_", hex, 32),
    row("ya29.", token, 20),
    row("GOCSPX-", url64, 16),
    row("HRKU-", url64, 30),
    row("hvs.", token, 20),
    row("hvb.", token, 20),
    row("hvr.", token, 20),
    common("s.", alnum, 24),
    row("tfp_", alnum, 20),
    row("dp.pt.", alnum, 30),
    row("dp.st.", token, 30),
    row("dp.ct.", alnum, 30),
    row("dp.sa.", alnum, 30),
    row("dp.scim.", alnum, 30),
    row("dp.audit.", alnum, 30),
    row("dt0c01.", token, 40),
    row("dt0s16.", token, 40),
    row("NRAK-", alnum, 20),
    row("NRII-", url64, 20),
    row("NRJS-", hex, 16),
    row("NRRA-", hex, 16),
    row("glsa_", url64, 30),
    row("glc_", base64, 30),
    row("pscale_tkn_", token, 24),
    row("pscale_oauth_", token, 24),
    row("pscale_pw_", token, 24),
    row("fo1_", url64, 30),
    row("fm1a_", base64, 60),
    row("fm1r_", base64, 60),
    row("fm2_", base64, 60),
    row("tk-us-", url64, 30),
    row("sha256~", url64, 40),
    row("nvapi-", url64, 40),
    row("dnkey-", url64, 60),
    row("tskey-", url64, 16),
    row("AGE-SECRET-KEY-1", alnum, 40),
    row("AGE-PLUGIN-", url64, 40),
    row("age-secret-key-1", alnum, 40),
    row("ops_eyJ", base64, 60),
    common("A3-", url64, 30),
    row("p8e-", alnum, 30),
    row("CFPAT-", url64, 40),
    row("contentful_", url64, 40),
    row("s-s4t2ud-", hex, 40),
    row("s-s4t2af-", hex, 40),
    row("v1.0-", url64, 120),
    row("nfp_", alnum, 30),
    row("vca_", alnum, 20),
    row("sbp_", hex, 40),
    row("ctp_", hex, 40),
    // models
    row("sk-ant-", url64, 24),
    row("sk-proj-", url64, 24),
    row("sk-svcacct-", url64, 24),
    row("sk-admin-", url64, 24),
    row("sk-or-v1-", hex, 40),
    common("sk-", url64, 24),
    row("hf_", alnum, 24),
    row("api_org_", alnum, 24),
    row("r8_", alnum, 30),
    row("gsk_", alnum, 40),
    row("pplx-", alnum, 40),
    row("xai-", alnum, 60),
    // payment and shops
    row("sk_live_", alnum, 10),
    row("sk_test_", alnum, 10),
    row("sk_prod_", alnum, 10),
    row("rk_live_", alnum, 10),
    row("rk_test_", alnum, 10),
    row("rk_prod_", alnum, 10),
    row("pk_live_", alnum, 10),
    row("whsec_", base64, 24),
    common("sk_", url64, 24),
    row("shpat_", hex, 24),
    row("shpca_", hex, 24),
    row("shppa_", hex, 24),
    row("shpss_", hex, 24),
    row("sq0atp-", url64, 20),
    row("sq0csp-", url64, 20),
    row("sq0idp-", url64, 20),
    row("sq0idb-", url64, 20),
    row("shippo_live_", hex, 30),
    row("shippo_test_", hex, 30),
];

/// The words that begin the tokens of [`WORDED`].
pub(super) static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut words: Vec<_> = WORDED.iter().map(|token| first_word(token.begins)).collect();
    words.sort_unstable();
    words.dedup();
    words
});

fn first_word(begins: &'static str) -> &'static str {
    &begins[..text::run(begins.as_bytes(), 0, WORD)]
}

/// The signs behind those words.
static SIGNS: [bool; 256] = {
    let mut signs = [false; 256];
    let mut place = 0;
    while place < WORDED.len() {
        let begins = WORDED[place].begins.as_bytes();
        let mut at = 0;
        while at < begins.len() && begins[at].is_ascii_alphanumeric() {
            at += 1;
        }
        signs[begins[at] as usize] = true;
        place += 1;
    }
    signs
};

/// Tokens that begin with the word at `start..end`; whether there was one.
pub(super) fn worded(text: &[u8], start: usize, end: usize, hits: &mut Hits) -> bool {
    if !SIGNS[usize::from(byte(text, end))] || is(before(text, 0, start), IDENT) {
        return false;
    }
    let rest = &text[start..];
    let longest = WORDED
        .iter()
        .filter(|token| rest.first() == token.begins.as_bytes().first() && rest.starts_with(token.begins.as_bytes()));
    let Some(token) = longest.max_by_key(|token| token.begins.len()) else { return false };
    let from = start + token.begins.len();
    let to = end_of(text, from, token.of);
    let signs = &text[from..to];
    let good = signs.len() >= token.least
        && varied(signs)
        && if token.common { random(signs) } else { signs.iter().any(|&b| is(b, DIGIT)) || mixed(signs) };
    if good {
        // What else hangs on to it belongs to it.
        drop(start, end_of(text, to, super::token), hits);
    }
    good
}

fn mixed(signs: &[u8]) -> bool {
    signs.iter().any(u8::is_ascii_uppercase) && signs.iter().any(u8::is_ascii_lowercase)
}

/// Where the signs of an alphabet end; dots and dashes at the end do not count.
pub(super) fn end_of(text: &[u8], from: usize, of: impl Fn(u8) -> bool) -> usize {
    const MOST: usize = 4096;
    let window = &text[from.min(text.len())..text.len().min(from + MOST)];
    let length = window.iter().position(|&b| !of(b)).unwrap_or(window.len());
    from + window[..length].iter().rposition(|&b| !matches!(b, b'.' | b'-' | b'~')).map_or(0, |at| at + 1)
}

/// Tokens whose beginning runs into the rest, and tokens of a shape of their own; `start..end` is a word of ten or more.
pub(super) fn glued(text: &[u8], start: usize, end: usize, hits: &mut Hits) -> bool {
    let word = &text[start..end];
    let length = word.len();
    // Eight signs in a row hold one of every eighth.
    if word.iter().skip(7).step_by(8).any(|&b| b == b'X') && memchr::memmem::find(word, b"XXXXXXXX").is_some() {
        return false;
    }
    let all = |from: usize, of: Alphabet| word[from..].iter().all(|&b| of(b));
    let to = |of: Alphabet| end_of(text, start, of);
    let bounded = |to: usize| !is(byte(text, to), WORD);
    let found = match word {
        // Amazon: the key's identifier, and a service's long key
        [b'A', b'K' | b'S', b'I', b'A', ..] | [b'A', b'B', b'I', b'A', ..] | [b'A', b'C', b'C', b'A', ..] => {
            (length == 20 && all(4, upper)).then_some(end)
        }
        [b'A', b'3', b'T', ..] => (length == 20 && all(3, upper)).then_some(end),
        [b'A', b'B', b'S', b'K', ..] => Some(to(base64)).filter(|to| to - start >= 60),
        // Google
        [b'A', b'I', b'z', b'a', ..] => Some(to(url64)).filter(|to| to - start >= 30 && varied(&text[start + 4..*to])),
        // Artifactory: user's key, password's hash, reference
        [b'A', b'K', b'C', ..] => (length >= 13).then_some(end),
        [b'A', b'P', c, rest @ ..] if is(*c, HEX) && !c.is_ascii_lowercase() => {
            let counted = is(*c, DIGIT) && rest.len() >= 8 || digits(rest) >= 2 && rest.len() >= 20;
            let example = rest.iter().all(|&b| b == b'x');
            (length >= 11 && (counted || example) && alone(text, start, end)).then_some(end)
        }
        [b'c', b'm', b'V', b'm', b'd', ..] => (length >= 60).then_some(end),
        // Atlassian
        [b'A', b'T', b'A' | b'C', b'T', b'T', b'3', ..] => {
            Some(to(super::token_or_base64)).filter(|to| to - start >= 60)
        }
        [b'A', b'T', b'B', b'B', ..] => (length >= 32 && digits(word) >= 2).then_some(end),
        // Facebook and Square
        [b'E', b'A', b'A', ..] => Some(to(url64))
            .filter(|to| to - start >= if word[3] == b'A' { 26 } else { 60 } && random(&text[start..*to])),
        [b'L', b'T', b'A', b'I', ..] => (length >= 16 && digits(word) >= 1).then_some(end),
        [b'd', b'a', b'p', b'i', ..] => (length >= 34 && all(4, hex)).then_some(end),
        [b'G', b'R', b'1', b'3', b'4', b'8', b'9', b'4', b'1', ..] => Some(to(url64)).filter(|to| to - start >= 25),
        // Twilio: account and key; the account's number is half of what its API asks for
        [b'S' | b'A', b'K' | b'C', ..] if length == 34 && all(2, hex) => Some(end),
        [b'E', b'Z', b'A' | b'T', b'K', ..] => (length >= 50).then_some(end),
        [b'4', b'b', b'1', b'd', ..] => (length == 42 && random(word)).then_some(end),
        [b'o', b'y', b'2', ..] => (length == 46).then_some(end),
        // a JSON Web Token in Base64 once more
        [b'Z', b'X', b'l', b'K', ..] => Some(to(base64)).filter(|to| to - start >= 60 && varied(word)),
        // Grafana's keys are a JSON object in Base64
        [b'e', b'y', b'J', b'r', b'I', b'j', b'o', b'i', ..] => Some(to(base64)).filter(|to| to - start >= 40),
        _ => None,
    };
    if let Some(to) = found.filter(|&to| bounded(to) && !is(before(text, 0, start), WORD)) {
        drop(start, to.max(end), hits);
        return true;
    }
    mailchimp(text, start, end, hits)
        || facebook_app(text, start, end, hits)
        || telegram(text, start, end, hits)
        || discord(text, start, end, hits)
        || password_hash(text, start, end, hits)
}

/// A client's secret of Azure, for the `~` at `at`: three signs, a digit, `Q~`, 31 to 34 signs.
pub(super) fn azure(text: &[u8], at: usize, hits: &mut Hits) {
    let Some(start) = at.checked_sub(5) else { return };
    let of = |b: u8| super::token(b);
    let front = text[at - 1] == b'Q' && is(text[at - 2], DIGIT) && text[start..at - 2].iter().all(|&b| of(b));
    let to = end_of(text, at + 1, of);
    let around = before(text, 0, start);
    if front && (31..=34).contains(&(to - at - 1)) && !is(around, WORD) && around != b'~' && mixed(&text[at..to]) {
        drop(start, to, hits);
    }
}

fn digits(word: &[u8]) -> usize {
    word.iter().filter(|&&b| is(b, DIGIT)).count()
}

/// Whether blanks, quotes or a key stand around.
fn alone(text: &[u8], start: usize, end: usize) -> bool {
    matches!(before(text, 0, start), b' ' | b'\t' | b'\n' | b'"' | b'\'' | b'=' | b':')
        && matches!(byte(text, end), b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b',' | b';')
}

/// 32 hexadecimal digits and the number of a data centre: `…-us12`
fn mailchimp(text: &[u8], start: usize, end: usize, hits: &mut Hits) -> bool {
    let place = end - start == 32
        && text[end..].starts_with(b"-us")
        && text[start..end].iter().all(|&b| hex(b) && !b.is_ascii_uppercase());
    let to = text::run(text, end + 3, DIGIT);
    let good = place && (1..=2).contains(&to.saturating_sub(end + 3)) && !is(byte(text, to), WORD);
    if good {
        drop(start, to, hits);
    }
    good
}

/// An application's number, `|`, and its secret.
fn facebook_app(text: &[u8], start: usize, end: usize, hits: &mut Hits) -> bool {
    if !(15..=16).contains(&(end - start)) || !text[start..end].iter().all(|&b| is(b, DIGIT)) {
        return false;
    }
    let from = match &text[end..] {
        [b'|', ..] => end + 1,
        [b'%', b'7', b'C' | b'c', ..] => end + 3,
        _ => return false,
    };
    let to = end_of(text, from, url64);
    let good = (20..=45).contains(&(to - from)) && mixed(&text[from..to]) && varied(&text[from..to]);
    if good {
        drop(from, to, hits);
    }
    good
}

/// A bot's number, `:`, and 35 signs that begin with `AA`.
fn telegram(text: &[u8], start: usize, end: usize, hits: &mut Hits) -> bool {
    let mut from = start;
    if matches!(before(text, 0, start), b'-' | b'_') && mixed(&text[start..end]) {
        from = start - text[start.saturating_sub(36)..start].iter().rev().take_while(|&&b| url64(b)).count();
    }
    if before(text, 0, from) != b':' || !text[from..].starts_with(b"AA") {
        return false;
    }
    let number = text::run_back(text, from.saturating_sub(18), from - 1, DIGIT);
    let to = end_of(text, from, url64);
    let good = (7..=16).contains(&(from - 1 - number)) && (30..=50).contains(&(to - from)) && mixed(&text[from..to]);
    if good {
        drop(number, to, hits);
    }
    good
}

/// Three parts in Base64 with dots between: 23 to 28, 6, and 27 to 40 signs.
fn discord(text: &[u8], start: usize, end: usize, hits: &mut Hits) -> bool {
    if !(20..=28).contains(&(end - start)) || !matches!(byte(text, end), b'.' | b'-' | b'_') {
        return false;
    }
    let first = end_of(text, start, url64);
    let second = end_of(text, first + 1, url64);
    if byte(text, first) != b'.'
        || byte(text, second) != b'.'
        || second - first != 7
        || !(24..=30).contains(&(first - start))
    {
        return false;
    }
    let third = end_of(text, second + 1, url64);
    let good = (27..=45).contains(&(third - second - 1))
        && random(&text[start..first])
        && mixed(&text[second..third])
        && !is(before(text, 0, start), IDENT);
    if good {
        drop(start, third, hits);
    }
    good
}

/// `LM:NT:::`, as tools print the hashes of Windows passwords.
fn password_hash(text: &[u8], start: usize, end: usize, hits: &mut Hits) -> bool {
    let hashed = |from: usize| text.get(from..from + 32).is_some_and(|word| word.iter().all(|&b| hex(b)));
    let good = end - start == 32
        && hashed(start)
        && byte(text, end) == b':'
        && hashed(end + 1)
        && text[end + 33..].starts_with(b":::");
    if good {
        drop(start, end + 33, hits);
    }
    good
}

#[cfg(test)]
mod tests {
    use crate::redact::detector::tests::{finds, found};

    /// Random signs that are the same in every run, made here so that no file holds what looks like a token.
    fn signs(alphabet: &str, length: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        let mut state = 12_345_u64;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                alphabet[usize::try_from(state >> 33).expect("31 bits fit") % alphabet.len()]
            })
            .collect()
    }

    const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const HEX: &str = "0123456789abcdef";
    const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    fn samples() -> Vec<String> {
        let token = |begins: &str, alphabet: &str, length: usize| format!("{begins}{}", signs(alphabet, length));
        vec![
            token("ghp_", ALNUM, 36),
            token("github_pat_", ALNUM, 82),
            token("glpat-", ALNUM, 20),
            token("glagent-", ALNUM, 50),
            token("npm_", ALNUM, 36),
            token("pypi-AgEIcHlwaS5vcmc", ALNUM, 70),
            token("dckr_pat_", ALNUM, 27),
            token("xoxb-123456789012-123456789012-", ALNUM, 24),
            token("xapp-1-A0B1C2D3E4-123456789012-", HEX, 64),
            format!("SG.{}.{}", signs(ALNUM, 22), signs(ALNUM, 43)),
            token("dop_v1_", HEX, 64),
            token("hvs.", ALNUM, 90),
            token("s.", ALNUM, 24),
            token("glsa_", ALNUM, 32) + "_1a2b3c4d",
            token("AGE-SECRET-KEY-1", UPPER, 58),
            token("sk-proj-", ALNUM, 48),
            token("sk_live_", ALNUM, 24),
            token("rk_test_", ALNUM, 24),
            token("shpat_", HEX, 32),
            token("sq0atp-", ALNUM, 22),
            token("key-", HEX, 32),
            token("AKIA", UPPER, 16),
            token("A3T0", UPPER, 16),
            token("ABSK", ALNUM, 110),
            token("AIza", ALNUM, 35),
            token("AKCp", ALNUM, 69),
            token("AP6", ALNUM, 40),
            token("ATATT3xFfGF0", ALNUM, 170),
            token("EAAM", ALNUM, 150),
            token("dapi", HEX, 32),
            token("GR1348941", ALNUM, 20),
            token("AC", HEX, 32),
            token("SK", HEX, 32),
            signs(HEX, 32) + "-us12",
            format!("7213808860:AA{}", signs(ALNUM, 33)),
            format!("aB38Q~{}", signs(ALNUM, 34)),
            format!("{}.Yj{}.{}", signs(ALNUM, 24), signs(ALNUM, 4), signs(ALNUM, 30)),
        ]
    }

    #[test]
    fn every_kind_of_token_goes_wherever_it_stands() {
        for token in samples() {
            for line in [token.clone(), format!("use {token} now"), format!("got \"{token}\","), format!("x={token}")] {
                assert!(
                    found(&line).iter().any(|(text, category)| text.contains(&token) && category == "secret"),
                    "{line}: {:?}",
                    found(&line)
                );
            }
        }
        let app = signs(ALNUM, 27);
        finds(&format!("app 1308742762612587|{app}"), &[(&app, "secret")]);
    }

    #[test]
    fn a_beginning_alone_is_no_token() {
        for line in [
            "ghp_token_name is wrong",
            "npm_config_registry=https",
            "sk-learn-contrib-something-very-long-name",
            "install xapp-data and glpat-help",
            "key-bindings-for-the-editor",
            "APPLICATION_DIRECTORY APFSContainerScheme APACHE2HANDLER",
            "see s.connectionManagerInstance",
            "import com.example.AbstractContext.reload.AbstractHandlerMethodMapping",
            "AKIA is how keys begin",
            "glpat-xxxxxxxxxxxxxxxxxxxx",
            "2026-11-21T14:20:01.123456+00:00 request 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "sha256~abc",
        ] {
            assert!(found(line).is_empty(), "{line}: {:?}", found(line));
        }
    }
}
