//! The variables of a notebook between two cells. The evaluator writes code into each cell that takes them out and
//! puts them back; the kernel lets that code find this module in place of the evaluator's own text, which every
//! cell would compile once more.

use crate::cell::{eprint_line, print_line};
use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

/// What the evaluator prints before the name of a variable whose type has changed.
pub const VARIABLE_CHANGED_TYPE: &str = "EVCXR_VARIABLE_CHANGED_TYPE:";
/// What it prints when `?` has left the cell.
pub const USER_ERROR_OCCURRED: &str = "EVCXR_ERROR_OCCURRED";

/// Variables by name. What is generic here is little, because each cell compiles it for its own types.
#[derive(Default)]
pub struct VariableStore {
    variables: HashMap<String, Box<dyn Any>>,
}

impl VariableStore {
    /// Keeps a value under a name.
    pub fn put_variable<T: 'static>(&mut self, name: &str, value: T) {
        self.put(name, Box::new(value));
    }

    /// False, and the evaluator knows it, where a variable is there with another type than the cell expects.
    pub fn check_variable<T: 'static>(&mut self, name: &str) -> bool {
        let fits = self.variable(name).is_none_or(|value| value.is::<T>());
        if !fits {
            report_changed(name);
        }
        fits
    }

    /// The value of a variable, which is then no longer here.
    pub fn take_variable<T: 'static>(&mut self, name: &str) -> T {
        match self.take(name).downcast() {
            Ok(value) => *value,
            Err(_) => missing(name),
        }
    }

    /// A value that all cells share, made by the first one that asks.
    pub fn lazy_arc<T: 'static, F: FnOnce() -> T>(&mut self, name: &str, create: F) -> Arc<T> {
        if self.variable(name).is_none() {
            self.put_variable(name, Arc::new(create()));
        }
        match self.variable(name).and_then(|value| value.downcast_ref::<Arc<T>>()) {
            Some(value) => value.clone(),
            None => missing(name),
        }
    }

    /// Takes over all of another's variables.
    pub fn merge(&mut self, other: Self) {
        self.variables.extend(other.variables);
    }

    fn put(&mut self, name: &str, value: Box<dyn Any>) {
        self.variables.insert(name.to_owned(), value);
    }

    fn variable(&self, name: &str) -> Option<&dyn Any> {
        self.variables.get(name).map(|value| &**value)
    }

    fn take(&mut self, name: &str) -> Box<dyn Any> {
        self.variables.remove(name).unwrap_or_else(|| missing(name))
    }
}

/// An empty store, for the evaluator to hold.
pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::default())
}

fn report_changed(name: &str) {
    eprint_line(format_args!("The type of the variable {name} was redefined, so was lost."));
    print_line(format_args!("{VARIABLE_CHANGED_TYPE}{name}"));
}

/// The cell checks types before it takes anything: this is a defect of the evaluator's or of ours, and ends the cell.
#[expect(clippy::panic, reason = "a panic is what ends a cell")]
fn missing(name: &str) -> ! {
    std::panic::panic_any(format!("the variable `{name}` is not there any more, or not of its type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_comes_back_as_it_went_in() {
        let mut store = VariableStore::default();
        store.put_variable("n", 7_i32);
        assert!(store.check_variable::<i32>("n") && store.check_variable::<i32>("other"));
        assert!(!store.check_variable::<u8>("n"));
        let mut later = VariableStore::default();
        later.put_variable("text", "x".to_owned());
        store.merge(later);
        assert_eq!((store.take_variable::<i32>("n"), store.take_variable::<String>("text").as_str()), (7, "x"));
        let gone = std::panic::AssertUnwindSafe(|| store.take_variable::<i32>("n"));
        assert!(std::panic::catch_unwind(gone).is_err());
    }

    #[test]
    fn a_shared_value_is_made_once() {
        let mut store = VariableStore::default();
        let first = store.lazy_arc("shared", || 1);
        assert_eq!((*first, *store.lazy_arc("shared", || 2)), (1, 1));
    }
}
