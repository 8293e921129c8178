//! The name of a device -> where nets are trained and applied: our own layers, or a library that works on a GPU.
//!
//! | module | what |
//! |---|---|
//! | `chosen` | which device there is, and why not another |
//! | `library` | the library and its functions, loaded once |
//! | `remote` | a net in the library: steps, losses, scores, weights |
//! | `form` | what a net is like, as the library reads it |
//! | `fit` | an estimator's fit, on our layers or on a device |
//!
//! Why the library stands apart: `docs/decisions/0018-nets-on-a-device.md`.

mod chosen;
mod fit;
mod form;
mod library;
mod remote;

pub(super) use fit::{Batches, applied, fit};
pub(super) use form::Form;
pub(super) use remote::{Batch, Remote, said};

use std::fmt;
use std::str::FromStr;

/// Where nets are trained and applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor, by layers of our own: the same bits on every machine.
    Cpu,
    /// An NVIDIA GPU by its number, from 0, by way of the library that `make cuda` builds.
    Cuda(usize),
    /// The processor by way of that library: slower than [`Device::Cpu`], and there to compare what a GPU runs.
    CandleCpu,
}

impl Device {
    /// GPU 0 where it can be had, and the processor otherwise; [`Device::report`] says why.
    pub fn best() -> Self {
        chosen::best().device
    }

    /// What `HAETAE_DEVICE` asks for, where it can be had: `cpu` unless it is set, `best`, `cuda`, or `cuda:` and a number.
    /// It is looked for once.
    pub fn chosen() -> Self {
        chosen::from_environment().device
    }

    /// In words: the device that nets use unless they are told otherwise, and whether there is a GPU and why not.
    pub fn report() -> String {
        let (chosen, best) = (chosen::from_environment(), chosen::best());
        format!("nets use {}: {}; GPU: {}", chosen.device, chosen.why, best.why)
    }

    /// The name as the library knows it; none for our own layers.
    fn in_library(self) -> Option<String> {
        match self {
            Self::Cpu => None,
            Self::Cuda(number) => Some(format!("cuda:{number}")),
            Self::CandleCpu => Some("cpu".to_owned()),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::CandleCpu => f.write_str("candle-cpu"),
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let number = match name {
            "cpu" => return Ok(Self::Cpu),
            "candle-cpu" => return Ok(Self::CandleCpu),
            "cuda" => Some(0),
            _ => name.strip_prefix("cuda:").and_then(|number| number.parse().ok()),
        };
        let expected =
            || format!("expected `cpu`, `best`, `cuda`, `cuda:` and a number, or `candle-cpu`, found `{name}`");
        number.map(Self::Cuda).ok_or_else(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_they_are_written() {
        for device in [Device::Cpu, Device::Cuda(0), Device::Cuda(12), Device::CandleCpu] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        assert_eq!("cuda".parse(), Ok(Device::Cuda(0)));
        for wrong in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU"] {
            let error = wrong.parse::<Device>().unwrap_err();
            assert!(error.ends_with(&format!("found `{wrong}`")), "{error}");
        }
    }
}
