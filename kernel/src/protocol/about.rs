//! What the kernel says of itself: `kernel_info_reply` and the kernelspec.

use super::envelope::PROTOCOL_VERSION;
use serde_json::{Value, json};

/// Name that JupyterLab shows in its launcher.
pub const DISPLAY_NAME: &str = "Rust (Haetae)";

/// The content of a `kernel_info_reply`. `rustc` is the compiler's version, as in `1.95.0`.
pub fn kernel_info(rustc: &str) -> Value {
    json!({
        "status": "ok",
        "protocol_version": PROTOCOL_VERSION,
        "implementation": "haetae",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": {
            "name": "rust",
            "version": rustc,
            "mimetype": "text/x-rustsrc",
            "file_extension": ".rs",
            "pygments_lexer": "rust",
            "codemirror_mode": "rust",
            "nbconvert_exporter": "script",
        },
        "banner": format!(
            "Haetae {} - Rust {rustc} with the customs toolkit; %%sql cells query the warehouse",
            env!("CARGO_PKG_VERSION"),
        ),
        "help_links": [
            {"text": "The Rust book", "url": "https://doc.rust-lang.org/book/"},
            {"text": "polars", "url": "https://docs.rs/polars"},
        ],
        "debugger": false,
        "supported_features": ["kernel subshells"],
    })
}

/// The content of `kernel.json`.
pub fn kernelspec(executable: &str, toolchain: &str) -> Value {
    json!({
        "argv": [executable, "run", "--connection-file", "{connection_file}"],
        "display_name": DISPLAY_NAME,
        "language": "rust",
        "interrupt_mode": "message",
        "kernel_protocol_version": PROTOCOL_VERSION,
        "env": {"RUSTUP_TOOLCHAIN": toolchain},
        "metadata": {"debugger": false},
    })
}
