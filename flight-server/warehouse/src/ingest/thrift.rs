//! What goes in: bytes in the compact protocol of Thrift, as Parquet writes its footer and its page headers.
//! What comes out: the whole numbers of a struct by field, after every length in it was held against the bytes
//! that are there. The Parquet reader takes some of those lengths at their word and allocates them.

/// Structs within structs beyond this depth are no Parquet.
const DEPTH: usize = 32;

/// Where a footer has the elements of its schema, and each of these the number of elements right below it.
const SCHEMA: [i16; 1] = [2];
const CHILDREN: [i16; 2] = [2, 5];

/// Why bytes are no such struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// They end too early.
    Short,
    /// They say something that cannot be.
    Wrong(String),
}

/// A struct that was read: its size in bytes, and (path of field numbers, value) of its whole numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) bytes: usize,
    /// Of a footer, for each element of its schema how many are right below it. The tree is written from its root down,
    /// each element before those below it.
    pub(super) children: Vec<i32>,
    values: Vec<(Vec<i16>, i64)>,
}

impl Numbers {
    /// The number at a path of fields.
    pub(super) fn get(&self, path: &[i16]) -> Option<i64> {
        self.values.iter().find(|(known, _)| known == path).map(|(_, value)| *value)
    }
}

/// Reads one struct from the start of `bytes`. Other numbers in lists are checked and not kept.
pub(super) fn read(bytes: &[u8]) -> Result<Numbers, Fault> {
    let mut reader = Reader { bytes, at: 0, path: Vec::new(), lists: 0, found: Numbers::default() };
    reader.structure(DEPTH)?;
    reader.found.bytes = reader.at;
    Ok(reader.found)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    path: Vec<i16>,
    /// How many lists the place is in.
    lists: usize,
    found: Numbers,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Fault> {
        let byte = *self.bytes.get(self.at).ok_or(Fault::Short)?;
        self.at += 1;
        Ok(byte)
    }

    fn skip(&mut self, count: u64) -> Result<(), Fault> {
        if count > (self.bytes.len() - self.at) as u64 {
            return Err(Fault::Short);
        }
        self.at += count as usize;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Fault::Wrong("a number of more than 64 bits".to_owned()))
    }

    fn signed(&mut self) -> Result<i64, Fault> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn structure(&mut self, depth: usize) -> Result<(), Fault> {
        let depth = depth.checked_sub(1).ok_or_else(|| Fault::Wrong("structs nested too deeply".to_owned()))?;
        let mut last = 0_i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(());
            }
            last = match i16::from(head >> 4) {
                0 => self.signed()? as i16,
                step => last.wrapping_add(step),
            };
            self.path.push(last);
            self.value(head & 0x0F, depth, true)?;
            self.path.pop();
        }
    }

    /// In a struct a flag has no bytes of its own, in a list it has one.
    fn value(&mut self, kind: u8, depth: usize, in_struct: bool) -> Result<(), Fault> {
        match kind {
            1 | 2 if in_struct => Ok(()),
            1..=3 => self.byte().map(drop),
            4..=6 => {
                let value = self.signed()?;
                if self.lists == 0 {
                    self.found.values.push((self.path.clone(), value));
                } else if self.lists == 1
                    && self.path == CHILDREN
                    && let Some(last) = self.found.children.last_mut()
                {
                    // As many bits of it as the Parquet reader takes.
                    *last = value as i32;
                }
                Ok(())
            }
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => self.list(depth),
            11 => self.map(depth),
            12 => self.structure(depth),
            13 => self.skip(16),
            other => Err(Fault::Wrong(format!("a field of the unknown kind {other}"))),
        }
    }

    fn list(&mut self, depth: usize) -> Result<(), Fault> {
        let depth = depth.checked_sub(1).ok_or_else(|| Fault::Wrong("lists nested too deeply".to_owned()))?;
        let head = self.byte()?;
        let size = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        self.holds(size, "a list")?;
        self.lists += 1;
        for _ in 0..size {
            if self.lists == 1 && self.path == SCHEMA {
                self.found.children.push(0);
            }
            self.value(head & 0x0F, depth, false)?;
        }
        self.lists -= 1;
        Ok(())
    }

    fn map(&mut self, depth: usize) -> Result<(), Fault> {
        let depth = depth.checked_sub(1).ok_or_else(|| Fault::Wrong("maps nested too deeply".to_owned()))?;
        let size = self.varint()?;
        if size == 0 {
            return Ok(());
        }
        self.holds(size, "a map")?;
        let kinds = self.byte()?;
        self.lists += 1;
        for _ in 0..size {
            self.value(kinds >> 4, depth, false)?;
            self.value(kinds & 0x0F, depth, false)?;
        }
        self.lists -= 1;
        Ok(())
    }

    /// Each element has at least one byte.
    fn holds(&self, size: u64, what: &str) -> Result<(), Fault> {
        let left = self.bytes.len() - self.at;
        if size > left as u64 {
            return Err(Fault::Wrong(format!("{what} of {size} elements in {left} bytes")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_with_the_path_of_their_fields() {
        // 1: i32 = 2, 5: { 1: i32 = -3 }, 6: list<i32> [1]
        let bytes = [0x15, 0x04, 0x4C, 0x15, 0x05, 0x00, 0x19, 0x15, 0x02, 0x00, 0xAA];
        let numbers = read(&bytes).unwrap();
        assert_eq!((numbers.bytes, numbers.get(&[1]), numbers.get(&[5, 1])), (10, Some(2), Some(-3)));
        assert_eq!(numbers.get(&[6]), None);
    }

    #[test]
    fn the_schema_of_a_footer_comes_as_a_tree() {
        // 2: list<struct> [{ 4: "r", 5: i32 = 2 }, { 4: "a" }, { 5: i32 = 1 }], 6: list<struct> [{ 5: i32 = 3 }]
        let schema = [0x29, 0x3C, 0x48, 1, b'r', 0x15, 4, 0, 0x48, 1, b'a', 0, 0x55, 2, 0];
        let bytes = [&schema[..], &[0x49, 0x1C, 0x55, 6, 0, 0]].concat();
        assert_eq!(read(&bytes).unwrap().children, [2, 0, 1]);
    }

    #[test]
    fn a_length_that_is_not_there_is_a_fault() {
        assert_eq!(read(&[0x15]), Err(Fault::Short));
        assert_eq!(read(&[0x18, 0x05, b'a']), Err(Fault::Short));
        let wrong = read(&[0x19, 0xFC, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0x00]);
        assert_eq!(wrong, Err(Fault::Wrong("a list of 2147483647 elements in 1 bytes".to_owned())));
        assert!(matches!(read(&[0x1C; 100]), Err(Fault::Wrong(_))), "nested without end");
    }
}
