//! Numbers packed into bits, as Parquet has them.

/// The width of a group of packed values.
const GROUP: usize = 8;

/// How many bits the number takes.
pub(super) fn width(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

/// Appends a number, seven bits a byte, lowest first.
pub(super) fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends the lowest `width` bits of each number, lowest first, up to the end of the last byte.
pub(super) fn pack(numbers: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut held, mut bits) = (0_u128, 0);
    for number in numbers {
        held |= u128::from(number) << bits;
        bits += width;
        if bits >= u64::BITS {
            out.extend_from_slice(&(held as u64).to_le_bytes());
            held >>= u64::BITS;
            bits -= u64::BITS;
        }
    }
    out.extend_from_slice(&held.to_le_bytes()[..bits.div_ceil(u8::BITS) as usize]);
}

/// Appends numbers of at most `width` bits, of which there is at least one: those that come eight times and more in a
/// row as a run, the others packed (Parquet's `RLE` encoding, without its length).
pub(super) fn hybrid(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    let (mut at, mut packed_from) = (0, 0);
    while at < numbers.len() {
        let rest = &numbers[at..];
        let length = rest.iter().take_while(|number| **number == rest[0]).count();
        if length < GROUP {
            at += GROUP.min(rest.len());
            continue;
        }
        literals(&numbers[packed_from..at], width, out);
        run(rest[0], length, width, out);
        at += length;
        packed_from = at;
    }
    literals(&numbers[packed_from..], width, out);
}

/// The same of numbers that are given as runs. `packed` is room for those that are packed.
pub(super) fn hybrid_of_runs(runs: &[(u32, u32)], width: u32, packed: &mut Vec<u32>, out: &mut Vec<u8>) {
    packed.clear();
    for (number, length) in runs {
        let mut length = *length as usize;
        // Only the last group that is packed may be short.
        let to_full = (packed.len().next_multiple_of(GROUP) - packed.len()).min(length);
        packed.resize(packed.len() + to_full, *number);
        length -= to_full;
        if length < GROUP {
            packed.resize(packed.len() + length, *number);
            continue;
        }
        literals(packed, width, out);
        packed.clear();
        run(*number, length, width, out);
    }
    literals(packed, width, out);
}

/// Appends a number that comes so often in a row.
fn run(number: u32, length: usize, width: u32, out: &mut Vec<u8>) {
    varint((length as u64) << 1, out);
    out.extend_from_slice(&number.to_le_bytes()[..width.div_ceil(u8::BITS) as usize]);
}

