//! `haetae-kernel doctor`: what a working kernel needs -> whether it is there, and how to mend it.

use crate::index::{self, Index};
use crate::install::KERNELSPEC;
use crate::toolkit::{self, Toolkit};
use anyhow::{Result, bail};
use haetae_client::{AsyncClient, ConnectOptions};
use std::path::Path;
use std::process::Command;

/// One thing that was looked at.
struct Finding {
    what: &'static str,
    /// What is there, or what is wrong and what to do.
    found: Result<String, String>,
}

/// Looks at everything and prints what was found.
///
/// # Errors
/// When something is missing that the kernel cannot do without.
pub fn examine() -> Result<()> {
    let findings = [
        Finding { what: "Rust compiler", found: compiler() },
        Finding { what: "linker", found: linker() },
        Finding { what: "toolkit", found: staged() },
        Finding { what: "kernelspec", found: kernelspec() },
        Finding { what: "server", found: server() },
    ];
    let mut missing = 0;
    for Finding { what, found } in &findings {
        match found {
            Ok(found) => println!("ok       {what}: {found}"),
            Err(reason) => {
                missing += 1;
                println!("MISSING  {what}: {reason}");
            }
        }
    }
    if missing > 0 {
        bail!("{missing} of {} things are missing; each line above says how to mend it", findings.len());
    }
    Ok(())
}

fn compiler() -> Result<String, String> {
    toolkit::rustc(&["--version"]).map_err(|error| format!("{error:#}. Install rustup, then run `make build`"))
}

fn linker() -> Result<String, String> {
    let version = Command::new("cc").arg("--version").output();
    match version {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("cc").to_owned())
        }
        _ => {
            Err("there is no `cc` on the PATH, with which each cell is linked. On Debian: apt-get install g++"
                .to_owned())
        }
    }
}

fn staged() -> Result<String, String> {
    let toolkit = Toolkit::find().map_err(|error| format!("{error:#}"))?;
    let built_with = std::fs::read_to_string(toolkit.folder().join(toolkit::COMPILER)).unwrap_or_default();
    let now = toolkit::rustc(&["--version"]).unwrap_or_default();
    if built_with.trim() != now {
        return Err(format!("it was built with `{}`, and rustc is `{now}` now; run `make build`", built_with.trim()));
    }
    let known = Index::load(toolkit.folder()).types.len();
    match known {
        0 => Err(format!("there is no {} beside it, so nothing is completed; run `make build`", index::FILE)),
        known => Ok(format!("{}, {known} types known for completion", toolkit.library().display())),
    }
}

fn kernelspec() -> Result<String, String> {
    let executable = std::env::current_exe().map_err(|error| error.to_string())?;
    // PREFIX/share/haetae/haetae-kernel
    let prefix = executable.ancestors().nth(3).unwrap_or(Path::new("/"));
    let file = prefix.join(KERNELSPEC).join("kernel.json");
    match file.is_file() {
        true => Ok(file.display().to_string()),
        false => Err(format!("there is no {}; run `haetae-kernel install --prefix DIR`", file.display())),
    }
}

fn server() -> Result<String, String> {
    let options = ConnectOptions::from_env().map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    match runtime.block_on(AsyncClient::connect(&options)) {
        Ok(_) => Ok(options.url().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
