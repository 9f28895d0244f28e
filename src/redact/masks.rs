//! Where in a text something may stand: one bit for each byte, 64 bytes at a time.
//!
//! First every byte gets its classes, by vector instructions where the processor has them ([`simd`](super::simd)) and by
//! arithmetic on eight bytes at a time where not. From those bits a few operations on whole words of 64 make the places at
//! which a detector may have something to say: the [`Shape`]s. A shape is never too narrow: whoever asks for it misses
//! nothing that a look at every one of its anchors would find.

use super::simd;

/// Where around its anchors a detector wants to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// At every one.
    Every,
    /// `=` or `:` that may stand behind a key: not doubled, and no `:` between digits.
    Key,
    /// The first of three `.` with one to three digits between them, and digits around.
    Dotted,
    /// `:` beside hexadecimal digits or another `:`, with a `::` or five `:` among the 40 bytes from there.
    Colons,
    /// The first joint of pairs of hexadecimal digits (five joints `:` or `-`) or of groups of four (two joints `.`).
    Pairs,
    /// Right before a digit.
    BeforeDigit,
    /// The first of three `-` with one to three digits between them, and digits around.
    Dashed,
}

/// How many shapes there are.
const SHAPES: usize = 7;

/// The classes of 64 bytes, a bit for each byte, the first byte's lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Classes {
    pub(super) word: u64,
    pub(super) high: u64,
    pub(super) digit: u64,
    pub(super) hex: u64,
    pub(super) colon: u64,
    pub(super) dot: u64,
    pub(super) dash: u64,
    pub(super) equals: u64,
    /// `+` and `(`
    pub(super) opening: u64,
    pub(super) at: u64,
    /// `%`, `\` and `&`
    pub(super) escape: u64,
    /// `$` and `~`
    pub(super) sign: u64,
    /// `^` and `#`
    pub(super) breaks: u64,
    /// `{`, `[` and `<`
    pub(super) opens: u64,
    /// Bytes of keys and names.
    pub(super) ident: u64,
    /// Blank and `/`
    pub(super) gap: u64,
    /// `?`
    pub(super) question: u64,
    /// What begins a terminal's colour.
    pub(super) colour: u64,
}

/// The places in 64 bytes of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// Bytes of words.
    pub(crate) word: u64,
    /// Bytes of characters outside ASCII.
    pub(crate) high: u64,
    /// First bytes of words that do not begin with a digit.
    pub(crate) lead: u64,
    /// First bytes of words that do.
    pub(crate) digit_lead: u64,
    /// First bytes of words of ten bytes or more.
    pub(crate) long: u64,
    /// First digits of runs of digits, with three bytes behind them that may belong to a number.
    pub(crate) digits: u64,
    /// The places of every [`Shape`], in the order of its variants.
    pub(crate) shapes: [u64; SHAPES],
    /// Bytes with which an escape begins.
    pub(crate) escape: u64,
    /// Bytes with which a rarer escape may begin: `=` before `?` or two hexadecimal digits, and a terminal's colour.
    pub(crate) rare_escape: u64,
    /// `^` and `#`
    pub(crate) breaks: u64,
    /// `{`, `[` and `<`
    pub(crate) opens: u64,
    /// Every `:`.
    pub(crate) colon: u64,
    /// Bytes of keys and names.
    pub(crate) ident: u64,
    /// Digits.
    pub(crate) digit: u64,
    /// Letters and digits of ASCII, and what may stand between the groups of a number: blank, `-`, `.`, `/`.
    pub(crate) numeric: u64,
}

impl Block {
    /// The places where detectors look that are no keys.
    #[inline]
    pub(crate) const fn rare(&self) -> u64 {
        let [every, _, dotted, colons, pairs, before_digit, dashed] = self.shapes;
        every | dotted | colons | pairs | before_digit | dashed
    }

    /// The same without the places of one shape.
    pub(crate) const fn without(&self, shape: Shape) -> Self {
        let mut block = *self;
        block.shapes[shape as usize] = 0;
        block
    }
}

