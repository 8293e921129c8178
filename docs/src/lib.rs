//! Nothing to call: this crate exists for its tests, which hold the pages of this folder against the code.
