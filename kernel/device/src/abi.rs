//! The C functions of the library. Texts are UTF-8 with their length; numbers belong to who made them.
//!
//! A function gives 0, or another number for an error: 2 where the device has too little memory, 1 for all others. What was
//! wrong is then in [`haetae_device_message`], for the same thread. No panic leaves the library. A net belongs to one thread
//! at a time.

use crate::batch::Batch;
use crate::place::Place;
use crate::trainer::Trainer;
use candle_core::{Error, Result, bail};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Changes with any function, struct or form here: a toolkit loads only a library of its own number.
pub const ABI: u32 = 1;

/// Numbers of the caller, or the bytes of a text.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct List<T> {
    /// The first; may be null where there is none.
    pub data: *const T,
    /// How many.
    pub length: usize,
}

/// Rows of a batch; see `batch.rs`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    /// How many.
    pub rows: usize,
    /// Numbers of each row, or its picture.
    pub inputs: List<f32>,
    /// Places of each row in the tables.
    pub codes: List<u32>,
    /// Leaves of each row; or how many rows each step has.
    pub places: List<u32>,
    /// What dropout multiplies with.
    pub masks: List<f32>,
    /// Head after head, targets and weights.
    pub said: List<f32>,
}

/// A net on its device.
pub struct Net(Trainer);

thread_local! {
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

fn say(text: String) {
    MESSAGE.with(|message| *message.borrow_mut() = text);
}

/// What an error says, without the way that led to it, which candle adds where RUST_BACKTRACE is set.
pub(crate) fn plain(error: Error) -> String {
    match error {
        Error::WithBacktrace { inner, .. } => plain(*inner),
        other => other.to_string(),
    }
}

/// Runs `work`; what goes wrong becomes a number and a message.
fn guarded(work: impl FnOnce() -> Result<()>) -> i32 {
    let text = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return 0,
        Ok(Err(error)) => plain(error),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            format!("panicked: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given"))
        }
    };
    let full = text.contains("OUT_OF_MEMORY") || text.contains("out of memory");
    say(text);
    if full { 2 } else { 1 }
}

impl<T> List<T> {
    /// # Safety
    /// `data` must point to `length` numbers that stay as they are for `'a`, or `length` be 0.
    unsafe fn read<'a>(self) -> &'a [T] {
        // SAFETY: as the caller has said; a pointer of an empty list is not looked at.
        if self.length == 0 || self.data.is_null() {
            &[]
        } else {
            unsafe { std::slice::from_raw_parts(self.data, self.length) }
        }
    }
}

impl List<u8> {
    /// # Safety
    /// As for [`List::read`].
    unsafe fn text<'a>(self) -> Result<&'a str> {
        // SAFETY: as the caller has said.
        match std::str::from_utf8(unsafe { self.read() }) {
            Ok(text) => Ok(text),
            Err(error) => bail!("a text is not UTF-8: {error}"),
        }
    }
}

impl Rows {
    /// # Safety
    /// As for [`List::read`], for each list.
    unsafe fn read<'a>(self) -> Batch<'a> {
        // SAFETY: as the caller has said.
        unsafe {
            Batch {
                rows: self.rows,
                inputs: self.inputs.read(),
                codes: self.codes.read(),
                places: self.places.read(),
                masks: self.masks.read(),
                said: self.said.read(),
                ..Batch::default()
            }
        }
    }
}

/// # Safety
/// `net` must come from [`haetae_device_net`] and not have been freed, and no other thread may use it meanwhile.
unsafe fn net<'a>(net: *mut Net) -> Result<&'a mut Trainer> {
    // SAFETY: as the caller has said.
    match unsafe { net.as_mut() } {
        Some(net) => Ok(&mut net.0),
        None => bail!("there is no net"),
    }
}

/// Copies numbers to the caller.
///
/// # Safety
/// `into` must have room for `length` numbers.
unsafe fn give(values: &[f32], into: *mut f32, length: usize) -> Result<()> {
    if values.len() != length {
        bail!("expected room for {} numbers, found {length}", values.len());
    }
    if !values.is_empty() {
        // SAFETY: as the caller has said, and as many as there is room for.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), into, length) };
    }
    Ok(())
}

