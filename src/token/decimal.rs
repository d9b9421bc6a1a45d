//! JSON numbers compared by their exact decimal value: `1`, `1.0` and `1e0` are equal, and
//! 9007199254740993 is not 9007199254740992.

/// A JSON number (RFC 8259 §6) taken apart.
struct Decimal<'a> {
    negative: bool,
    /// The digits before and after the point.
    whole: &'a str,
    fraction: &'a str,
    /// How many zeros to leave out on the left and on the right.
    leading: usize,
    digits: usize,
    /// The power of ten of the last digit.
    exponent: i64,
}

impl<'a> Decimal<'a> {
    /// `None` if the exponent does not fit 64 bits.
    fn read(number: &'a str) -> Option<Self> {
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let unsigned = mantissa.strip_prefix('-');
        let (whole, fraction) = {
            let digits = unsigned.unwrap_or(mantissa);
            digits.split_once('.').unwrap_or((digits, ""))
        };
        let zero = |digit: &u8| *digit == b'0';
        let all = || whole.bytes().chain(fraction.bytes());
        let leading = all().take_while(zero).count();
        let digits = all().count() - leading;
        if digits == 0 {
            // Zero has no sign and no exponent.
            return Some(Decimal {
                negative: false,
                whole,
                fraction,
                leading,
                digits,
                exponent: 0,
            });
        }
        let trailing = all().rev().take_while(zero).count();
        let shift = i64::try_from(trailing).ok()? - i64::try_from(fraction.len()).ok()?;
        Some(Decimal {
            negative: unsigned.is_some(),
            whole,
            fraction,
            leading,
            digits: digits - trailing,
            exponent: exponent.parse::<i64>().ok()?.checked_add(shift)?,
        })
    }

    fn significant(&self) -> impl Iterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes()).skip(self.leading).take(self.digits)
    }
}

/// Whether a number can be compared: its exponent fits 64 bits.
pub(crate) fn is_comparable(number: &str) -> bool {
    Decimal::read(number).is_some()
}

/// Whether two JSON numbers have the same value. False if one cannot be compared.
pub(crate) fn equal(a: &str, b: &str) -> bool {
    match (Decimal::read(a), Decimal::read(b)) {
        (Some(a), Some(b)) => {
            a.negative == b.negative
                && a.exponent == b.exponent
                && a.digits == b.digits
                && a.significant().eq(b.significant())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter() {
        for same in [
            ["1", "1.0"].as_slice(),
            &["1", "1e0", "10e-1", "0.1E+1", "1.000", "100e-2"],
            &["0", "-0", "0.0", "0e5", "-0.00e-999999999999999999999"],
            &["-12.50", "-1.25e1", "-1250E-2"],
            &["9007199254740993", "9007199254740993.0", "9.007199254740993e15"],
            &["1e-400", "0.1e-399"],
        ] {
            for a in same {
                assert!(same.iter().all(|b| equal(a, b)), "{a}: {same:?}");
            }
        }
    }

    #[test]
    fn each_digit_matters() {
        for (a, b) in [
            ("1", "2"),
            ("1", "-1"),
            ("1", "10"),
            ("1", "1.0000000000000000000000001"),
            ("12", "21"),
            ("9007199254740993", "9007199254740992"),
            ("0.1", "0.10000000000000001"),
            ("1e-400", "0"),
            ("1e-400", "1e-401"),
        ] {
            assert!(!equal(a, b), "{a} and {b}");
        }
    }

    #[test]
    fn an_exponent_beyond_64_bits_equals_nothing() {
        let huge = "1e-99999999999999999999";
        assert!(!is_comparable(huge));
        assert!(!equal(huge, huge));
        assert!(!is_comparable("0.01e-9223372036854775807"));
    }
}
