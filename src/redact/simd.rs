//! The classes of bytes by vector instructions (AVX2), where the processor has them; and the other place where the compiler
//! cannot see what is known.

use super::masks::{Block, Wanted};

/// Puts the places in `text` into `blocks`; `false` when the processor has not the instructions for it.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn read(_text: &[u8], _wanted: &Wanted, _blocks: &mut Vec<Block>) -> bool {
    false
}

/// A text of ASCII; `None` when it holds anything else. Much quicker for short texts than to check them for UTF-8.
#[inline]
#[expect(unsafe_code, reason = "the library's own check that bytes are ASCII gives no text")]
pub(super) fn ascii(bytes: &[u8]) -> Option<&str> {
    // SAFETY: ASCII is UTF-8.
    bytes.is_ascii().then(|| unsafe { std::str::from_utf8_unchecked(bytes) })
}

#[cfg(target_arch = "x86_64")]
pub(super) use self::avx2::read;

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8,
    };

    use super::{Block, Wanted};
    use crate::redact::masks::{Classes, read_with};

    /// Puts the places in `text` into `blocks`; `false` when the processor has not the instructions for it.
    #[expect(unsafe_code, reason = "that the processor has the instructions is known only at run time")]
    pub(in crate::redact) fn read(text: &[u8], wanted: &Wanted, blocks: &mut Vec<Block>) -> bool {
        if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("popcnt"))
        {
            return false;
        }
        // SAFETY: the processor has AVX2, BMI2 and POPCNT, as was just asked.
        unsafe { read_here(text, wanted, blocks) };
        true
    }

    #[target_feature(enable = "avx2,bmi2,popcnt")]
    fn read_here(text: &[u8], wanted: &Wanted, blocks: &mut Vec<Block>) {
        read_with(text, wanted, blocks, |bytes| classes(bytes));
    }

    /// 32 bytes.
    #[target_feature(enable = "avx2")]
    #[inline]
    #[expect(unsafe_code, reason = "vectors are loaded through pointers")]
    fn load(bytes: &[u8; 32]) -> __m256i {
        // SAFETY: 32 bytes may be read there, and the load needs no alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn bits(low: __m256i, high: __m256i) -> u64 {
        let half = |vector| u64::from(_mm256_movemask_epi8(vector).cast_unsigned());
        half(high) << 32 | half(low)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn is(vector: __m256i, byte: u8) -> __m256i {
        _mm256_cmpeq_epi8(vector, _mm256_set1_epi8(byte.cast_signed()))
    }

    /// Which bytes lie in `first..first + count`.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn within(vector: __m256i, first: u8, count: u8) -> __m256i {
        let moved = _mm256_add_epi8(vector, _mm256_set1_epi8(first.wrapping_neg().cast_signed()));
        _mm256_cmpeq_epi8(_mm256_min_epu8(moved, _mm256_set1_epi8((count - 1).cast_signed())), moved)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn classes(bytes: &[u8; 64]) -> Classes {
        let (halves, _) = bytes.as_chunks::<32>();
        let (a, b) = (load(&halves[0]), load(&halves[1]));
        let or = |a, b| _mm256_or_si256(a, b);
        let same = |byte| bits(is(a, byte), is(b, byte));
        let digits = [within(a, b'0', 10), within(b, b'0', 10)];
        let lower = [or(a, _mm256_set1_epi8(0x20)), or(b, _mm256_set1_epi8(0x20))];
        let digit = bits(digits[0], digits[1]);
        let high = bits(a, b);
        let word = bits(within(lower[0], b'a', 26), within(lower[1], b'a', 26)) | digit | high;
        let (dash, dot) = (same(b'-'), same(b'.'));
        Classes {
            word,
            high,
            digit,
            hex: bits(within(lower[0], b'a', 6), within(lower[1], b'a', 6)) | digit,
            colon: same(b':'),
            dot,
            dash,
            equals: same(b'='),
            opening: bits(or(is(a, b'+'), is(a, b'(')), or(is(b, b'+'), is(b, b'('))),
            at: same(b'@'),
            escape: bits(
                or(is(a, b'%'), or(is(a, b'\\'), is(a, b'&'))),
                or(is(b, b'%'), or(is(b, b'\\'), is(b, b'&'))),
            ),
            question: same(b'?'),
            colour: same(0x1b),
            gap: bits(or(is(a, b' '), is(a, b'/')), or(is(b, b' '), is(b, b'/'))),
            ident: (word & !high) | dash | dot | same(b'_'),
            sign: bits(or(is(a, b'$'), is(a, b'~')), or(is(b, b'$'), is(b, b'~'))),
            breaks: bits(or(is(a, b'^'), is(a, b'#')), or(is(b, b'^'), is(b, b'#'))),
            // `{` and `[` differ in one bit, which `lower` sets.
            opens: bits(or(is(lower[0], b'{'), is(a, b'<')), or(is(lower[1], b'{'), is(b, b'<'))),
        }
    }
}
