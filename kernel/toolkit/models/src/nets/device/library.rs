//! The library of devices, loaded once: its C functions (`kernel/device/src/abi.rs`), or why it is not there.

use super::Device;
use libloading::Library;
use std::ffi::c_void;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Number of the functions below; a library of another one is refused.
const ABI: u32 = 1;

const FILE: &str = "libhaetae_device.so";
/// Names the library, wherever it lies.
const LIBRARY_VARIABLE: &str = "HAETAE_DEVICE_LIBRARY";
/// Names the toolkit's library, beside which it lies otherwise.
const TOOLKIT_VARIABLE: &str = "HAETAE_TOOLKIT_LIBRARY";

/// Numbers or bytes that the library may read during one call.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(super) struct List<T> {
    data: *const T,
    length: usize,
}

impl<T> List<T> {
    pub(super) fn of(values: &[T]) -> Self {
        Self { data: values.as_ptr(), length: values.len() }
    }
}

/// Rows of a batch.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows {
    pub(super) rows: usize,
    pub(super) inputs: List<f32>,
    pub(super) codes: List<u32>,
    pub(super) places: List<u32>,
    pub(super) masks: List<f32>,
    pub(super) said: List<f32>,
}

/// The functions. Those that give a number give 0, or say what is wrong.
#[derive(Debug)]
pub(super) struct Functions {
    message: unsafe extern "C" fn(*mut u8, usize) -> usize,
    find: unsafe extern "C" fn(List<u8>) -> i32,
    pub(super) net: unsafe extern "C" fn(List<u8>, List<u8>, List<f32>, *mut *mut c_void) -> i32,
    pub(super) step: unsafe extern "C" fn(*mut c_void, Rows, f64, f64) -> i32,
    pub(super) losses: unsafe extern "C" fn(*mut c_void, *mut f64) -> i32,
    pub(super) score: unsafe extern "C" fn(*mut c_void, Rows, *mut f32, usize) -> i32,
    pub(super) weights: unsafe extern "C" fn(*mut c_void, *mut f32, usize) -> i32,
    pub(super) free: unsafe extern "C" fn(*mut c_void),
    /// Never unloaded: the functions are in it.
    _library: Library,
}

/// What went wrong in the library.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) reason: String,
    /// Too little memory.
    pub(super) full: bool,
}

impl Functions {
    /// What was said last in this thread.
    fn said(&self) -> String {
        // SAFETY: there is no room, so nothing is written.
        let length = unsafe { (self.message)(std::ptr::null_mut(), 0) };
        let mut bytes = vec![0_u8; length];
        // SAFETY: there is room for as many bytes, and no call has come between.
        unsafe { (self.message)(bytes.as_mut_ptr(), bytes.len()) };
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The number that a function gave, and its message.
    pub(super) fn check(&self, number: i32) -> Result<(), Wrong> {
        if number == 0 { Ok(()) } else { Err(Wrong { reason: self.said(), full: number == 2 }) }
    }
}

/// The library; or why there is none.
pub(super) fn library() -> Result<&'static Functions, String> {
    static LIBRARY: OnceLock<Result<Functions, String>> = OnceLock::new();
    LIBRARY.get_or_init(open).as_ref().map_err(Clone::clone)
}

/// Whether a device can be had: what it is, or why not.
pub(super) fn find(device: Device) -> Result<String, String> {
    let Some(name) = device.in_library() else { return Ok("the processor".to_owned()) };
    let library = library()?;
    // SAFETY: the name lives as long as the call.
    library.check(unsafe { (library.find)(List::of(name.as_bytes())) }).map_err(|wrong| hinted(wrong.reason))?;
    Ok(library.said())
}

/// What CUDA says, and what is to be done.
pub(super) fn hinted(reason: String) -> String {
    const OLD: &str = "the driver is older than the CUDA that the library was built with; update the driver";
    const OTHER: &str = "the library was built for another GPU; run `make cuda` with CUDA_COMPUTE_CAP of this one";
    let hints = [
        ("UNSUPPORTED_PTX_VERSION", OLD),
        ("INSUFFICIENT_DRIVER", OLD),
        ("NO_BINARY_FOR_GPU", OTHER),
        ("INVALID_PTX", OTHER),
        ("NO_DEVICE", "the driver sees no GPU; `nvidia-smi` lists those that there are"),
        ("Unable to dynamically load", "put the folders of libcublas, libcurand and libnvrtc on LD_LIBRARY_PATH"),
    ];
    match hints.iter().find(|(sign, _)| reason.contains(sign)) {
        Some((_, hint)) => format!("{reason} ({hint})"),
        None => reason,
    }
}

/// Where the library may lie.
fn places() -> Vec<PathBuf> {
    if let Some(named) = std::env::var_os(LIBRARY_VARIABLE) {
        return vec![named.into()];
    }
    let beside = [std::env::var_os(TOOLKIT_VARIABLE).map(PathBuf::from), std::env::current_exe().ok()];
    beside.into_iter().flatten().map(|file| file.with_file_name(FILE)).collect()
}

fn open() -> Result<Functions, String> {
    let places = places();
    let Some(path) = places.iter().find(|path| path.is_file()) else {
        let places: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
        return Err(format!("there is no library {}; `make cuda` builds it", places.join(" nor ")));
    };
    let wrong = |error: libloading::Error| format!("{}: {error}", path.display());
    // SAFETY: the file is the one that `make cuda` put beside the toolkit, or that whoever started this program named. Its
    // functions are those of `Functions` where its number is ABI; this is asked before any other is called.
    unsafe {
        let library = Library::new(path).map_err(wrong)?;
        let abi = *library.get::<unsafe extern "C" fn() -> u32>(b"haetae_device_abi").map_err(wrong)?;
        let found = abi();
        if found != ABI {
            let path = path.display();
            return Err(format!("{path}: expected functions of number {ABI}, found {found}; run `make cuda` again"));
        }
        Ok(Functions {
            message: *library.get(b"haetae_device_message").map_err(wrong)?,
            find: *library.get(b"haetae_device_find").map_err(wrong)?,
            net: *library.get(b"haetae_device_net").map_err(wrong)?,
            step: *library.get(b"haetae_device_step").map_err(wrong)?,
            losses: *library.get(b"haetae_device_losses").map_err(wrong)?,
            score: *library.get(b"haetae_device_score").map_err(wrong)?,
            weights: *library.get(b"haetae_device_weights").map_err(wrong)?,
            free: *library.get(b"haetae_device_free").map_err(wrong)?,
            _library: library,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::hinted;

    #[test]
    fn what_cuda_says_is_followed_by_what_to_do() {
        let old = hinted("DriverError(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, \"…\")".to_owned());
        assert!(old.starts_with("DriverError(") && old.ends_with("update the driver)"), "{old}");
        assert!(hinted("CUDA_ERROR_NO_DEVICE".to_owned()).contains("nvidia-smi"));
        assert_eq!(hinted("something else".to_owned()), "something else");
    }
}