/// Of which anchors every one is wanted: all bits set, or none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) colon: u64,
    pub(crate) dot: u64,
    pub(crate) dash: u64,
    pub(crate) equals: u64,
    pub(crate) opening: u64,
    pub(crate) at: u64,
    pub(crate) sign: u64,
    /// Whether nothing is wanted but words and escapes.
    pub(crate) words_only: bool,
}

/// The places in a text.
#[derive(Debug, Default)]
pub(crate) struct Masks {
    pub(crate) blocks: Vec<Block>,
    any_high: bool,
}

impl Wanted {
    /// Nothing but words and escapes.
    const WORDS: Self = Self { colon: 0, dot: 0, dash: 0, equals: 0, opening: 0, at: 0, sign: 0, words_only: true };

    /// Wants every anchor that is this byte; `false` when no places are kept of it.
    pub(crate) const fn want(&mut self, byte: u8) -> bool {
        match byte {
            b':' => self.colon = u64::MAX,
            b'.' => self.dot = u64::MAX,
            b'-' => self.dash = u64::MAX,
            b'=' => self.equals = u64::MAX,
            b'+' | b'(' => self.opening = u64::MAX,
            b'@' => self.at = u64::MAX,
            b'$' | b'~' => self.sign = u64::MAX,
            _ => return false,
        }
        true
    }
}

impl Masks {
    /// Finds the words and escapes in `text`.
    pub(crate) fn read_words(&mut self, text: &[u8]) {
        self.read(text, &Wanted::WORDS);
    }

    /// Finds the places in `text`.
    pub(crate) fn read(&mut self, text: &[u8], wanted: &Wanted) {
        self.blocks.clear();
        self.blocks.reserve(text.len() / 64 + 1);
        if !simd::read(text, wanted, &mut self.blocks) {
            read_with(text, wanted, &mut self.blocks, classes);
        }
        self.any_high = self.blocks.iter().any(|block| block.high != 0);
    }

    /// Whether at least four digits follow at `at` with only what numbers are made of between them.
    #[inline]
    pub(crate) fn four_digits(&self, at: usize) -> bool {
        let (block, bit) = (at / 64, at % 64);
        let here = &self.blocks[block];
        let (run, digits) = ((here.numeric >> bit).trailing_ones(), here.digit >> bit);
        if bit + run as usize >= 64 {
            let Some(next) = self.blocks.get(block + 1) else { return digits.count_ones() >= 4 };
            let more = next.numeric.trailing_ones();
            if more == 64 {
                return true;
            }
            return digits.count_ones() + (next.digit & !(u64::MAX << more)).count_ones() >= 4;
        }
        bits_left(digits & !(u64::MAX << run), 3)
    }

    /// What stands between two places.
    #[inline]
    pub(crate) fn signs(&self, from: usize, to: usize) -> Signs {
        let (mut breaks, mut opens, mut escapes) = (0, 0, 0);
        if from < to {
            let (first, last) = (from / 64, (to - 1) / 64);
            for (number, block) in (first..).zip(&self.blocks[first..=last]) {
                let inside = if number == first { u64::MAX << (from % 64) } else { u64::MAX };
                let inside = if number == last { inside & u64::MAX >> (63 - (to - 1) % 64) } else { inside };
                breaks |= block.breaks & inside;
                opens |= block.opens & inside;
                escapes |= block.escape & inside;
            }
        }
        Signs { breaks: breaks != 0, opens: opens != 0, escapes: escapes != 0 }
    }

    /// Whether among the 40 bytes from `at` there is a `::`, or there are five `:`.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "40 bits are wanted")]
    pub(crate) fn many_colons(&self, at: usize) -> bool {
        let (block, bit) = (at / 64, at % 64);
        let next = self.blocks.get(block + 1).map_or(0, |block| block.colon);
        let two = u128::from(next) << 64 | u128::from(self.blocks[block].colon);
        let near = (two >> bit) as u64 & ((1 << 40) - 1);
        near & near >> 1 != 0 || bits_left(near, 4)
    }

