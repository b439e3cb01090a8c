//! The pseudo-random numbers that everything is drawn from.

/// `SplitMix64`: small, fast, and fixed here for good, because a seed has to give the same bytes in every build.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEX: &[u8; 16] = b"0123456789abcdef";

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, or 0 for `n` 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// A number from `low` up to and without `high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low)
    }

    /// True in `n` of a thousand cases.
    pub(super) fn permille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }

    /// An index below `n`, small ones far more often: a tenth of the indices make half of the draws or more.
    pub(super) fn skewed(&mut self, n: u64) -> u64 {
        let mut x = self.below(1 << 20);
        for _ in 0..3 {
            x = (x * self.below(1 << 20)) >> 20;
        }
        (x * n) >> 20
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// Pushes 128 random bits as 22 base64url characters, the form of an aCode.
    pub(super) fn push_code(&mut self, out: &mut String) {
        for half in [self.next(), self.next()] {
            for shift in 0..10 {
                out.push(char::from(BASE64URL[(half >> (shift * 6)) as usize & 63]));
            }
        }
        let last = self.next() as usize;
        out.push(char::from(BASE64URL[last & 63]));
        // The 22nd character carries the last two of the 128 bits.
        out.push(char::from(BASE64URL[(last >> 6) & 0x30]));
    }

    pub(super) fn push_hex(&mut self, digits: usize, out: &mut String) {
        let mut bits = 0;
        for i in 0..digits {
            if i % 16 == 0 {
                bits = self.next();
            }
            out.push(char::from(HEX[bits as usize & 15]));
            bits >>= 4;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_numbers_never_change() {
        let mut rng = Rng::new(0);
        // The published first outputs of SplitMix64 from state 0.
        assert_eq!(
            [rng.next(), rng.next(), rng.next()],
            [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]
        );
    }

    #[test]
    fn bounds_hold() {
        let mut rng = Rng::new(7);
        for n in 1..2000 {
            assert!(rng.below(n) < n);
            assert!(rng.skewed(n) < n);
            assert!((n..2 * n).contains(&rng.between(n, 2 * n)));
        }
        assert_eq!(rng.below(0), 0);
    }

    #[test]
    fn skewed_prefers_small_indices() {
        let mut rng = Rng::new(7);
        let low = (0..10_000).filter(|_| rng.skewed(1000) < 100).count();
        assert!((5_000..9_000).contains(&low), "{low} of 10000 in the first tenth");
    }

    #[test]
    fn codes_have_22_characters_of_base64url() {
        let mut rng = Rng::new(1);
        for _ in 0..100 {
            let mut code = String::new();
            rng.push_code(&mut code);
            assert_eq!(code.len(), 22);
            assert!(code.bytes().all(|b| BASE64URL.contains(&b)));
            assert!("AQgw".contains(&code[21..]), "{code}: the last character holds two bits");
        }
    }
}
