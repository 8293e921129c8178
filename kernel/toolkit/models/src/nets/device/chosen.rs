//! What the environment asks for -> the device that there is, and why it is that one.

use super::{Device, library};
use std::sync::OnceLock;

/// What names the device of nets.
const VARIABLE: &str = "HAETAE_DEVICE";

/// A device, and why it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) device: Device,
    pub(super) why: String,
}

/// GPU 0, or the processor.
pub(super) fn best() -> &'static Found {
    static BEST: OnceLock<Found> = OnceLock::new();
    BEST.get_or_init(|| or_processor(Device::Cuda(0), library::find(Device::Cuda(0))))
}

/// That of `HAETAE_DEVICE`. Where the processor has to stand in, this is said once on the error output: who set the
/// variable must not believe that a GPU works.
pub(super) fn from_environment() -> &'static Found {
    static CHOSEN: OnceLock<Found> = OnceLock::new();
    CHOSEN.get_or_init(|| {
        let wish = std::env::var(VARIABLE).unwrap_or_default();
        let found = named(&wish, &|device| library::find(device));
        if !matches!(wish.as_str(), "" | "cpu" | "best") && found.device == Device::Cpu {
            eprintln!("haetae: nets use the processor: {}", found.why);
        }
        found
    })
}

/// `find` looks for a device: what it is, or why it cannot be had.
fn named(wish: &str, find: &dyn Fn(Device) -> Result<String, String>) -> Found {
    let of = |why: String| Found { device: Device::Cpu, why };
    match wish {
        "" => of(format!("{VARIABLE} is not set")),
        "best" => or_processor(Device::Cuda(0), find(Device::Cuda(0))),
        _ => match wish.parse() {
            Err(error) => of(format!("{VARIABLE}: {error}")),
            Ok(Device::Cpu) => of(format!("{VARIABLE} asks for it")),
            Ok(device) => or_processor(device, find(device)),
        },
    }
}

fn or_processor(device: Device, found: Result<String, String>) -> Found {
    match found {
        Ok(what) => Found { device, why: format!("found {what}") },
        Err(why) => Found { device: Device::Cpu, why: format!("{device} cannot be had: {why}") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_stands_in_and_it_is_said_why() {
        let has = |device: Device| match device {
            Device::Cuda(0) => Ok("a card".to_owned()),
            _ => Err("no such card".to_owned()),
        };
        let found = |wish: &str| named(wish, &has);
        assert_eq!(found("cuda:0"), Found { device: Device::Cuda(0), why: "found a card".to_owned() });
        assert_eq!(found("best"), found("cuda"));
        let other = found("cuda:3");
        assert_eq!((other.device, other.why.as_str()), (Device::Cpu, "cuda:3 cannot be had: no such card"));
        assert_eq!(found("").why, "HAETAE_DEVICE is not set");
        assert_eq!(found("cpu").why, "HAETAE_DEVICE asks for it");
        let wrong = found("gpu");
        assert!(wrong.device == Device::Cpu && wrong.why.ends_with("found `gpu`"), "{wrong:?}");
        let none = named("best", &|_| Err("no library".to_owned()));
        assert_eq!((none.device, none.why.as_str()), (Device::Cpu, "cuda:0 cannot be had: no library"));
    }
}