    /// Whether there is a byte outside ASCII between two places.
    #[inline]
    pub(crate) fn high(&self, from: usize, to: usize) -> bool {
        self.any_high
            && (from / 64..=(to - 1) / 64).any(|block| {
                let mut high = self.blocks[block].high;
                if block == from / 64 {
                    high &= u64::MAX << (from % 64);
                }
                if block == (to - 1) / 64 {
                    high &= u64::MAX >> (63 - (to - 1) % 64);
                }
                high != 0
            })
    }

    /// Where the run of bytes of keys begins that ends before `end`; at least 64 bytes are looked at.
    #[inline]
    pub(crate) fn ident_start(&self, end: usize) -> usize {
        let (mut block, bit) = (end / 64, end % 64);
        let mut run = 0;
        if bit > 0 {
            run = (self.blocks[block].ident << (64 - bit)).leading_ones() as usize;
            if run < bit {
                return end - run;
            }
            run = bit;
        }
        while block > 0 && run <= 64 {
            block -= 1;
            let more = self.blocks[block].ident.leading_ones() as usize;
            run += more;
            if more < 64 {
                break;
            }
        }
        end - run
    }

    /// Where the word ends that has a byte at `at`.
    #[inline]
    pub(crate) fn word_end(&self, at: usize) -> usize {
        let (mut block, bit) = (at / 64, at % 64);
        let rest = (!(self.blocks[block].word >> bit)).trailing_zeros() as usize;
        if bit + rest < 64 {
            return at + rest;
        }
        loop {
            block += 1;
            let Some(next) = self.blocks.get(block) else { return block * 64 };
            if next.word != u64::MAX {
                return block * 64 + next.word.trailing_ones() as usize;
            }
        }
    }
}

/// Whether bits are left when the lowest `count` are gone.
#[inline]
fn bits_left(mut bits: u64, count: u32) -> bool {
    for _ in 0..count {
        bits &= bits.wrapping_sub(1);
    }
    bits != 0
}

/// Which signs stand in a line, so that nobody need look for those that do not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signs {
    /// `^` or `#`, with which a line end written as text begins.
    pub(crate) breaks: bool,
    /// `{`, `[` or `<`.
    pub(crate) opens: bool,
    /// `%`, `\` or `&`.
    pub(crate) escapes: bool,
}

impl Signs {
    /// Any may stand there.
    pub(crate) const ANY: Self = Self { breaks: true, opens: true, escapes: true };
}

/// Puts the places in `text` into `blocks`, by a function that tells the classes of 64 bytes.
#[inline(always)]
pub(super) fn read_with(text: &[u8], wanted: &Wanted, blocks: &mut Vec<Block>, classes: impl Fn(&[u8; 64]) -> Classes) {
    let (whole, rest) = text.as_chunks::<64>();
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    let last = (!rest.is_empty()).then_some(&last);
    let (mut before, mut current) = (Classes::default(), None);
    for chunk in whole.iter().chain(last) {
        let next = classes(chunk);
        if let Some(current) = current.replace(next) {
            blocks.push(places(&before, &current, &next, wanted));
            before = current;
        }
    }
    if let Some(current) = current {
        blocks.push(places(&before, &current, &Classes::default(), wanted));
    }
}