fn literals(numbers: &[u32], width: u32, out: &mut Vec<u8>) {
    if numbers.is_empty() {
        return;
    }
    let groups = numbers.len().div_ceil(GROUP);
    varint((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * width as usize;
    if width as usize <= GROUP {
        for group in numbers.chunks(GROUP) {
            literal(group, width, out);
        }
    } else {
        pack(numbers.iter().map(|number| u64::from(*number)), width, out);
        out.resize(end, 0);
    }
}

/// Appends a group, which fits a word.
#[inline]
fn literal(group: &[u32], width: u32, out: &mut Vec<u8>) {
    let bits = group.iter().rev().fold(0, |bits, number| bits << width | u64::from(*number));
    out.extend_from_slice(&bits.to_le_bytes()[..width as usize]);
}

/// Values of a block, and of each of the parts of a block that have a width of their own.
const BLOCK: usize = 128;
const PART: usize = 32;

/// Appends numbers as differences (Parquet's `DELTA_BINARY_PACKED`).
pub(super) fn delta(numbers: impl ExactSizeIterator<Item = i64>, out: &mut Vec<u8>) {
    let mut numbers = numbers.peekable();
    varint(BLOCK as u64, out);
    varint((BLOCK / PART) as u64, out);
    varint(numbers.len() as u64, out);
    let mut before = numbers.next().unwrap_or(0);
    varint(zigzag(before), out);
    let mut deltas = Vec::with_capacity(BLOCK);
    while numbers.peek().is_some() {
        deltas.clear();
        deltas.extend(numbers.by_ref().take(BLOCK).map(|number| {
            let delta = number.wrapping_sub(before);
            before = number;
            delta
        }));
        block(&deltas, out);
    }
}

fn block(deltas: &[i64], out: &mut Vec<u8>) {
    let least = deltas.iter().copied().min().unwrap_or(0);
    let above = |delta: &i64| delta.wrapping_sub(least) as u64;
    varint(zigzag(least), out);
    let widths = out.len();
    out.resize(widths + BLOCK / PART, 0);
    for (place, part) in deltas.chunks(PART).enumerate() {
        let width = width(part.iter().fold(0, |all, delta| all | above(delta)));
        out[widths + place] = width as u8;
        let end = out.len() + width as usize * PART / u8::BITS as usize;
        pack(part.iter().map(above), width, out);
        out.resize(end, 0);
    }
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hybrid_of(numbers: &[u32], width: u32) -> Vec<u8> {
        let mut out = vec![];
        hybrid(numbers, width, &mut out);
        out
    }

    #[test]
    fn runs_and_literals() {
        assert_eq!(hybrid_of(&[1; 100], 1), [0xC8, 1, 1]);
        assert_eq!(hybrid_of(&[0, 1, 2, 3, 4, 5, 6, 7], 3), [3, 0x88, 0xC6, 0xFA]);
        assert_eq!(hybrid_of(&[1, 0, 1], 1), [3, 0b101]);
        let mixed = [&[1, 2, 3, 1, 2, 3, 1, 2][..], &[300; 9], &[7]].concat();
        let out = hybrid_of(&mixed, 9);
        assert_eq!(out[0], 3);
        assert_eq!(out[10..13], [18, 44, 1]);
        assert_eq!(out[13..], [3, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn runs_are_written_as_their_numbers() {
        let (mut packed, mut out) = (vec![9], vec![]);
        hybrid_of_runs(&[(1, 3), (2, 30), (0, 2)], 2, &mut packed, &mut out);
        // A group of three ones and five twos, 25 twos, and two zeros.
        assert_eq!(out, [3, 0b1001_0101, 0b1010_1010, 50, 2, 3, 0, 0]);
        out.clear();
        hybrid_of_runs(&[(1, 70_000)], 1, &mut packed, &mut out);
        assert_eq!(out, hybrid_of(&vec![1; 70_000], 1));
    }

    #[test]
    fn deltas_of_the_specification() {
        let mut out = vec![];
        delta([7, 5, 3, 1, 2, 3, 4, 5].into_iter(), &mut out);
        // The differences above the least, -2: 0 0 0 3 3 3 3, two bits each.
        let expected = [&[128, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0b1100_0000, 0b0011_1111][..], &[0; 6]].concat();
        assert_eq!(out, expected);
    }

    #[test]
    fn groups_are_packed_like_all_of_them() {
        for width in 1..=12 {
            let numbers: Vec<u32> = (0..21).map(|n| (n * 0x9E37) & ((1 << width) - 1)).collect();
            let (mut groups, mut all) = (vec![], vec![]);
            literals(&numbers, width, &mut groups);
            pack(numbers.iter().map(|number| u64::from(*number)), width, &mut all);
            assert_eq!(groups[0], 3 << 1 | 1);
            assert_eq!(groups[1..][..all.len()], all, "{width}");
            assert_eq!(groups.len(), 1 + 3 * width as usize, "{width}");
        }
    }

    #[test]
    fn any_width_is_packed() {
        for width in 0..=64 {
            let most = if width == 64 { u64::MAX } else { (1 << width) - 1 };
            let mut out = vec![];
            pack([most, 0, most].into_iter(), width, &mut out);
            assert_eq!(out.len(), (width as usize * 3).div_ceil(8), "{width}");
            let ones: u32 = out.iter().map(|byte| byte.count_ones()).sum();
            assert_eq!(ones, width * 2, "{width}");
        }
    }
}
