//! The partition of a device: the unit in which devices are dealt to writers and to streams of the buffer, and in which evaluations of alerts
//! lock one another out.
//!
//! Before: serial numbers of devices. After: `ingest` (shards), `buffer` (streams), `store::batch` (`outbox.partitions`), `relay` (what is
//! finished at the same time). Promise: the same number as `vitals.alert_partition` of the database, in every release. If the database ever
//! had another one, transactions would wait for each other, and nothing else would happen.

use std::ops::{BitOr, BitOrAssign};

/// A partition, 0 to 63.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition(u32);

impl Partition {
    /// How many there are. A [`Partitions`] has a bit for each.
    pub const COUNT: u8 = 64;

    /// That of a device.
    pub fn of(device_sn: &str) -> Self {
        Self(hash_bytes(device_sn.as_bytes()) % u32::from(Self::COUNT))
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// A set of partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Partitions(u64);

impl Partitions {
    /// Every partition.
    pub const ALL: Self = Self(u64::MAX);

    /// From the bits of `outbox.partitions`, of which the highest is the sign.
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits.cast_unsigned())
    }

    /// The bits for `outbox.partitions`.
    pub const fn bits(self) -> i64 {
        self.0.cast_signed()
    }

    /// Whether it has this one.
    pub const fn contains(self, partition: Partition) -> bool {
        self.0 & 1 << partition.0 != 0
    }

    /// Whether a partition is in both.
    pub const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Partitions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Partitions {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Those of some devices; neighbours that are equal are hashed once.
impl<'a> FromIterator<&'a str> for Partitions {
    fn from_iter<I: IntoIterator<Item = &'a str>>(devices: I) -> Self {
        let (mut partitions, mut last) = (Self::default(), None);
        for device_sn in devices {
            if last != Some(device_sn) {
                partitions |= Self(1 << Partition::of(device_sn).number());
                last = Some(device_sn);
            }
        }
        partitions
    }
}

/// PostgreSQL's `hashtext`, as an unsigned number: `hash_bytes` of `common/hashfn.c` on a little-endian machine, which is Bob Jenkins'
/// lookup3 with the lowest byte of the last word left out.
fn hash_bytes(key: &[u8]) -> u32 {
    let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
    let start = 0x9e37_79b9_u32.wrapping_add(length).wrapping_add(3_923_095);
    let mut state = [start; 3];
    let mut blocks = key.chunks_exact(12);
    for block in &mut blocks {
        for (word, bytes) in state.iter_mut().zip(block.chunks_exact(4)) {
            *word = word.wrapping_add(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        }
        mix(&mut state);
    }
    for (index, byte) in blocks.remainder().iter().enumerate() {
        let shift = if index < 8 { index % 4 } else { index % 4 + 1 };
        state[index / 4] = state[index / 4].wrapping_add(u32::from(*byte) << (8 * shift));
    }
    finish(state)
}

/// Each step takes `c` from `a`, turned, and `b` to `c`; then the words change places.
fn mix([a, b, c]: &mut [u32; 3]) {
    let step = |x: &mut u32, y: u32, z: &mut u32, rotation| {
        *x = x.wrapping_sub(*z) ^ z.rotate_left(rotation);
        *z = z.wrapping_add(y);
    };
    step(a, *b, c, 4);
    step(b, *c, a, 6);
    step(c, *a, b, 8);
    step(a, *b, c, 16);
    step(b, *c, a, 19);
    step(c, *a, b, 4);
}

fn finish([mut a, mut b, mut c]: [u32; 3]) -> u32 {
    let step = |x: &mut u32, y: u32, rotation| *x = (*x ^ y).wrapping_sub(y.rotate_left(rotation));
    step(&mut c, b, 14);
    step(&mut a, c, 11);
    step(&mut b, a, 25);
    step(&mut c, b, 16);
    step(&mut a, c, 4);
    step(&mut b, a, 14);
    step(&mut c, b, 24);
    c
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `select s, hashtext(s)` of PostgreSQL 17.
    const HASHTEXT: [(&str, i32); 9] = [
        ("", -1_477_818_771),
        ("a", 1_075_015_857),
        ("ABCDEFGH", 1_285_759_163),
        ("ABCDEFGHI", 1_709_254_918),
        ("ABCDEFGHIJK", -1_041_220_581),
        ("ABCDEFGHIJKL", -260_129_258),
        ("ABCDEFGHIJKLM", -1_667_244_406),
        ("SIM7000000003616", -907_393_092),
        ("设备-1", -1_938_420_902),
    ];

    #[test]
    fn a_device_is_in_the_partition_in_which_the_database_has_it() {
        for (text, hash) in HASHTEXT {
            assert_eq!(hash_bytes(text.as_bytes()).cast_signed(), hash, "{text}");
            assert_eq!(i32::try_from(Partition::of(text).number()), Ok(hash & 63), "{text}");
        }
    }

    #[test]
    fn sets_of_partitions_overlap_where_a_device_of_both_may_be() {
        let of = |devices: &[&str]| devices.iter().copied().collect::<Partitions>();
        let (one, other) = (of(&["a", "a"]), of(&["ABCDEFGH", "ABCDEFGHI"]));
        assert!(!one.overlaps(other) && one.overlaps(one | other) && one.overlaps(Partitions::ALL));
        assert!(!of(&[]).overlaps(Partitions::ALL));
        assert_eq!(Partitions::from_bits(other.bits()), other);
        assert_eq!(Partitions::from_bits(-1), Partitions::ALL);
    }
}
