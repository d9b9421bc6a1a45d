//! Multiples of a point, computed once: the fixed-base comb of Brickell, Gordon, McCurley, Wilson:
//! "Fast exponentiation with precomputation", EUROCRYPT 1992, with signed digits.

use super::field::{Limbs, N, from_bytes, less, sub};
use super::point::{Affine, Xyzz, add_pairs, to_affine};

/// The bits of a digit.
const WIDTH: usize = 7;
/// The entries of a row: digits are in -63..=64.
pub(super) const ROW: usize = 1 << (WIDTH - 1);
/// The digits of a number below n/2 < 2^255.
pub(super) const ROWS: usize = 37;
/// The entries of the last row: its digit holds 3 bits and a carry.
pub(super) const LAST_ROW: usize = 8;
const ENTRIES: usize = (ROWS - 1) * ROW + LAST_ROW;

/// The addends of u1·G + u2·Q.
pub(super) const ADDENDS: usize = 2 * ROWS;

/// n/2, rounded down.
const HALF_N: Limbs =
    [0x79dc_e561_7e31_92a8, 0xde73_7d56_d38b_cf42, 0x7fff_ffff_ffff_ffff, 0x7fff_ffff_8000_0000];

/// The multiples j·2^(7i)·P of a point P, for 0 <= i < 37 and 1 <= j <= 64: 147,968 bytes.
pub(crate) struct Table {
    point: Affine,
    /// Row by row.
    pub(super) entries: Vec<Affine>,
}

impl Table {
    /// Begins the table of the curve's base point.
    pub(crate) fn of_generator() -> Table {
        Table { point: Affine::G, entries: Vec::with_capacity(ENTRIES) }
    }

    /// Begins the table of an uncompressed point (SEC 1 section 2.3.3), if it is on the curve.
    pub(crate) fn of_point(point: &[u8]) -> Option<Table> {
        let (head, coordinates) = point.split_first_chunk::<1>()?;
        let (x, y) = coordinates.split_first_chunk::<32>()?;
        let point = Affine::new(&from_bytes(x), &from_bytes(y.try_into().ok()?))?;
        (*head == [4]).then(|| Table { point, entries: Vec::with_capacity(ENTRIES) })
    }

    /// Returns whether all rows are there.
    pub(crate) fn is_complete(&self) -> bool {
        self.entries.len() == ENTRIES
    }

    /// Adds the next row: each entry is the entry before it plus the first.
    pub(crate) fn add_row(&mut self) {
        let left = ENTRIES.saturating_sub(self.entries.len()).min(ROW);
        // The first entry of a row is twice the last of the row before.
        let mut next = self.entries.last().map_or(Xyzz::from(&self.point), Affine::double);
        let Some(first) = to_affine(&[next]).pop() else { return };
        let mut row = Vec::with_capacity(left);
        for _ in 0..left {
            row.push(next);
            next = next.add(&first);
        }
        self.entries.extend(to_affine(&row));
    }

    /// Appends the addends of k·P to `addends`, copied, so that the memory is read at once.
    pub(super) fn gather(&self, k: &Limbs, addends: &mut Addends) -> Option<()> {
        let (digits, negative) = recode(k);
        for (row, digit) in digits.iter().enumerate() {
            if *digit != 0 {
                let index = row * ROW + usize::from(digit.unsigned_abs()) - 1;
                let entry = self.entries.get(index)?;
                addends.push(if (*digit < 0) == negative { *entry } else { entry.negate() })?;
            }
        }
        Some(())
    }
}

/// How often the addends are added in pairs.
const PAIRINGS: usize = 2;

/// A list of points on the stack.
pub(super) struct Addends {
    points: [Affine; ADDENDS],
    len: usize,
}

impl Addends {
    pub(super) fn new() -> Addends {
        Addends { points: [Affine::G; ADDENDS], len: 0 }
    }

    fn push(&mut self, point: Affine) -> Option<()> {
        *self.points.get_mut(self.len)? = point;
        self.len += 1;
        Some(())
    }

    /// Adds the points up: in pairs first, while an inversion costs less than what it saves.
    pub(super) fn sum(mut self) -> Xyzz {
        for _ in 0..PAIRINGS {
            self.len = add_pairs(self.points.get_mut(..self.len).unwrap_or_default());
        }
        let points = self.points.iter().take(self.len);
        points.fold(Xyzz::INFINITY, |sum, point| sum.add(point))
    }
}

/// Returns the digits d with k = ±Σ d[i]·2^(7i), and whether the sign is minus. `k` is below n, and
/// a `k` above n/2 is taken as -(n - k): Hankerson, Menezes, Vanstone: "Guide to Elliptic Curve
/// Cryptography", section 3.3.1, with the digits in -63..=64.
pub(super) fn recode(k: &Limbs) -> ([i8; ROWS], bool) {
    let negative = less(&HALF_N, k);
    let mut rest = if negative { sub(&N, k) } else { *k };
    let (mut digits, mut carry) = ([0; ROWS], 0);
    for digit in &mut digits {
        let value = (rest[0] & 0x7f) as i16 + carry;
        carry = i16::from(value > ROW as i16);
        *digit = (value - (carry << WIDTH)) as i8;
        let [a, b, c, d] = rest;
        rest = [a >> 7 | b << 57, b >> 7 | c << 57, c >> 7 | d << 57, d >> 7];
    }
    (digits, negative)
}
