//! Values <-> bytes, one after the other, numbers with their lowest byte first: the bodies of model files.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

/// What is left to be read.
#[derive(Debug)]
pub struct In<'a>(pub &'a [u8]);

/// A value that was read, or why it was not.
pub type Taken<T> = std::result::Result<T, String>;

/// A value of a model file's body.
pub trait Stored: Sized {
    /// Writes the value behind what is there.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads one value.
    ///
    /// # Errors
    /// In words, where the bytes are none.
    fn take(input: &mut In<'_>) -> Taken<Self>;
}

impl In<'_> {
    fn bytes<const N: usize>(&mut self) -> Taken<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or("it ends within a number")?;
        self.0 = rest;
        Ok(*bytes)
    }
}

macro_rules! numbers {
    ($($of:ty),+) => {
        $(impl Stored for $of {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(input: &mut In<'_>) -> Taken<Self> {
                Ok(Self::from_le_bytes(input.bytes()?))
            }
        })+
    };
}

numbers!(u8, i32, u32, u64, f32, f64);

impl Stored for usize {
    fn put(&self, out: &mut Vec<u8>) {
        (*self as u64).put(out);
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        Self::try_from(u64::take(input)?).map_err(|_| "a number is too large for this machine".to_owned())
    }
}

impl Stored for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        match u8::take(input)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(format!("expected 0 or 1, found {other}")),
        }
    }
}

impl Stored for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        let length = usize::take(input)?;
        let (text, rest) = input.0.split_at_checked(length).ok_or("it ends within a text")?;
        input.0 = rest;
        Self::from_utf8(text.to_vec()).map_err(|_| "a text is not UTF-8".to_owned())
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        self.iter().for_each(|value| value.put(out));
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        let length = usize::take(input)?;
        // Each value takes a byte at least: a wrong length must not take memory that is not there.
        let mut values = Self::with_capacity(length.min(input.0.len() / size_of::<T>().max(1)));
        for _ in 0..length {
            values.push(T::take(input)?);
        }
        Ok(values)
    }
}

impl<T: Stored> Stored for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        self.iter().for_each(|value| value.put(out));
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        Ok(if bool::take(input)? { Some(T::take(input)?) } else { None })
    }
}

impl<T: Stored, const N: usize> Stored for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|value| value.put(out));
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        let values = (0..N).map(|_| T::take(input)).collect::<Taken<Vec<T>>>()?;
        Self::try_from(values).map_err(|_| "a list has another length".to_owned())
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        Ok((A::take(input)?, B::take(input)?))
    }
}

impl<K: Stored + Ord, V: Stored> Stored for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        let length = usize::take(input)?;
        (0..length).map(|_| Ok((K::take(input)?, V::take(input)?))).collect()
    }
}

/// In the order of keys: the same map has the same bytes.
impl<K: Stored + Ord + Hash, V: Stored, S: BuildHasher + Default> Stored for HashMap<K, V, S> {
    fn put(&self, out: &mut Vec<u8>) {
        let mut sorted: Vec<(&K, &V)> = self.iter().collect();
        sorted.sort_unstable_by(|a, b| a.0.cmp(b.0));
        sorted.len().put(out);
        for (key, value) in sorted {
            key.put(out);
            value.put(out);
        }
    }

    fn take(input: &mut In<'_>) -> Taken<Self> {
        let length = usize::take(input)?;
        (0..length).map(|_| Ok((K::take(input)?, V::take(input)?))).collect()
    }
}

/// Stores a structure field by field, but for those that a machine chooses anew; or an enumeration by numbers.
#[doc(hidden)]
#[macro_export]
macro_rules! stored {
    ($of:ty { $($field:ident),* $(,)? } $(anew { $($new:ident: $value:expr),* })?) => {
        impl $crate::codec::Stored for $of {
            fn put(&self, out: &mut Vec<u8>) {
                $($crate::codec::Stored::put(&self.$field, out);)*
            }

            fn take(input: &mut $crate::codec::In<'_>) -> $crate::codec::Taken<Self> {
                Ok(Self { $($field: $crate::codec::Stored::take(input)?,)* $($($new: $value,)*)? })
            }
        }
    };
    ($of:ty [$($tag:literal => $case:ident { $($field:ident),* }),+ $(,)?]) => {
        impl $crate::codec::Stored for $of {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$case { $($field),* } => {
                        out.push($tag);
                        $($crate::codec::Stored::put($field, out);)*
                    })+
                }
            }

            fn take(input: &mut $crate::codec::In<'_>) -> $crate::codec::Taken<Self> {
                match <u8 as $crate::codec::Stored>::take(input)? {
                    $($tag => Ok(Self::$case { $($field: $crate::codec::Stored::take(input)?),* }),)+
                    other => Err(format!("case {other} is not known")),
                }
            }
        }
    };
}