/// The number of these functions: [`ABI`].
#[unsafe(no_mangle)]
pub extern "C" fn haetae_device_abi() -> u32 {
    ABI
}

/// Copies what was said last in this thread, as much of it as there is room for; its whole length in bytes.
///
/// # Safety
/// `into` must have room for `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_device_message(into: *mut u8, length: usize) -> usize {
    MESSAGE.with(|message| {
        let message = message.borrow();
        let few = message.len().min(length);
        if few > 0 && !into.is_null() {
            // SAFETY: as the caller has said, and no more than there is room for.
            unsafe { std::ptr::copy_nonoverlapping(message.as_ptr(), into, few) };
        }
        message.len()
    })
}

/// Looks for the device of this name (`cpu`, `cuda:0`); what it is, is then in [`haetae_device_message`].
///
/// # Safety
/// `name` must be a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_device_find(name: List<u8>) -> i32 {
    guarded(|| {
        // SAFETY: as the caller has said.
        let place = Place::named(unsafe { name.text() }?)?;
        say(place.described());
        Ok(())
    })
}

/// A net of this form (JSON, see `form.rs`) on this device, with all its first weights, one list behind the other.
///
/// # Safety
/// `name` and `form` must be texts, `weights` a list, and `into` a place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_device_net(
    name: List<u8>,
    form: List<u8>,
    weights: List<f32>,
    into: *mut *mut Net,
) -> i32 {
    guarded(|| {
        // SAFETY: as the caller has said.
        let (name, form, weights) = unsafe { (name.text()?, form.text()?, weights.read()) };
        let made = Box::new(Net(Trainer::new(form, weights, Place::named(name)?)?));
        // SAFETY: as the caller has said.
        unsafe { into.write(Box::into_raw(made)) };
        Ok(())
    })
}

/// Learns from a batch: a step of length `rate` along the gradient of the losses' sum by `of`. Nothing is waited for.
///
/// # Safety
/// `of_net` must be a net, and `rows` lists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_device_step(of_net: *mut Net, rows: Rows, rate: f64, of: f64) -> i32 {
    // SAFETY: as the caller has said.
    guarded(|| unsafe { net(of_net)?.step(&rows.read(), rate, of) })
}

/// Two numbers: the sum of all losses since the last call, and that of the lengths of the gradients of all steps.
///
/// # Safety
/// `of_net` must be a net, and `into` have room for two numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_device_losses(of_net: *mut Net, into: *mut f64) -> i32 {
    guarded(|| {
        // SAFETY: as the caller has said.
        let sums = unsafe { net(of_net) }?.losses()?;
        // SAFETY: as the caller has said.
        unsafe { std::ptr::copy_nonoverlapping(sums.as_ptr(), into, 2) };
        Ok(())
    })
}

/// The sums of the last layers of a batch, head after head.
///
/// # Safety
/// `of_net` must be a net, `rows` lists, and `into` have room for `length` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_device_score(of_net: *mut Net, rows: Rows, into: *mut f32, length: usize) -> i32 {
    // SAFETY: as the caller has said.
    guarded(|| unsafe { give(&net(of_net)?.score(&rows.read())?, into, length) })
}

/// All weights, one list behind the other.
///
/// # Safety
/// `of_net` must be a net, and `into` have room for `length` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_device_weights(of_net: *mut Net, into: *mut f32, length: usize) -> i32 {
    // SAFETY: as the caller has said.
    guarded(|| unsafe { give(&net(of_net)?.weights()?, into, length) })
}

/// Frees a net.
///
/// # Safety
/// `of_net` must be a net, which is used no more; or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn haetae_device_free(of_net: *mut Net) {
    if !of_net.is_null() {
        // SAFETY: as the caller has said.
        guarded(|| {
            drop(unsafe { Box::from_raw(of_net) });
            Ok(())
        });
    }
}