/// The places in 64 bytes between those before and those behind.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the low half is the block itself")]
fn places(before: &Classes, current: &Classes, next: &Classes, wanted: &Wanted) -> Block {
    // A bit of `ahead(mask, n)` says what stands n bytes further on, one of `behind` what stood n bytes before.
    let two = |current: u64, next: u64| u128::from(next) << 64 | u128::from(current);
    let behind = |before: u64, current: u64, count: u32| current << count | before >> (64 - count);
    let word = two(current.word, next.word);
    let colon = two(current.colon, next.colon);
    let hex = two(current.hex, next.hex);
    let digit = two(current.digit, next.digit);
    let question = two(current.question, next.question);
    let encoded = (question >> 1 | hex >> 1 & hex >> 2) as u64;

    let start = current.word & !behind(before.word, current.word, 1);
    let pairs = word & word >> 1;
    let fours = pairs & pairs >> 2;
    let tens = fours & fours >> 4 & pairs >> 8;
    let words = Block {
        word: current.word,
        high: current.high,
        lead: start & !current.digit,
        digit_lead: start & current.digit,
        long: start & tens as u64,
        escape: current.escape,
        rare_escape: current.equals & encoded | current.colour,
        ..Block::default()
    };
    if wanted.words_only {
        return words;
    }

    let digit_before = behind(before.digit, current.digit, 1);
    let digit_after = (digit >> 1) as u64;
    let colon_before = behind(before.colon, current.colon, 1);
    let colon_after = (colon >> 1) as u64;
    let equals_beside =
        behind(before.equals, current.equals, 1) | two(current.equals, next.equals).wrapping_shr(1) as u64;
    let key =
        current.colon & !(digit_before & digit_after) & !colon_before & !colon_after | current.equals & !equals_beside;

    let dot = two(current.dot, next.dot);
    let dash = two(current.dash, next.dash);
    let four_numbers = |joint: u128| {
        let joints = joint & (digit << 1 | u128::from(before.digit >> 63)) & digit >> 1;
        if joints.count_ones() < 3 {
            return 0;
        }
        let second = joints >> 2 | joints >> 3 | joints >> 4;
        let third = joints >> 4 | joints >> 5 | joints >> 6 | joints >> 7 | joints >> 8;
        (joints & second & third) as u64
    };

    let hex_before = behind(before.hex, current.hex, 1);
    let hex_after = (hex >> 1) as u64;
    let colons = if colon & colon >> 1 != 0 || colon.count_ones() >= 5 {
        current.colon & (hex_before | colon_after) & (hex_after | colon_after | colon_before)
    } else {
        0
    };

    let five = |joint: u128| {
        if joint.count_ones() < 5 { 0 } else { (joint & joint >> 3 & joint >> 6 & joint >> 9 & joint >> 12) as u64 }
    };
    let pairs_of_hex = (five(colon) | five(dash) | (dot & dot >> 5) as u64) & hex_before & hex_after;

    let numeric = |of: &Classes| of.word & !of.high | of.gap | of.dash | of.dot;
    let numerics = two(numeric(current), numeric(next));
    let two_numeric = numerics & numerics >> 1;

    let every = current.colon & wanted.colon
        | current.dot & wanted.dot
        | current.dash & wanted.dash
        | current.equals & wanted.equals
        | current.opening & wanted.opening
        | current.at & wanted.at
        | current.sign & wanted.sign;
    Block {
        digits: current.digit & !digit_before & (two_numeric & two_numeric >> 2) as u64,
        shapes: [
            every,
            key,
            four_numbers(dot),
            colons,
            pairs_of_hex,
            current.opening & digit_after,
            four_numbers(dash),
        ],
        breaks: current.breaks,
        opens: current.opens,
        colon: current.colon,
        ident: current.ident,
        digit: current.digit,
        numeric: numeric(current),
        ..words
    }
}

/// The classes of 64 bytes, eight at a time.
fn classes(bytes: &[u8; 64]) -> Classes {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut all = Classes::default();
    for (place, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        let value = u64::from_le_bytes(*eight);
        // In each of the eight bytes the highest bit tells. What is in a byte never reaches its neighbour.
        let high = value & HIGH;
        let low = value & LOW;
        let at_least = |low: u64, least: u8| (low + ONES * u64::from(0x80 - least)) & HIGH;
        let within = |low: u64, first: u8, last: u8| at_least(low, first) & !at_least(low, last + 1) & !high;
        let is = |byte: u8| !((low ^ (ONES * u64::from(byte))) + LOW) & HIGH & !high;
        let lower = low | (ONES * 0x20);
        let digit = within(low, b'0', b'9');
        let letter = within(lower, b'a', b'z');
        // The highest bits of the eight bytes, side by side.
        let row = |bits: u64| ((bits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * place);
        all.word |= row(digit | letter | high);
        all.high |= row(high);
        all.digit |= row(digit);
        all.hex |= row(digit | within(lower, b'a', b'f'));
        all.colon |= row(is(b':'));
        all.dot |= row(is(b'.'));
        all.dash |= row(is(b'-'));
        all.equals |= row(is(b'='));
        all.opening |= row(is(b'+') | is(b'('));
        all.at |= row(is(b'@'));
        all.escape |= row(is(b'%') | is(b'\\') | is(b'&'));
        all.gap |= row(is(b' ') | is(b'/'));
        all.question |= row(is(b'?'));
        all.colour |= row(is(0x1b));
        all.ident |= row(digit | letter | is(b'_') | is(b'-') | is(b'.'));
        all.sign |= row(is(b'$') | is(b'~'));
        all.breaks |= row(is(b'^') | is(b'#'));
        all.opens |= row(is(b'{') | is(b'[') | is(b'<'));
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redact::text::{DIGIT, HEX, HIGH, IDENT, WORD, is};

    /// What the classes mean, byte by byte.
    fn plainly(bytes: &[u8; 64]) -> Classes {
        let row = |test: &dyn Fn(u8) -> bool| {
            bytes.iter().enumerate().fold(0, |row, (at, &byte)| row | u64::from(test(byte)) << at)
        };
        Classes {
            word: row(&|b| is(b, WORD)),
            high: row(&|b| is(b, HIGH)),
            digit: row(&|b| is(b, DIGIT)),
            hex: row(&|b| is(b, HEX)),
            colon: row(&|b| b == b':'),
            dot: row(&|b| b == b'.'),
            dash: row(&|b| b == b'-'),
            equals: row(&|b| b == b'='),
            opening: row(&|b| b == b'+' || b == b'('),
            at: row(&|b| b == b'@'),
            escape: row(&|b| matches!(b, b'%' | b'\\' | b'&')),
            gap: row(&|b| b == b' ' || b == b'/'),
            question: row(&|b| b == b'?'),
            colour: row(&|b| b == 0x1b),
            ident: row(&|b| is(b, IDENT)),
            sign: row(&|b| b == b'$' || b == b'~'),
            breaks: row(&|b| b == b'^' || b == b'#'),
            opens: row(&|b| matches!(b, b'{' | b'[' | b'<')),
        }
    }

    const ALL: Wanted = Wanted {
        colon: u64::MAX,
        dot: u64::MAX,
        dash: u64::MAX,
        equals: u64::MAX,
        opening: u64::MAX,
        at: u64::MAX,
        sign: u64::MAX,
        words_only: false,
    };

    #[test]
    fn every_byte_has_the_same_classes_at_every_place() {
        for first in 0..=255_u8 {
            let bytes: [u8; 64] = std::array::from_fn(|at| first.wrapping_add(u8::try_from(at * 7 % 256).unwrap()));
            assert_eq!(classes(&bytes), plainly(&bytes));
        }
    }

    proptest! {
        #[test]
        fn vector_instructions_and_arithmetic_find_the_same_places(
            text in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..400),
                proptest::collection::vec(proptest::sample::select(b"09afz:.-=+/(@$~%\\&^#{[<?\n\x1b \xc3".to_vec()), 0..400),
            ],
        ) {
            let mut portable = Vec::new();
            read_with(&text, &ALL, &mut portable, classes);
            let mut plain = Vec::new();
            read_with(&text, &ALL, &mut plain, plainly);
            prop_assert_eq!(&portable, &plain);
            let mut vector = Vec::new();
            if simd::read(&text, &ALL, &mut vector) {
                prop_assert_eq!(&vector, &plain);
            }
        }
    }
}
